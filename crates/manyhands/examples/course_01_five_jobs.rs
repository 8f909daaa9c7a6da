//! Chapter 1 of the course: five jobs on one thread, and on several that share
//! them. A job takes a tenth of a second here.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_01_five_jobs
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// A job that waits, as for a disk or for a server.
fn work(_job: u32) {
    thread::sleep(Duration::from_millis(100));
}

// ANCHOR: share
/// Runs every job once, on so many threads.
fn run(threads: usize, jobs: impl Iterator<Item = u32> + Send) {
    let jobs = Mutex::new(jobs);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap().next();
                    let Some(job) = next else { return };
                    work(job);
                }
            });
        }
    }); // Waits here for all of them.
}
// ANCHOR_END: share

fn main() {
    for threads in 1..=6 {
        let start = Instant::now();
        run(threads, 1..=5);
        let seconds = start.elapsed().as_secs_f64();
        println!("5 jobs on {threads} threads: {seconds:.2} s");
    }
}
