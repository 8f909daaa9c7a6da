//! A closure as a job whose answer takes its own way.

use std::fmt;

use crate::run::discard;
use crate::sync::Arc;
use crate::{AsyncJob, Job};

/// A closure as a job: what [`Spawn`](crate::Spawn) submits, so that closures
/// of all kinds go through one pool.
///
/// What becomes of it comes to its handle or its group, and not through the
/// pool. A task that is dropped without having been run, because its pool was
/// cancelled, tells them so: no handle waits for ever.
#[must_use = "a task that is dropped is a task that was cancelled"]
pub struct Task<'a> {
    /// `None` once it runs.
    work: Option<Work<'a>>,
}

enum Work<'a> {
    /// Somebody waits for the answer.
    Shared(Arc<dyn Run + 'a>),
    /// Nobody does.
    Alone(Box<dyn FnOnce() + Send + 'a>),
}

/// A task's view of what it shares with whoever waits for its end: it knows
/// neither closure nor answer.
pub(crate) trait Run: Send + Sync {
    /// Runs the closure, unless it was taken back; never panics.
    fn run(&self);

    /// Drops the closure unrun, and says so; never panics.
    fn abandon(&self);
}

impl<'a> Task<'a> {
    pub(crate) fn shared(run: Arc<dyn Run + 'a>) -> Self {
        Self { work: Some(Work::Shared(run)) }
    }

    pub(crate) fn alone(work: impl FnOnce() + Send + 'a) -> Self {
        Self { work: Some(Work::Alone(Box::new(work))) }
    }

    fn start(mut self) {
        match self.work.take() {
            Some(Work::Shared(shared)) => shared.run(),
            // Its panic is for the pool: nobody else would see it.
            Some(Work::Alone(work)) => work(),
            None => {}
        }
    }
}

impl Job for Task<'_> {
    type Output = ();

    const DETACHED: bool = true;

    fn run(self) {
        self.start();
    }
}

/// Runs the closure where the task is polled: for closures that do not block.
/// A pool of async tasks has a wrapper for those that do.
impl AsyncJob for Task<'_> {
    async fn run_async(self) {
        self.start();
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        match self.work.take() {
            Some(Work::Shared(shared)) => shared.abandon(),
            Some(Work::Alone(work)) => discard(work),
            None => {}
        }
    }
}

impl fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}
