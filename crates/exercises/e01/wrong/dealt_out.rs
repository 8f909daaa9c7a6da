//! The jobs are dealt out beforehand, as cards are. While one thread has a long
//! job, those that were dealt to it wait, though other threads are free.

use exercises::sync::Arc;
use exercises::thread;

pub fn share<F>(workers: usize, jobs: usize, job: F)
where
    F: Fn(usize) + Send + Sync + 'static,
{
    let job = Arc::new(job);
    // ANCHOR: wrong
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            let job = Arc::clone(&job);
            thread::spawn(move || {
                for number in (worker..jobs).step_by(workers) {
                    job(number);
                }
            })
        })
        .collect();
    // ANCHOR_END: wrong
    for thread in threads {
        thread.join().unwrap();
    }
}
