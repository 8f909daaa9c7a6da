//! The pool of channels.

use std::sync::Arc;

use crate::assigned::Assigned;

/// The channels of the workers that have checked in.
///
/// A stack: the worker on top was at work last, and is the least likely to
/// sleep.
pub(crate) struct ReadyPool<J>(Vec<Arc<Assigned<J>>>);

impl<J> ReadyPool<J> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// `w.readyPool <- w.assignedJobQueue`
    pub(crate) fn check_in(&mut self, worker: Arc<Assigned<J>>) {
        self.0.push(worker);
    }

    /// `<-q.readyPool`. None if nobody is there, or if the one on top sleeps
    /// and is not to be woken.
    pub(crate) fn check_out(
        &mut self,
        wake: bool,
    ) -> Option<Arc<Assigned<J>>> {
        match self.0.last() {
            Some(worker) if wake || !worker.is_asleep() => self.0.pop(),
            _ => None,
        }
    }

    /// Tells all who have checked in to quit.
    pub(crate) fn quit(&mut self) {
        self.0.drain(..).for_each(|worker| worker.quit());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
