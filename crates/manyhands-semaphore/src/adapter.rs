//! The pattern under the contract: a permit a ticket, with `run_one` as the
//! work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::crew::{self, Crew, WayIn};
use manyhands_core::results::{Receiver, for_jobs};
use manyhands_core::{
    Builder, Closed, Completion, Config, Intake, Job, JobId, ThreadOptions,
    Ticket, TrySubmitError, WorkerPool,
};

use crate::{AcquireError, Permit, Semaphore, WeightedError};

/// The semaphore under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: the permits, which are the workers. There is no queue, so
///   [`Builder::queue`] has no effect: a submitter that finds no permit waits.
/// - **Order**: places are given in the order in which submitters came to
///   wait. A place that is meant for one of them counts as taken.
/// - **Weights**: a job may take [several permits](Self::submit_weighted), and
///   then fewer run beside it.
/// - **Threads**: started as they are needed, at most as many as permits, and
///   kept for later jobs until the pool is closed. If the system refuses a
///   thread, a job runs on the submitter's, before `submit` or `try_submit`
///   returns. With [`Builder::keep_alive`] a thread ends that has had nothing
///   to do for so long, and [`Builder::min_threads`] stay all the same.
/// - **Drop**: closes, and joins the threads. Dropped by a job of its own, it
///   does not wait for that job's thread.
/// - **Cancel**: a job comes back if no thread had begun it yet.
pub struct SemaphorePool<J: Job> {
    // Dropped first: waits until the jobs have ended.
    crew: Crew<Accepted<J>>,
    semaphore: Semaphore,
    intake: Arc<Intake<WayIn<Accepted<J>>>>,
    results: Receiver<Completion<J>>,
    config: Config,
}

/// A job with its permit.
type Accepted<J> = (Permit, Ticket<J>);

impl<J: Job + 'static> SemaphorePool<J> {
    /// Sets the number of permits, as workers, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_crew(|config, threads| {
            Ok(Self::with_options(config, threads))
        })
    }

    /// An open pool. No thread is started before the first job.
    pub fn new(config: Config) -> Self {
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(config: Config, threads: ThreadOptions) -> Self {
        let (sender, results) = for_jobs::<J>();
        let (way_in, way_out) = crew::channel();
        let intake = Arc::new(Intake::unbounded(way_in));
        let permits = config.workers().get();
        let work = {
            let intake = Arc::clone(&intake);
            move |(permit, ticket)| {
                let completion = intake.run(ticket);
                // Whoever reads the completion finds the place free.
                drop(permit);
                sender.send(completion);
            }
        };
        let crew = Crew::new("permit", permits, way_out, work);
        Self {
            crew: crew.with_options(threads),
            semaphore: Semaphore::new(permits),
            intake,
            results,
            config,
        }
    }

    /// [`submit`](WorkerPool::submit) for a job that weighs more than others:
    /// waits for that many permits, which the job holds until it has ended,
    /// panicked or come back unrun.
    ///
    /// Light and heavy jobs are let in in the order in which their submitters
    /// came to wait: a heavy one is not starved by light ones, and holds up
    /// those behind it. A job that submits to its own pool waits for permits of
    /// which it holds some itself: use
    /// [`try_submit_weighted`](Self::try_submit_weighted) there.
    ///
    /// ```
    /// use manyhands_core::{WorkerPool, WorkerPoolExt};
    /// use manyhands_semaphore::SemaphorePool;
    ///
    /// // Eight permits, say one for each gigabyte of memory.
    /// let pool = SemaphorePool::builder().workers(8).build()?;
    /// let job = |gigabytes: usize| move || gigabytes;
    /// for gigabytes in [1, 6, 2, 8] {
    ///     pool.submit_weighted(job(gigabytes), gigabytes).unwrap();
    /// }
    /// let error = pool.submit_weighted(job(9), 9).unwrap_err();
    /// assert_eq!(error.to_string(), "permits is 9, allowed is 1 to 8");
    ///
    /// pool.close();
    /// let sum: usize = pool.completions().filter_map(|c| c.done()).sum();
    /// assert_eq!(sum, 17);
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The job comes back once the pool is closed, also while waiting; and at
    /// once if `permits` is 0, or more than there are in all.
    pub fn submit_weighted(
        &self,
        job: J,
        permits: usize,
    ) -> Result<JobId, WeightedError<J>> {
        let job = self.weigh(job, permits)?;
        match self.semaphore.acquire_many(permits) {
            Ok(permit) => Ok(self.start(permit, job)?),
            Err(_) => Err(WeightedError::Closed(job)),
        }
    }

    /// [`submit_weighted`](Self::submit_weighted), if that needs no waiting.
    ///
    /// # Errors
    ///
    /// As `submit_weighted`, and when not so many permits are free, or somebody
    /// waits for them.
    pub fn try_submit_weighted(
        &self,
        job: J,
        permits: usize,
    ) -> Result<JobId, WeightedError<J>> {
        let job = self.weigh(job, permits)?;
        match self.semaphore.try_acquire_many(permits) {
            Ok(permit) => Ok(self.start(permit, job)?),
            Err(AcquireError::NoPermits) => Err(WeightedError::Full(job)),
            Err(_) => Err(WeightedError::Closed(job)),
        }
    }

    /// A job without weight would be beside the bound, and one with too much
    /// would wait for ever.
    fn weigh(&self, job: J, permits: usize) -> Result<J, WeightedError<J>> {
        let most = self.config.workers().get();
        match (1..=most).contains(&permits) {
            true => Ok(job),
            false => Err(WeightedError::Weight { job, permits, most }),
        }
    }

    /// Accepts a job that has its permit, and finds it a thread.
    fn start(&self, permit: Permit, job: J) -> Result<JobId, Closed<J>> {
        let mut taker = None;
        let id = self.intake.enter(job, |way_in, ticket| {
            let handed_over = way_in.hand_over((permit, ticket));
            taker = Some(handed_over.map_err(|(_, ticket)| ticket.job)?);
            Ok(())
        })?;
        if let Some(taker) = taker {
            self.crew.see_to(taker);
        }
        Ok(id)
    }
}

impl<J: Job + 'static> WorkerPool<J> for SemaphorePool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        match self.semaphore.acquire() {
            Ok(permit) => self.start(permit, job),
            Err(_) => Err(Closed(job)),
        }
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        match self.semaphore.try_acquire() {
            Ok(permit) => Ok(self.start(permit, job)?),
            Err(AcquireError::NoPermits) => Err(TrySubmitError::Full(job)),
            Err(_) => Err(TrySubmitError::Closed(job)),
        }
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.results.recv_many(into, max)
    }

    fn close(&self) {
        self.semaphore.close();
        drop(self.intake.close());
    }

    fn cancel(&self) {
        self.semaphore.close();
        drop(self.intake.cancel());
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    /// The permits: as many as workers.
    fn bound(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.intake.unfinished())
    }
}

impl<J: Job> fmt::Debug for SemaphorePool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphorePool")
            .field("semaphore", &self.semaphore)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
