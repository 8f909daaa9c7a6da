//! Reading the counter and raising it are two steps: two threads may read the
//! same number in between, and both run that job.

use exercises::sync::Arc;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

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
                // ANCHOR: wrong
                loop {
                    let number = next.load(Ordering::SeqCst);
                    if number >= jobs {
                        return;
                    }
                    next.store(number + 1, Ordering::SeqCst);
                    job(number);
                }
                // ANCHOR_END: wrong
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}
