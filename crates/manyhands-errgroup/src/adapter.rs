//! The pattern under the contract: a function of the group a ticket, with
//! `run_one` as what it does.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::results::{Receiver, Sender, for_jobs};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    Outcome, Ticket, TrySubmitError, WorkerPool,
};

use crate::{Context, Failure, Group, Token};

/// The error group under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool), for jobs that return a
/// `Result`.
///
/// - **First error**: after the first `Err` no further job starts. The pool
///   is then as after [`cancel`](WorkerPool::cancel): closed, with what had
///   not started coming back. The `Err` itself is in its job's completion. A
///   panic is a completion too, and stops nothing.
/// - **Bound**: the limit, which is the workers. There is no queue, so
///   [`Builder::queue`] has no effect: a submitter over the limit waits in
///   `submit`.
/// - **Threads**: one a job. If the system refuses a thread, the job runs on
///   its submitter's, before `submit` or `try_submit` returns.
/// - **Drop**: closes, and joins the threads. Dropped by a job of its own, it
///   does not wait for that job's thread.
pub struct ErrGroupPool<J: Job> {
    /// Its own error says only that there was one. Dropped first: waits until
    /// the jobs have ended.
    group: Group<()>,
    intake: Arc<Results<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
}

/// The way in is where each function sends its result: the results end when
/// the pool is closed and the last function has sent.
type Results<J> = Intake<Sender<Completion<J>>>;

impl<J, T, E> ErrGroupPool<J>
where
    J: Job<Output = Result<T, E>> + 'static,
    T: Send,
    E: Send,
{
    /// Sets the limit, as workers, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(Self::new)
    }

    /// An open pool. No thread is started before the first job.
    ///
    /// # Errors
    ///
    /// None that a checked [`Config`] leaves.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        let (sender, results) = for_jobs::<J>();
        Ok(Self {
            group: Group::with_limit(config.workers().get())?,
            intake: Arc::new(Intake::unbounded(sender)),
            results,
            config,
        })
    }

    /// What jobs may look at to learn that they may stop: cancelled by the
    /// first `Err`, and by [`cancel`](WorkerPool::cancel).
    ///
    /// ```
    /// use manyhands_core::WorkerPool;
    /// use manyhands_errgroup::ErrGroupPool;
    ///
    /// type Job = Box<dyn FnOnce() -> Result<u32, &'static str> + Send>;
    /// let pool = ErrGroupPool::<Job>::builder().workers(2).build()?;
    /// let ctx = pool.context();
    /// let long = move || {
    ///     let _failed = ctx.done().recv(); // or ctx.is_cancelled(), in steps
    ///     Ok(1)
    /// };
    /// pool.submit(Box::new(long)).unwrap();
    /// pool.submit(Box::new(|| Err("stop"))).unwrap();
    /// assert_eq!(std::iter::from_fn(|| pool.recv()).count(), 2);
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    pub fn context(&self) -> Context {
        self.group.shared.ctx.clone()
    }

    /// Accepts a job that has its token, and starts its thread.
    fn start(&self, token: Token<()>, job: J) -> Result<JobId, Closed<J>> {
        let mut accepted = None;
        let id = self.intake.enter(job, |results, ticket: Ticket<J>| {
            accepted = Some((results.clone(), ticket));
            Ok(())
        })?;
        if let Some((results, ticket)) = accepted {
            let intake = Arc::clone(&self.intake);
            self.group.spawn(token, move |token| {
                let completion = intake.run(ticket);
                if let Outcome::Done(Err(_)) = completion.outcome {
                    intake.cancel();
                    token.0.fail(Failure::Error(()));
                }
                // Whoever reads the completion finds the place free.
                drop(token);
                results.send(completion);
            });
        }
        Ok(id)
    }
}

impl<J, T, E> WorkerPool<J> for ErrGroupPool<J>
where
    J: Job<Output = Result<T, E>> + 'static,
    T: Send,
    E: Send,
{
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        match self.group.token() {
            Some(token) => self.start(token, job),
            None => Err(Closed(job)),
        }
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        match self.group.try_token() {
            Ok(token) => Ok(self.start(token, job)?),
            Err(TrySubmitError::Full(())) => Err(TrySubmitError::Full(job)),
            Err(TrySubmitError::Closed(())) => {
                Err(TrySubmitError::Closed(job))
            }
        }
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.results.recv_many(into, max)
    }

    fn close(&self) {
        self.intake.close();
        self.group.shared.admission.cancel();
    }

    fn cancel(&self) {
        self.intake.cancel();
        self.group.shared.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    /// The limit: as many as workers.
    fn bound(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.intake.unfinished())
    }
}

impl<J: Job> fmt::Debug for ErrGroupPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrGroupPool")
            .field("group", &self.group)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
