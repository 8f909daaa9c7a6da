//! The pool that is no pool.

use std::fmt;
use std::num::NonZeroUsize;

use crate::results::{Receiver, Sender, for_jobs};
use crate::{
    Closed, Completion, Intake, Job, JobId, Ticket, TrySubmitError, WorkerPool,
};

/// Runs each job on the thread that submits it, before `submit` returns.
///
/// The plainest thing that keeps the contract: the reference that tests
/// compare with, and the 1.00 of every comparison. It is also of use where
/// threads are not: for tests of code that takes a pool, and for debugging.
///
/// One job runs at a time; a second submitter waits (or is told `Full`) until
/// the first one's job has ended. Cost: 0 threads.
///
/// ```
/// use manyhands_core::{InlinePool, Outcome, WorkerPool};
///
/// let pool = InlinePool::new();
/// pool.submit(|| "done before `submit` returned").unwrap();
/// pool.close();
/// while let Some(completion) = pool.recv() {
///     assert!(completion.outcome.is_done());
/// }
/// ```
pub struct InlinePool<J: Job> {
    intake: Intake<Sender<Completion<J>>>,
    results: Receiver<Completion<J>>,
}

impl<J: Job> InlinePool<J> {
    /// An open pool.
    pub fn new() -> Self {
        let (sender, results) = for_jobs::<J>();
        Self { intake: Intake::new(sender, NonZeroUsize::MIN), results }
    }
}

impl<J: Job> Default for InlinePool<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J: Job> WorkerPool<J> for InlinePool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        let mut accepted = None;
        let id = self.intake.enter(job, |results, ticket| {
            accepted = Some((results.clone(), ticket));
            Ok(())
        })?;
        self.run(accepted);
        Ok(id)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        let mut accepted = None;
        let id = self.intake.try_enter(job, |results, ticket| {
            accepted = Some((results.clone(), ticket));
            Ok(())
        })?;
        self.run(accepted);
        Ok(id)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.results.recv_many(into, max)
    }

    fn close(&self) {
        self.intake.close();
    }

    fn cancel(&self) {
        self.intake.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

impl<J: Job> InlinePool<J> {
    fn run(&self, accepted: Option<(Sender<Completion<J>>, Ticket<J>)>) {
        if let Some((results, ticket)) = accepted {
            results.send(self.intake.run(ticket));
        }
    }
}

impl<J: Job> fmt::Debug for InlinePool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlinePool").finish_non_exhaustive()
    }
}
