//! `f` runs under the lock of the results: in order of places, and one item at a
//! time on however many threads.

use exercises::sync::Mutex;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

pub fn map<T, R, F>(items: &[T], workers: usize, rows: usize, f: F) -> Vec<R>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    let next = AtomicUsize::new(0);
    let mut places: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let results = Mutex::new(&mut places);
    // ANCHOR: wrong
    let work = || {
        loop {
            let from = next.fetch_add(rows, Ordering::Relaxed);
            if from >= items.len() {
                return;
            }
            let to = items.len().min(from + rows);
            let mut results = results.lock().unwrap();
            for at in from..to {
                results[at] = Some(f(&items[at]));
            }
        }
    };
    // ANCHOR_END: wrong
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    places.into_iter().flatten().collect()
}
