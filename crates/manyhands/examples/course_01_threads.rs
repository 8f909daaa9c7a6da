//! Chapter 1 of the course: ten thousand jobs on three threads, and the same
//! jobs with a thread each, all of them alive at once.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_01_threads
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::fs;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Instant;

const JOBS: u32 = 10_000;

/// What the process has in memory, in MiB, where the system says so.
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4 / 1024)
}

fn work(job: u32) {
    std::hint::black_box(job.wrapping_mul(job));
}

// ANCHOR: each
/// A thread for each job. None ends before the last was started.
fn a_thread_each() {
    let (gate, opened) = &(Mutex::new(false), Condvar::new());
    let start = Instant::now();
    let before = resident();
    let mut started = 0;
    thread::scope(|scope| {
        for job in 0..JOBS {
            let run = move || {
                let closed = gate.lock().unwrap();
                drop(opened.wait_while(closed, |open| !*open).unwrap());
                work(job);
            };
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                println!("the system refuses thread {}", job + 1);
                break;
            }
            started += 1;
        }
        let grown = before.zip(resident()).map(|(old, new)| new - old);
        if let Some(grown) = grown {
            println!("{started} threads at once: {grown} MiB more");
        }
        *gate.lock().unwrap() = true;
        opened.notify_all();
    });
    println!("a thread each: {:.1} ms", millis(start));
}
// ANCHOR_END: each

fn three_threads() {
    let start = Instant::now();
    let jobs = Mutex::new(0..JOBS);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap().next();
                    let Some(job) = next else { return };
                    work(job);
                }
            });
        }
    });
    println!("three threads: {:.1} ms", millis(start));
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn main() {
    three_threads();
    a_thread_each();
}
