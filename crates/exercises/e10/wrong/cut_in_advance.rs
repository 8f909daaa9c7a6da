//! The items are cut into as many parts as there are workers, and each gets one.
//! In order, and without a shared counter; but the thread with the slow item is
//! alone with the rest of its part.

use exercises::thread;

pub fn map<T, R, F>(items: &[T], workers: usize, rows: usize, f: F) -> Vec<R>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    // ANCHOR: wrong
    let _ = rows;
    let part = items.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let f = &f;
        let threads: Vec<_> = items
            .chunks(part)
            .map(|part| {
                scope.spawn(move || part.iter().map(f).collect::<Vec<R>>())
            })
            .collect();
        let each = threads.into_iter().map(|it| it.join().unwrap());
        each.flatten().collect()
    })
    // ANCHOR_END: wrong
}
