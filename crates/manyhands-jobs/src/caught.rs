//! A job whose panic is its answer.

use std::fmt;

use manyhands_core::{
    AsyncJob, Job, JobId, Outcome, Panic, Ticket, run_one, run_one_async,
};

/// A job whose panic is its answer, and not its pool's affair.
///
/// For wrappers around it, which do not come to speak when a panic passes
/// through them: a [`Keyed`](crate::Keyed) job keeps its key, a retried one is
/// tried again. The pool's outcome is `Done` in any case, and so it is counted,
/// where a pool counts.
///
/// ```
/// use manyhands_core::{InlinePool, WorkerPool};
/// use manyhands_jobs::{Caught, Keyed};
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let pool = InlinePool::new();
/// pool.submit(Keyed::new("a.txt", Caught::new(|| panic!("no such file"))))
///     .unwrap();
/// let (key, answer): (_, Result<(), _>) =
///     pool.recv().unwrap().done().unwrap();
/// assert_eq!(key, "a.txt");
/// assert_eq!(answer.unwrap_err().message(), "no such file");
/// ```
#[derive(Clone, Copy)]
pub struct Caught<J> {
    job: J,
}

impl<J> Caught<J> {
    /// Wraps a job.
    pub fn new(job: J) -> Self {
        Self { job }
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }

    /// For what runs jobs and wants an id for each.
    fn ticket(self) -> Ticket<J> {
        Ticket { id: JobId::new(0), job: self.job }
    }
}

fn answer<J: Job>(outcome: Outcome<J>) -> Result<J::Output, Panic> {
    match outcome {
        Outcome::Done(output) => Ok(output),
        Outcome::Panicked(panic) => Err(panic),
        Outcome::Cancelled(_) => unreachable!("it was not told to stop"),
    }
}

impl<J: Job> Job for Caught<J> {
    type Output = Result<J::Output, Panic>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        answer(run_one(self.ticket(), false).outcome)
    }
}

impl<J: AsyncJob> AsyncJob for Caught<J> {
    async fn run_async(self) -> Self::Output {
        answer(run_one_async(self.ticket(), || false).await.outcome)
    }
}

impl<J> fmt::Debug for Caught<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caught(..)")
    }
}
