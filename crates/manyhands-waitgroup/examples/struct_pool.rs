//! The struct-based pool of the Go tutorial "Worker Pools": ten typed jobs,
//! three workers, results printed beside the submitting.
//!
//! ```console
//! $ cargo run --release -p manyhands-waitgroup --example struct_pool
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;

use crossbeam_utils::sync::WaitGroup;
use manyhands_core::{join_all, results};
use manyhands_waitgroup::{WorkerPool, submit_jobs};

struct Job {
    id: usize,
    value: usize,
}

struct Result {
    job_id: usize,
    value: usize,
}

fn process(worker: usize, job: Job) -> Result {
    println!("Job {} processed by worker {worker}", job.id);
    Result { job_id: job.id, value: job.value }
}

fn print_results(results: results::Receiver<Result>) {
    for result in results {
        println!("Result: Job {} Value {}", result.job_id, result.value);
    }
}

fn main() -> std::io::Result<()> {
    let num_jobs = 10;
    let num_workers = 3;
    let wg = WaitGroup::new(); // tracks the thread that prints

    // ANCHOR: main
    // The pool, with its two channels.
    let (mut wp, jobs, results) = WorkerPool::new(num_workers, num_jobs);
    wp.start_workers(process)?;

    // Submit beside all the rest. `jobs` is moved in, and closed at the end.
    let submitter = thread::spawn(move || {
        submit_jobs(jobs, (0..num_jobs).map(|id| Job { id, value: id }));
    });

    // Print beside the waiting.
    let done = wg.clone(); // wg.Add(1)
    let printer = thread::spawn(move || {
        let _done = done; // defer wg.Done()
        print_results(results);
    });

    wp.wait(); // for the workers; then close(wp.results)
    wg.wait(); // for the printer
    // ANCHOR_END: main

    join_all([submitter, printer]);
    Ok(())
}
