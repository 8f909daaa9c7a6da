//! Where a panic is caught: around the worker's loop, or around each job.
//!
//! ```console
//! $ cargo run -q -p manyhands-errgroup --example course_07_catch
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// Three of them go wrong.
fn work(job: u32) -> u32 {
    assert!(job > 3, "job {job} went wrong");
    job * 2
}

// ANCHOR: around_the_loop
fn around_the_loop(jobs: Receiver<u32>, results: Sender<Option<u32>>) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        for job in jobs {
            let _ = results.send(Some(work(job)));
        }
    }));
}
// ANCHOR_END: around_the_loop

// ANCHOR: around_the_job
fn around_the_job(jobs: Receiver<u32>, results: Sender<Option<u32>>) {
    for job in jobs {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(job)));
        let _ = results.send(outcome.ok());
    }
}
// ANCHOR_END: around_the_job

type Worker = fn(Receiver<u32>, Sender<Option<u32>>);

fn try_out(name: &str, worker: Worker) {
    let (jobs, queued) = unbounded();
    let (results, collected) = unbounded();
    for job in 1..=10 {
        let _ = jobs.send(job);
    }
    drop(jobs);
    let left = queued.clone();
    thread::scope(|scope| {
        for _ in 0..3 {
            let (queued, results) = (queued.clone(), results.clone());
            scope.spawn(move || worker(queued, results));
        }
    });
    drop(results);
    let outcomes: Vec<_> = collected.iter().collect();
    let done = outcomes.iter().flatten().count();
    println!(
        "{name:<15}: {done} done, {} known to have failed, {} left in the queue",
        outcomes.len() - done,
        left.len(),
    );
}

fn main() {
    // The default hook writes a line for each panic, as it should.
    std::panic::set_hook(Box::new(|_| {}));
    try_out("around the loop", around_the_loop);
    try_out("around the job", around_the_job);
}
