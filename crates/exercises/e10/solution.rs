//! Exercise 10: a solution.

use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

/// What `f` makes of each item, in the order of the items.
// ANCHOR: solution
pub fn map<T, R, F>(items: &[T], workers: usize, rows: usize, f: F) -> Vec<R>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    let next = AtomicUsize::new(0);
    let work = || {
        // Each thread's own, so that nothing is shared but the counter.
        let mut done = Vec::new();
        loop {
            let from = next.fetch_add(rows, Ordering::Relaxed);
            if from >= items.len() {
                return done;
            }
            let to = items.len().min(from + rows);
            let chunk: Vec<R> = items[from..to].iter().map(&f).collect();
            done.push((from, chunk));
        }
    };
    let mut done: Vec<(usize, Vec<R>)> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers).map(|_| scope.spawn(work)).collect();
        let each = threads.into_iter().map(|it| it.join().unwrap());
        each.flatten().collect()
    });
    // By the place of their first item: the order in which they were done is
    // an accident.
    done.sort_unstable_by_key(|&(from, _)| from);
    done.into_iter().flat_map(|(_, chunk)| chunk).collect()
}
// ANCHOR_END: solution
