//! Only whole chunks: what is left over at the end is done by nobody.

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
    let done = Mutex::new(Vec::new());
    // ANCHOR: wrong
    let chunks = items.len() / rows;
    let work = || {
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= chunks {
                return;
            }
            let from = chunk * rows;
            let to = from + rows;
            let chunk: Vec<R> = items[from..to].iter().map(&f).collect();
            done.lock().unwrap().push((from, chunk));
        }
    };
    // ANCHOR_END: wrong
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_unstable_by_key(|&(from, _)| from);
    done.into_iter().flat_map(|(_, chunk)| chunk).collect()
}
