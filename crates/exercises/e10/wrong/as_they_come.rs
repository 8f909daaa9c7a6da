//! Results in the order in which they were done. It is the right one as long as
//! all jobs take equally long and nobody is interrupted.

use exercises::sync::Mutex;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

pub fn map<T, R, F>(items: &[T], workers: usize, rows: usize, f: F) -> Vec<R>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    // ANCHOR: wrong
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        loop {
            let from = next.fetch_add(rows, Ordering::Relaxed);
            if from >= items.len() {
                return;
            }
            let to = items.len().min(from + rows);
            let chunk: Vec<R> = items[from..to].iter().map(&f).collect();
            results.lock().unwrap().extend(chunk);
        }
    };
    // ANCHOR_END: wrong
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    results.into_inner().unwrap()
}
