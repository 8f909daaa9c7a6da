//! The pattern under the contract: a function of the group a ticket, with
//! `run_one` as what it does.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::crew::{self, Crew, WayIn};
use manyhands_core::results::{Receiver, for_jobs};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    Outcome, ThreadOptions, Ticket, TrySubmitError, WorkerPool,
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
/// - **Threads**: started as they are needed, at most as many as the limit,
///   and kept for later jobs until the pool is closed. If the system refuses a
///   thread, a job runs on the submitter's, before `submit` or `try_submit`
///   returns. With [`Builder::keep_alive`] a thread ends that has had nothing
///   to do for so long, and [`Builder::min_threads`] stay all the same.
/// - **Drop**: closes, and joins the threads. Dropped by a job of its own, it
///   does not wait for that job's thread.
pub struct ErrGroupPool<J: Job> {
    // Dropped first: waits until the jobs have ended.
    crew: Crew<Accepted<J>>,
    /// Its own error says only that there was one.
    group: Group<()>,
    intake: Arc<Intake<WayIn<Accepted<J>>>>,
    results: Receiver<Completion<J>>,
    config: Config,
}

/// A job with its token.
type Accepted<J> = (Token<()>, Ticket<J>);

impl<J, T, E> ErrGroupPool<J>
where
    J: Job<Output = Result<T, E>> + 'static,
    T: Send,
    E: Send,
{
    /// Sets the limit, as workers, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_crew(Self::with_options)
    }

    /// An open pool. No thread is started before the first job.
    ///
    /// # Errors
    ///
    /// None that a checked [`Config`] leaves.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        let (sender, results) = for_jobs::<J>();
        let (way_in, way_out) = crew::channel();
        let intake = Arc::new(Intake::unbounded(way_in));
        let limit = config.workers().get();
        let work = {
            let intake = Arc::clone(&intake);
            move |(token, ticket): Accepted<J>| {
                let completion = intake.run(ticket);
                if let Outcome::Done(Err(_)) = completion.outcome {
                    drop(intake.cancel());
                    token.0.fail(Failure::Error(()));
                }
                // Whoever reads the completion finds the place free.
                drop(token);
                sender.send(completion);
            }
        };
        let crew = Crew::new("group", limit, way_out, work);
        Ok(Self {
            crew: crew.with_options(threads),
            group: Group::with_limit(limit)?,
            intake,
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

    /// Accepts a job that has its token, and finds it a thread.
    fn start(&self, token: Token<()>, job: J) -> Result<JobId, Closed<J>> {
        let mut taker = None;
        let id = self.intake.enter(job, |way_in, ticket| {
            let handed_over = way_in.hand_over((token, ticket));
            taker = Some(handed_over.map_err(|(_, ticket)| ticket.job)?);
            Ok(())
        })?;
        if let Some(taker) = taker {
            self.crew.see_to(taker);
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
        drop(self.intake.close());
        self.group.shared.admission.cancel();
    }

    fn cancel(&self) {
        drop(self.intake.cancel());
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
