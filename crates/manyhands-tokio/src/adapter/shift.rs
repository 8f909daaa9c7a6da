//! What submitters and tasks of a pool share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_channel::{Receiver, Sender};
use manyhands_core::{
    AsyncJob, Completion, Intake, Job, Outcome, Ticket, discard,
};
use tokio::sync::Notify;

use super::promise::Promise;
use crate::results;

/// The way in.
pub(super) struct Entry<J> {
    /// The way in is the jobs channel. It has a place for every job that the
    /// intake lets in, so sending never waits; who waits, waits at the
    /// intake, as a thread, or for `place`, as a task.
    pub(super) intake: Intake<Sender<Ticket<J>>>,
    /// Notified of each place that becomes free, and of the close.
    pub(super) place: Notify,
}

impl<J: Job> Entry<J> {
    pub(super) fn close(&self) {
        drop(self.intake.close());
        contained(|| self.place.notify_waiters());
    }

    pub(super) fn cancel(&self) {
        drop(self.intake.cancel());
        contained(|| self.place.notify_waiters());
    }
}

/// Wakes tasks that wait. A waker is the user's, and one that panics is to
/// cost nobody else a completion.
fn contained(wake: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(wake)) {
        discard(payload);
    }
}

impl<J: AsyncJob> Entry<J> {
    /// Runs the job.
    pub(super) async fn run(
        &self,
        promise: &mut Promise<J, impl FnOnce(Completion<J>)>,
    ) -> Completion<J> {
        let completion = promise.keep(&self.intake).await;
        contained(|| self.place.notify_one());
        completion
    }
}

/// `jobs <- job`
pub(super) fn send<J>(
    jobs: &mut Sender<Ticket<J>>,
    ticket: Ticket<J>,
) -> Result<(), J> {
    jobs.try_send(ticket).map_err(|refused| refused.into_inner().job)
}

/// What a task works with that takes jobs from the queue.
///
/// It ends when the pool is closed and the queue empty, or with a runtime that
/// is shut down under it. Then nobody is left for what is queued, nor for what
/// might still come.
pub(super) struct Shift<J: Job> {
    pub(super) entry: Arc<Entry<J>>,
    pub(super) queued: Receiver<Ticket<J>>,
    pub(super) results: results::Sender<Completion<J>>,
}

impl<J: Job> Shift<J> {
    /// That the job has a completion. If it is dropped before it has run,
    /// wherever it is by then, this is sent to the results.
    pub(super) fn promise(
        &self,
        ticket: Ticket<J>,
    ) -> Promise<J, impl FnOnce(Completion<J>) + use<J>> {
        let results = self.results.clone();
        Promise::new(ticket, move |lost| results.send(lost))
    }
}

impl<J: Job> Drop for Shift<J> {
    fn drop(&mut self) {
        self.entry.close();
        while let Ok(Ticket { id, job }) = self.queued.try_recv() {
            let outcome = Outcome::Cancelled(job);
            self.results.send(Completion { id, outcome });
        }
    }
}
