//! The end of a pool's threads.

use std::thread::{self, JoinHandle};

use crate::run::discard;

/// Waits until threads have ended.
///
/// The calling thread, should it be among them, is not waited for: a pool
/// may be dropped by a job of its own, and then that worker ends by itself
/// right after. What a thread panicked with is dropped, contained.
///
/// ```
/// use std::thread;
/// use manyhands_core::join_all;
///
/// let workers = (0..3).map(|_| thread::spawn(|| {}));
/// join_all(workers);
/// ```
pub fn join_all(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    let this = thread::current().id();
    for handle in threads {
        if handle.thread().id() != this {
            discard(handle.join());
        }
    }
}
