//! Go by Example: Worker Pools, <https://gobyexample.com/worker-pools>
//! (Mark McGranaghan and Eli Bendersky, CC BY 3.0), with tasks for
//! goroutines.
//!
//! Five jobs of a second each, three workers, two seconds:
//!
//! ```console
//! $ cargo run --release -p manyhands-tokio --example async_workers
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::io;
use std::time::{Duration, Instant};

use async_channel::bounded;
use manyhands_tokio::{results, worker};
use tokio::runtime::Runtime;
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

    // Two channels: one to the workers, one back.
    let (jobs, queued) = bounded(NUM_JOBS);
    let (results, collected) = results::channel();

    // Three workers, which wait, since no job has been sent.
    let mut workers = JoinSet::new();
    for id in 1..=3 {
        workers.spawn(worker(id, queued.clone(), results.clone(), work));
    }

    // Five jobs, and then no more: dropping the sender closes the channel.
    for job in 1..=NUM_JOBS {
        jobs.send(job).await.expect("the workers hold the other end");
    }
    drop(jobs);

    // As many results as jobs.
    for _ in 1..=NUM_JOBS {
        collected.recv().await;
    }

    // The last result is sent before its worker returns.
    workers.join_all().await;

    println!("{:.1} s", start.elapsed().as_secs_f64());
}

fn main() -> io::Result<()> {
    Runtime::new()?.block_on(run());
    Ok(())
}
