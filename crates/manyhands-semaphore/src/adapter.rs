//! The pattern under the contract: a permit a ticket, with `run_one` as the
//! work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::results::{Receiver, Sender, for_jobs};
use manyhands_core::{
    Builder, Closed, Completion, Config, Intake, Job, JobId, Threads, Ticket,
    TrySubmitError, WorkerPool,
};

use crate::{AcquireError, Permit, Semaphore, spawn};

/// The semaphore under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: the permits, which are the workers. There is no queue, so
///   [`Builder::queue`] has no effect: a submitter that finds no permit waits.
/// - **Order**: places are given in the order in which submitters came to
///   wait. A place that is meant for one of them counts as taken.
/// - **Threads**: one a job, so its number varies between 0 and the workers,
///   and a few that are about to end. If the system refuses a thread, the job
///   runs on its submitter's, before `submit` or `try_submit` returns.
/// - **Drop**: closes, and joins the threads. Dropped by a job of its own, it
///   does not wait for that job's thread.
/// - **Cancel**: a job comes back if its thread had not begun it yet.
pub struct SemaphorePool<J: Job> {
    // Dropped first: waits until the jobs have ended.
    threads: Threads,
    semaphore: Semaphore,
    intake: Arc<Results<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
}

/// The way in is where each thread sends its result: the results end when the
/// pool is closed and the last thread has sent.
type Results<J> = Intake<Sender<Completion<J>>>;

impl<J: Job + 'static> SemaphorePool<J> {
    /// Sets the number of permits, as workers, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(|config| Ok(Self::new(config)))
    }

    /// An open pool. No thread is started before the first job.
    pub fn new(config: Config) -> Self {
        let (sender, results) = for_jobs::<J>();
        Self {
            threads: Threads::new(),
            semaphore: Semaphore::new(config.workers().get()),
            intake: Arc::new(Intake::unbounded(sender)),
            results,
            config,
        }
    }

    /// Accepts a job that has its permit, and starts its thread.
    fn start(&self, permit: Permit, job: J) -> Result<JobId, Closed<J>> {
        let mut accepted = None;
        let id = self.intake.enter(job, |results, ticket: Ticket<J>| {
            accepted = Some((results.clone(), ticket));
            Ok(())
        })?;
        if let Some((results, ticket)) = accepted {
            let intake = Arc::clone(&self.intake);
            spawn(&self.threads, permit, move |permit| {
                let completion = intake.run(ticket);
                // Whoever reads the completion finds the place free.
                drop(permit);
                results.send(completion);
            });
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
        self.intake.close();
    }

    fn cancel(&self) {
        self.semaphore.close();
        self.intake.cancel();
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
