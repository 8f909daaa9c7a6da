//! The pattern under the contract: [`worker`] over tickets, with `run_one` as
//! the work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use manyhands_core::results::{self, Receiver, for_jobs};
use manyhands_core::sync::thread::{self, JoinHandle};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    ThreadOptions, Ticket, TrySubmitError, WorkerPool, join_all,
};

use crate::worker;

/// The basic pool under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly.
/// - **Order**: jobs are taken up in the order of their ids.
/// - **Results**: can be read at once; while the queue is full by half a
///   reader is woken for a row of them, a tenth of a millisecond late at most.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it does not wait for that job's worker.
/// - **Cancel**: jobs that are queued come back as the workers reach them.
pub struct ChannelPool<J: Job> {
    intake: Arc<Jobs<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    workers: Vec<JoinHandle<()>>,
}

/// The way in is the jobs channel. It has a place for every job that the
/// intake lets in, so sending never waits: submitters wait at the intake.
type Jobs<J> = Intake<Sender<Ticket<J>>>;

impl<J: Job + 'static> ChannelPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_threads(Self::with_options)
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread; the workers
    /// that had been started have ended.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        let (jobs, queued) = bounded(config.bound().get());
        let (results, collected) = for_jobs::<J>();
        let mut pool = Self::with_channels(config, jobs, collected);
        for index in 0..config.workers().get() {
            let (queued, results) = (queued.clone(), results.clone());
            let intake = Arc::clone(&pool.intake);
            let run = move |_id, ticket| intake.run(ticket);
            let work = move || worker(index + 1, queued, results, run);
            // On an error the pool is dropped: closed, and its workers joined.
            pool.workers.push(threads.spawn("worker", index, work)?);
        }
        Ok(pool)
    }
}

impl<J: Job> ChannelPool<J> {
    /// A pool for the length of a call, whose jobs may borrow from the
    /// caller. Returns what `body` returns, after every accepted job has run.
    /// Its threads have neither names nor hooks.
    ///
    /// ```
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::{Config, WorkerPoolExt};
    ///
    /// let words = ["many", "hands"].map(String::from);
    /// let letters = ChannelPool::scope(Config::default(), |pool| {
    ///     let mut letters = 0;
    ///     let jobs = words.iter().map(|word| move || word.len());
    ///     pool.run_all(jobs, |c| letters += c.done().unwrap_or(0)).unwrap();
    ///     letters
    /// });
    /// assert_eq!(letters, 9);
    /// ```
    ///
    /// # Panics
    ///
    /// When `body` panics, or when the system refuses a thread.
    pub fn scope<T>(config: Config, body: impl FnOnce(&Self) -> T) -> T {
        thread::scope(|scope| {
            let (jobs, queued) = bounded(config.bound().get());
            let (results, collected) = for_jobs::<J>();
            // Dropped at the end of `body`, also when it panics: that closes
            // it, and the workers end.
            let pool = Self::with_channels(config, jobs, collected);
            for id in 1..=config.workers().get() {
                let (queued, results) = (queued.clone(), results.clone());
                let intake = Arc::clone(&pool.intake);
                let run = move |_id, ticket| intake.run(ticket);
                scope.spawn(move || worker(id, queued, results, run));
            }
            drop((queued, results));
            body(&pool)
        })
    }

    fn with_channels(
        config: Config,
        jobs: Sender<Ticket<J>>,
        results: results::Receiver<Completion<J>>,
    ) -> Self {
        let intake = Arc::new(Intake::new(jobs, config));
        Self { intake, results, config, workers: Vec::new() }
    }
}

/// `jobs <- job`
fn send<J>(jobs: &mut Sender<Ticket<J>>, ticket: Ticket<J>) -> Result<(), J> {
    jobs.try_send(ticket).map_err(|refused| refused.into_inner().job)
}

impl<J: Job> WorkerPool<J> for ChannelPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.intake.enter(job, send)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.intake.try_enter(job, send)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv_when(|| self.intake.enough())
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        let enough = || self.intake.enough();
        self.results.recv_many_when(into, max, enough)
    }

    /// `close(jobs)`
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

impl<J: Job> Drop for ChannelPool<J> {
    fn drop(&mut self) {
        self.close();
        join_all(self.workers.drain(..));
    }
}

impl<J: Job> fmt::Debug for ChannelPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelPool")
            .field("config", &self.config)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
