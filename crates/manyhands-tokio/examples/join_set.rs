//! Go by Example: Worker Pools, <https://gobyexample.com/worker-pools>
//! (Mark McGranaghan and Eli Bendersky, CC BY 3.0), without workers: a task a
//! job, and three permits.
//!
//! Five jobs of a second each, three at once, two seconds:
//!
//! ```console
//! $ cargo run --release -p manyhands-tokio --example join_set
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use manyhands_tokio::spawn;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// One job: pretend to work for a second.
async fn work(id: usize, job: usize) -> usize {
    println!("worker {id} started  job {job}");
    sleep(Duration::from_secs(1)).await;
    println!("worker {id} finished job {job}");
    job * 2
}

async fn run() {
    const NUM_JOBS: usize = 5;
    let start = Instant::now();

    let permits = Arc::new(Semaphore::new(3));
    let mut tasks = JoinSet::new();

    // Only so that the lines read as the tutorial's: there are no workers,
    // and a permit has no number.
    let numbers = Arc::new(Mutex::new(BTreeSet::from([1, 2, 3])));

    // Waits here, and not in the task: there are never more than three tasks.
    for job in 1..=NUM_JOBS {
        let numbers = Arc::clone(&numbers);
        let task = async move {
            let lock =
                || numbers.lock().unwrap_or_else(PoisonError::into_inner);
            let id = lock().pop_first().unwrap_or_default();
            let result = work(id, job).await;
            lock().insert(id);
            result
        };
        let spawned = spawn(&mut tasks, &permits, task).await;
        spawned.expect("nobody closes the semaphore");
    }

    // As many results as jobs, and then every task has ended.
    let results = tasks.join_all().await;
    assert_eq!(results.len(), NUM_JOBS);

    println!("{:.1} s", start.elapsed().as_secs_f64());
}

fn main() -> io::Result<()> {
    Runtime::new()?.block_on(run());
    Ok(())
}
