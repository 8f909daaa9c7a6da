//! Who waits: threads and tasks in one line, the longest waiting in front.

use std::collections::BTreeMap;
use std::mem::{replace, take};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use manyhands_core::discard;
use manyhands_core::sync::thread::{self, Thread};
use manyhands_core::sync::{Arc, spin_until};

use crate::watch::Context as JobContext;

/// A line of waiters, by the number that each drew when it first came. Who is
/// woken leaves it, and if there is nothing for it after all, comes back to
/// where it was.
#[derive(Default)]
pub(crate) struct Line {
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// A waiter's number in its [`Line`]: none before it first waits.
#[derive(Debug, Default)]
pub(crate) struct Turn(Option<u64>);

impl Turn {
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Line {
    /// Waits, or goes on waiting with another waker. What it returns is to
    /// be dropped without a lock: a waker is the user's code.
    pub(crate) fn stand(
        &mut self,
        turn: &mut Turn,
        waker: Waker,
    ) -> Option<Waker> {
        let number = *turn.0.get_or_insert_with(|| {
            let next = self.next + 1;
            replace(&mut self.next, next)
        });
        self.waiting.insert(number, waker)
    }

    /// Waits no more. True if it was woken, and owes that to the next.
    pub(crate) fn leave(&mut self, turn: &mut Turn) -> (bool, Option<Waker>) {
        match turn.0.take() {
            None => (false, None),
            Some(number) => {
                let waker = self.waiting.remove(&number);
                (waker.is_none(), waker)
            }
        }
    }

    pub(crate) fn call_one(&mut self, calls: &mut Calls) {
        if let Some((_, waker)) = self.waiting.pop_first() {
            calls.wakers.push(waker);
        }
    }

    pub(crate) fn call_all(&mut self, calls: &mut Calls) {
        calls.wakers.extend(take(&mut self.waiting).into_values());
    }
}

/// What is to be done once the lock is released.
#[must_use = "somebody waits to be woken"]
#[derive(Default)]
pub(crate) struct Calls {
    wakers: Vec<Waker>,
    contexts: Vec<JobContext>,
}

impl Calls {
    pub(crate) fn drop_later(&mut self, context: JobContext) {
        self.contexts.push(context);
    }

    /// Wakes who is to be woken. Panics of wakers are contained.
    pub(crate) fn make(self) {
        for waker in self.wakers {
            let woken = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            discard(woken);
        }
        self.contexts.into_iter().for_each(discard);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on the calling thread until `poll` is ready, or until the deadline.
/// `hint` may look whether that is likely, without a lock.
pub(crate) fn block_on<T>(
    deadline: Option<Instant>,
    hint: impl FnMut() -> bool,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    spin_until(hint);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(ready) = poll(&mut context) {
            return Some(ready);
        }
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                park_for(left);
            }
        }
    }
}

#[cfg(not(any(loom, shuttle)))]
fn park_for(limit: std::time::Duration) {
    thread::park_timeout(limit);
}

/// The checkers have no time: whoever waits by it does not sleep.
#[cfg(any(loom, shuttle))]
fn park_for(_limit: std::time::Duration) {
    thread::yield_now();
}
