//! Nobody waits for the threads: `share` returns while jobs are still to be
//! run, and at the end of `main` they would be cut off.

use exercises::sync::Arc;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

pub fn share<F>(workers: usize, jobs: usize, job: F)
where
    F: Fn(usize) + Send + Sync + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let job = Arc::new(job);
    // ANCHOR: wrong
    for _ in 0..workers {
        let (next, job) = (Arc::clone(&next), Arc::clone(&job));
        thread::spawn(move || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= jobs {
                    return;
                }
                job(number);
            }
        });
    }
    // ANCHOR_END: wrong
}
