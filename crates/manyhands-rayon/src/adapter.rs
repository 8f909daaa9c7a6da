//! The pattern under the contract: [`RayonThreads::spawn`] over tickets, with
//! `run_one` as the work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::results::{Receiver, Sender, for_jobs};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    ThreadOptions, Ticket, TrySubmitError, WorkerPool,
};

use crate::RayonThreads;

/// Rayon's pool under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly. Rayon has none.
/// - **Order**: not promised. Jobs from outside are taken up about in the
///   order of their ids, those that a job submits last in, first out.
/// - **Results**: can be read at once; while the queue is full by half a
///   reader is woken for a row of them, a tenth of a millisecond late at most.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it waits for nothing: what was accepted runs, and then
///   the threads end.
/// - **Cancel**: jobs that are queued come back as the threads reach them.
/// - **Jobs that call rayon** run on the same threads, and while they wait
///   for their pieces another job may start on top of them: only then can
///   more jobs be under way than there are workers.
pub struct RayonPool<J: Job> {
    intake: Arc<Exit<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    // Dropped last: waits for the jobs and the threads, while `results` is
    // already gone and swallows what nobody can read any more.
    threads: RayonThreads,
}

/// The way in is rayon's own queue, which is always open. What a job takes
/// with it is its way out: the results end when the pool is closed and the
/// last job is done.
type Exit<J> = Intake<Sender<Completion<J>>>;

impl<J: Job + 'static> RayonPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_threads(Self::with_options)
    }

    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread; those that had
    /// been started have ended.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        let threads =
            RayonThreads::start_with(config.workers().get(), &threads)?;
        let (results, collected) = for_jobs::<J>();
        let intake = Arc::new(Intake::new(results, config));
        Ok(Self { intake, results: collected, config, threads })
    }

    /// Queues the job at the pool. Never waits.
    fn spawn(
        &self,
        results: &Sender<Completion<J>>,
        ticket: Ticket<J>,
    ) -> Result<(), J> {
        let intake = Arc::clone(&self.intake);
        let run = move |ticket| intake.run(ticket);
        self.threads.spawn(ticket, results.clone(), run);
        Ok(())
    }
}

impl<J: Job> RayonPool<J> {
    /// The pool's threads, for batches of known length beside the jobs.
    ///
    /// What runs there is none of the pool's jobs: it has no completion, and
    /// takes no place.
    ///
    /// ```
    /// use manyhands_core::{Config, Task};
    /// use manyhands_rayon::RayonPool;
    ///
    /// let pool = RayonPool::<Task>::new(Config::default())?;
    /// let squares = pool.threads().par_map(1..=4u32, |n| n * n);
    /// assert_eq!(squares, [1, 4, 9, 16]);
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    pub fn threads(&self) -> &RayonThreads {
        &self.threads
    }
}

impl<J: Job + 'static> WorkerPool<J> for RayonPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.intake.enter(job, |results, ticket| self.spawn(results, ticket))
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        let spawn = |results: &mut _, ticket| self.spawn(results, ticket);
        self.intake.try_enter(job, spawn)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv_when(|| self.intake.enough())
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        let enough = || self.intake.enough();
        self.results.recv_many_when(into, max, enough)
    }

    fn close(&self) {
        self.intake.close();
    }

    fn cancel(&self) {
        self.intake.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.bound()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.intake.unfinished())
    }
}

impl<J: Job> fmt::Debug for RayonPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RayonPool")
            .field("config", &self.config)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
