//! Which queue's job runs on this thread.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A queue, for as long as the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueId(u64);

thread_local! {
    /// The innermost last: a job may run another queue's on its thread.
    static QUEUES: RefCell<Vec<QueueId>> = const { RefCell::new(Vec::new()) };
}

impl QueueId {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a job of this queue.
    pub(crate) fn run<T>(self, job: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                QUEUES.with_borrow_mut(|queues| queues.pop());
            }
        }
        QUEUES.with_borrow_mut(|queues| queues.push(self));
        let _leave = Leave;
        job()
    }

    /// Whether a job of this queue runs on this thread.
    pub(crate) fn is_here(self) -> bool {
        // No queues on a thread that ends: its jobs have ended.
        QUEUES
            .try_with(|queues| queues.borrow().contains(&self))
            .unwrap_or(false)
    }
}
