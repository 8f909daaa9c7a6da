//! The same jobs on more and more workers: jobs that compute, and jobs that
//! wait.
//!
//! ```console
//! $ cargo run -q -p manyhands-semaphore --example course_08_how_many
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const JOBS: usize = 64;

/// Arithmetic, the same amount each time.
fn computes() {
    let steps = 0..200_000_u64;
    black_box(steps.fold(1_u64, |a, n| black_box(a) ^ a.rotate_left(7) ^ n));
}

/// As a request to another machine: the core has nothing to do.
fn waits() {
    thread::sleep(Duration::from_millis(5));
}

// ANCHOR: run
/// Workers share a counter of jobs.
fn run(workers: usize, job: fn()) -> Duration {
    let since = Instant::now();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < JOBS {
                    job();
                }
            });
        }
    });
    since.elapsed()
}
// ANCHOR_END: run

fn main() {
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    println!("{cores} cores, {JOBS} jobs; times as fast as one worker");
    println!("workers  computes  waits");
    let numbers = [1, 2, 4, 8, 16, 32, 64];
    // The best of five rounds, each with all numbers of workers: whoever else
    // wants the cores for a while does not meet one number alone.
    let mut best = [[Duration::MAX; 2]; 7];
    for _round in 0..5 {
        for (workers, best) in numbers.into_iter().zip(&mut best) {
            for (best, job) in best.iter_mut().zip([computes, waits]) {
                *best = run(workers, job).min(*best);
            }
        }
    }
    let alone = best[0];
    for (workers, took) in numbers.into_iter().zip(best) {
        let speed =
            |at: usize| alone[at].as_secs_f64() / took[at].as_secs_f64();
        println!("{workers:>7} {:>9.1} {:>6.1}", speed(0), speed(1));
    }
}
