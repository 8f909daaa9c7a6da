//! The end of a pool's threads.

use std::fmt;

use crate::run::discard;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Mutex, is_finished, lock};

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

/// Threads that come and go, for a pool that starts one a job: keeps track of
/// those that have not ended, and waits for them in the end.
#[derive(Default)]
pub struct Threads {
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Held by whoever joins, so that a second one waits as well.
    joining: Mutex<()>,
}

impl Threads {
    /// No thread yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a thread, and forgets about those that have ended.
    ///
    /// # Errors
    ///
    /// The work comes back, not begun, when the system refuses a thread.
    pub fn spawn<F>(&self, name: &str, work: F) -> Result<(), F>
    where
        F: FnOnce() + Send + 'static,
    {
        // `spawn` would drop the work with its error.
        let slot = Arc::new(Mutex::new(Some(work)));
        let begin = {
            let slot = Arc::clone(&slot);
            move || {
                let work = lock(&slot).take();
                drop(slot);
                if let Some(work) = work {
                    work();
                }
            }
        };
        match thread::Builder::new().name(name.to_owned()).spawn(begin) {
            Ok(thread) => {
                let mut running = lock(&self.running);
                let all = std::mem::take(&mut *running);
                let (ended, mut still): (Vec<_>, Vec<_>) =
                    all.into_iter().partition(is_finished);
                still.push(thread);
                *running = still;
                drop(running);
                join_all(ended);
                Ok(())
            }
            Err(_) => match lock(&slot).take() {
                Some(work) => Err(work),
                None => Ok(()),
            },
        }
    }

    /// Waits until every thread has ended, as [`join_all`] does, and those
    /// that were started meanwhile as well. Not to be called by one of the
    /// threads while somebody else waits in it.
    pub fn join(&self) {
        let _joining = lock(&self.joining);
        loop {
            let running = std::mem::take(&mut *lock(&self.running));
            if running.is_empty() {
                return;
            }
            join_all(running);
        }
    }
}

/// Waits until every thread has ended.
impl Drop for Threads {
    fn drop(&mut self) {
        self.join();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("running", &lock(&self.running).len())
            .finish()
    }
}
