//! One completion for every accepted job, whatever becomes of its task.

use manyhands_core::{
    AsyncJob, Completion, Intake, Job, JobId, Outcome, Panic, Ticket,
};

/// A job that was accepted, and what is to be told if its task is dropped.
///
/// Tasks of a pool's own runtime run to their end. A runtime that belongs to
/// somebody else may be shut down, which drops its tasks wherever they are.
pub(super) struct Promise<J: Job, L: FnOnce(Completion<J>)> {
    id: JobId,
    /// The job, until it starts.
    ticket: Option<Ticket<J>>,
    /// Takes the completion if the task is dropped; gone once it has run.
    lost: Option<L>,
}

impl<J: Job, L: FnOnce(Completion<J>)> Promise<J, L> {
    pub(super) fn new(ticket: Ticket<J>, lost: L) -> Self {
        Self { id: ticket.id, ticket: Some(ticket), lost: Some(lost) }
    }
}

impl<J: AsyncJob, L: FnOnce(Completion<J>)> Promise<J, L> {
    /// Runs the job, once. Takes the promise by reference, since each of the
    /// futures that it is handed down through would have room for it.
    pub(super) async fn keep<H>(
        &mut self,
        intake: &Intake<H>,
    ) -> Completion<J> {
        let Some(ticket) = self.ticket.take() else {
            unreachable!("a promise is kept once")
        };
        let completion = intake.run_async(ticket).await;
        self.lost = None;
        completion
    }
}

impl<J: Job, L: FnOnce(Completion<J>)> Drop for Promise<J, L> {
    fn drop(&mut self) {
        let Some(lost) = self.lost.take() else { return };
        let outcome = match self.ticket.take() {
            Some(Ticket { job, .. }) => Outcome::Cancelled(job),
            None => Outcome::Panicked(Panic::new(Box::new(
                "the runtime was shut down while the job ran",
            ))),
        };
        lost(Completion { id: self.id, outcome });
    }
}
