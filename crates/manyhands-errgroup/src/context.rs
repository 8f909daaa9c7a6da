//! What a function looks at to learn that it may stop.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

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
        self.lock().is_none()
    }

    /// Ends when the group fails, so that a function can wait for that beside
    /// other channels, in a `select!`.
    pub fn done(&self) -> &Receiver<Infallible> {
        &self.done
    }

    pub(crate) fn cancel(&self) {
        let cancel = self.lock().take();
        drop(cancel);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sender<Infallible>>> {
        self.cancel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}
