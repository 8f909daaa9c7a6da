//! The pattern under the contract: the struct over tickets, with `run_one` as
//! the work, and a thread that waits and closes as the tutorial's `main` does.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use manyhands_core::results::{Receiver, for_jobs};
use manyhands_core::sync::thread::{self, JoinHandle, ThreadId};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    ThreadOptions, Ticket, TrySubmitError, WorkerPool, join_all,
};

/// The struct pool under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly.
/// - **Order**: jobs are taken up in the order of their ids.
/// - **Results**: can be read at once; while the queue is full by half a
///   reader is woken for a row of them, a tenth of a millisecond late at most.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it waits for nothing.
/// - **Cancel**: jobs that are queued come back as the workers reach them.
pub struct WaitGroupPool<J: Job> {
    intake: Arc<Jobs<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    /// Waits for the workers and closes the results.
    closer: Option<JoinHandle<()>>,
    /// The threads that must not wait for the closer, which waits for them.
    workers: Vec<ThreadId>,
}

/// The way in is the jobs channel. It has a place for every job that the
/// intake lets in, so sending never waits: submitters wait at the intake.
type Jobs<J> = Intake<Sender<Ticket<J>>>;

impl<J: Job + 'static> WaitGroupPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_threads(Self::with_options)
    }

    /// Starts the workers.
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
        let (sender, results) = for_jobs::<J>();
        let (mut wp, jobs) = crate::WorkerPool::with_results(
            config.workers().get(),
            config.bound().get(),
            sender,
        );
        wp.threads = threads;
        let intake = Arc::new(Intake::new(jobs, config));

        // The closer first: it can still be sent home when a worker fails.
        let (hand, pool) = bounded::<crate::WorkerPool<_, _>>(1);
        let closer =
            thread::Builder::new().name("closer".into()).spawn(move || {
                if let Ok(wp) = pool.recv() {
                    wp.wait();
                }
            })?;

        let run = {
            let intake = Arc::clone(&intake);
            move |_id, ticket| intake.run(ticket)
        };
        let started = wp.start_workers(run);
        let workers = wp.workers.iter().map(|w| w.thread().id()).collect();
        let closed = hand.send(wp).is_err();
        debug_assert!(!closed, "the closer waits for its pool");

        // On an error this is dropped: closed, and every thread joined.
        let closer = Some(closer);
        let pool = Self { intake, results, config, closer, workers };
        started?;
        Ok(pool)
    }
}

/// `wp.jobs <- job`
fn send<J>(jobs: &mut Sender<Ticket<J>>, ticket: Ticket<J>) -> Result<(), J> {
    jobs.try_send(ticket).map_err(|refused| refused.into_inner().job)
}

impl<J: Job> WorkerPool<J> for WaitGroupPool<J> {
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

    /// `close(wp.jobs)`
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

impl<J: Job> Drop for WaitGroupPool<J> {
    fn drop(&mut self) {
        self.close();
        if !self.workers.contains(&thread::current().id()) {
            join_all(self.closer.take());
        }
    }
}

impl<J: Job> fmt::Debug for WaitGroupPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroupPool")
            .field("config", &self.config)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
