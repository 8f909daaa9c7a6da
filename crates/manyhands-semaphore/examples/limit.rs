//! The worker-pool program of the Go tutorial on concurrency patterns, with
//! the alternative that it names: a semaphore instead of workers.
//!
//! ```console
//! $ cargo run --release -p manyhands-semaphore --example limit
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::{Threads, results};
use manyhands_semaphore::{Semaphore, spawn};

fn work(job: usize) -> usize {
    println!("started  job {job}");
    thread::sleep(Duration::from_secs(1));
    println!("finished job {job}");
    job * 2
}

fn main() {
    const NUM_JOBS: usize = 5;
    const AT_ONCE: usize = 3;
    let start = Instant::now();

    // ANCHOR: loop
    let sem = Semaphore::new(AT_ONCE);
    let threads = Threads::new();
    let (results, collected) = results::channel();

    for job in 1..=NUM_JOBS {
        // Here, and not in the thread: at most three threads exist.
        let permit = sem.acquire().expect("nobody closes the semaphore");
        let results = results.clone();
        spawn(&threads, permit, move |_permit| results.send(work(job)));
    }
    drop(results);
    // ANCHOR_END: loop

    let sum: usize = collected.iter().sum();
    sem.wait_idle();
    println!("sum {sum}, {:.1} s", start.elapsed().as_secs_f64());
}
