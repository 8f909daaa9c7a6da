//! Exercise 1: a solution.

use exercises::sync::Arc;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

/// Runs each of `jobs` jobs once, on `workers` threads that share them.
// ANCHOR: solution
pub fn share<F>(workers: usize, jobs: usize, job: F)
where
    F: Fn(usize) + Send + Sync + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let job = Arc::new(job);
    let workers: Vec<_> = (0..workers)
        .map(|_| {
            let (next, job) = (Arc::clone(&next), Arc::clone(&job));
            thread::spawn(move || {
                loop {
                    // Taking a number and leaving the next are one step.
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= jobs {
                        return;
                    }
                    job(number);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}
// ANCHOR_END: solution
