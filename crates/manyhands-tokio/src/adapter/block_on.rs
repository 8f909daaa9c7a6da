//! Waiting for a future on a thread, without a runtime.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::task::unconstrained;

/// Polls a future on this thread, which is parked in between.
///
/// Unlike a runtime's, this one can be called anywhere, also within async
/// code. There the future must not be charged to the budget of the task
/// around it: once that is used up, a future is woken only after the task
/// has yielded, and this one would keep the task from doing so, for ever.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
