//! Exercise 10: a map in order, on several threads.
//!
//! `map` does to each item what `f` does, on `workers` threads, and returns the
//! results in the order of the items. A thread claims `rows` items that follow
//! each other, does them, and claims the next: so it comes to the shared counter
//! once for `rows` items, and one that has found slow items claims fewer.
//!
//! The threads may borrow: `thread::scope` ends after all of them.
//!
//! Chapter: docs/course/10-cpu-work.md. Checks: `manyhands learn check 10`.

use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

/// What `f` makes of each item, in the order of the items. `workers` and `rows`
/// are 1 or more.
pub fn map<T, R, F>(items: &[T], workers: usize, rows: usize, f: F) -> Vec<R>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    todo!("exercise 10")
}
