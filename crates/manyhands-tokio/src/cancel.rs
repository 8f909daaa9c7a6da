//! Tokens of [`tokio_util`] and of [`manyhands_core`] that are cancelled
//! together.
//!
//! What runs on tokio is often told to stop by a [`CancellationToken`], and
//! what runs on a pool of threads by a [`CancelToken`]. Of two that are
//! linked here, either may be cancelled; the other is cancelled before that
//! call returns, without a runtime, a task or a thread.
//!
//! ```
//! use manyhands_core::CancelToken;
//! use manyhands_tokio::cancel::{from_tokio_util, to_tokio_util};
//! use manyhands_tokio::cancel::tokio_util::sync::CancellationToken;
//!
//! let server = CancellationToken::new();
//! let jobs = from_tokio_util(&server);
//! server.cancel();
//! assert!(jobs.is_cancelled());
//!
//! let jobs = CancelToken::new();
//! let client = to_tokio_util(&jobs);
//! client.cancel();
//! assert!(jobs.is_cancelled());
//! ```
//!
//! The link lasts as long as there is the `CancelToken`, a clone or a child
//! of it; keep one as long as the link is wanted. What it takes is freed with
//! it, or when the tokens are cancelled: for a request that does not outlive
//! its service, link a [child](CancelToken::child) of the service's token.
//!
//! A [deadline](CancelToken#deadlines) of the `CancelToken` is found by who
//! looks at that one. Where only its partner is awaited, set a timer of the
//! runtime beside it.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use manyhands_core::sync::{Mutex, lock};
use manyhands_core::{CancelToken, WeakCancelToken};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Where the other kind of token is from.
pub use tokio_util;

/// A new token that is cancelled when this one is, and the other way.
pub fn from_tokio_util(theirs: &CancellationToken) -> CancelToken {
    let ours = CancelToken::new();
    link(&ours, theirs);
    ours
}

/// A new token that is cancelled when this one is, and the other way.
///
/// See to it that this one, a clone or a child of it is there as long as the
/// new one is used.
pub fn to_tokio_util(ours: &CancelToken) -> CancellationToken {
    let theirs = CancellationToken::new();
    link(ours, &theirs);
    theirs
}

/// Links two tokens that are there already: when one is cancelled, so is the
/// other.
pub fn link(ours: &CancelToken, theirs: &CancellationToken) {
    let watch = Arc::new(Watch {
        cancelled: Mutex::new(Box::pin(theirs.clone().cancelled_owned())),
        ours: ours.downgrade(),
    });
    Arc::new(Relay { watch: Arc::downgrade(&watch) }).wake();
    let theirs = theirs.clone();
    let call = move || {
        theirs.cancel();
        drop(watch);
    };
    ours.on_cancel(call).detach();
}

/// Waits for their token. Held by the call that is registered with ours, so
/// that it goes when ours does.
struct Watch {
    /// Left its waker, a [`Relay`], with their token.
    cancelled: Mutex<Pin<Box<WaitForCancellationFutureOwned>>>,
    ours: WeakCancelToken,
}

/// What their token wakes. It holds nothing, or the two tokens would hold
/// each other for ever.
struct Relay {
    watch: Weak<Watch>,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let Some(watch) = self.watch.upgrade() else { return };
        let waker = Waker::from(self);
        let mut context = Context::from_waker(&waker);
        let polled = lock(&watch.cancelled).as_mut().poll(&mut context);
        if polled.is_ready() {
            if let Some(ours) = watch.ours.upgrade() {
                ours.cancel();
            }
        }
    }
}
