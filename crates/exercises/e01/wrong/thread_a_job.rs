//! A thread a job: for five jobs it does no harm, for ten thousand it makes ten
//! thousand threads. That there are only so many is what a pool is for.

use exercises::sync::Arc;
use exercises::thread;

pub fn share<F>(workers: usize, jobs: usize, job: F)
where
    F: Fn(usize) + Send + Sync + 'static,
{
    let _ = workers;
    let job = Arc::new(job);
    // ANCHOR: wrong
    let threads: Vec<_> = (0..jobs)
        .map(|number| {
            let job = Arc::clone(&job);
            thread::spawn(move || job(number))
        })
        .collect();
    // ANCHOR_END: wrong
    for thread in threads {
        thread.join().unwrap();
    }
}
