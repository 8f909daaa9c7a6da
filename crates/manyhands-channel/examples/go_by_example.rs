//! Go by Example: Worker Pools, <https://gobyexample.com/worker-pools>
//! (Mark McGranaghan and Eli Bendersky, CC BY 3.0), in Rust.
//!
//! Five jobs of a second each, three workers, two seconds:
//!
//! ```console
//! $ cargo run --release -p manyhands-channel --example go_by_example
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use manyhands_core::results;

/// One job: pretend to work for a second.
fn work(id: usize, job: usize) -> usize {
    println!("worker {id} started  job {job}");
    thread::sleep(Duration::from_secs(1));
    println!("worker {id} finished job {job}");
    job * 2
}

fn main() {
    const NUM_JOBS: usize = 5;
    let start = Instant::now();

    // ANCHOR: main
    // Two channels: one to the workers, one back.
    let (jobs, queued) = bounded(NUM_JOBS);
    let (results, collected) = results::channel();

    // Three workers, which wait, since no job has been sent.
    let workers = (1..=3).map(|id| {
        let (queued, results) = (queued.clone(), results.clone());
        thread::spawn(move || {
            manyhands_channel::worker(id, queued, results, work)
        })
    });
    let workers: Vec<_> = workers.collect();

    // Five jobs, and then no more: dropping the sender closes the channel.
    for job in 1..=NUM_JOBS {
        jobs.send(job).expect("the workers hold the other end");
    }
    drop(jobs);

    // As many results as jobs.
    for _ in 1..=NUM_JOBS {
        collected.recv();
    }
    // ANCHOR_END: main

    // The tutorial ends here, and says that the workers have finished. Most
    // have not quite: the last result is sent before its worker returns.
    manyhands_core::join_all(workers);

    println!("{:.1} s", start.elapsed().as_secs_f64());
}
