//! What a function looks at to learn that it may stop.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use manyhands_core::sync::{Mutex, lock};

/// What a function looks at to learn that it may stop.
///
/// Cancelled when the group has failed. Clones are the same context.
#[derive(Clone)]
pub struct Context {
    /// Dropped by whoever cancels. That ends `done`.
    cancel: Arc<Mutex<Option<Sender<Infallible>>>>,
    done: Receiver<Infallible>,
}

impl Context {
    pub(crate) fn new() -> Self {
        let (cancel, done) = bounded(0);
        Self { cancel: Arc::new(Mutex::new(Some(cancel))), done }
    }

    /// True once the group has failed: what is still running may stop.
    pub fn is_cancelled(&self) -> bool {
        lock(&self.cancel).is_none()
    }

    /// Ends when the group fails, so that a function can wait for that beside
    /// other channels, in a `select!`.
    pub fn done(&self) -> &Receiver<Infallible> {
        &self.done
    }

    pub(crate) fn cancel(&self) {
        let cancel = lock(&self.cancel).take();
        drop(cancel);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}
