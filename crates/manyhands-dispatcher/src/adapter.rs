//! The pattern under the contract: the queue over tickets, with `run_one` as
//! the processing.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use manyhands_core::results::{Receiver, for_jobs};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    Ticket, TrySubmitError, WorkerPool,
};

use crate::JobQueue;

/// The dispatcher's queue under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly; the job in the dispatcher's hand is
///   one of the queue.
/// - **Order**: jobs are handed out in the order of their ids.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it waits for nothing.
/// - **Cancel**: jobs that are queued come back as the workers reach them.
pub struct DispatcherPool<J: Job + 'static> {
    intake: Arc<Jobs<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    job_queue: JobQueue<Ticket<J>>,
}

/// The way in is the internal queue. It has a place for every job that the
/// intake lets in, so sending never waits: submitters wait at the intake.
type Jobs<J> = Intake<Sender<Ticket<J>>>;

impl<J: Job + 'static> DispatcherPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(Self::new)
    }

    /// Starts the workers and the dispatcher.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread; those that had
    /// been started have ended.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        let (internal_queue, queued) = bounded(config.bound().get());
        let (sender, results) = for_jobs::<J>();
        let intake = Arc::new(Intake::new(internal_queue, config.bound()));
        let process = {
            let intake = Arc::clone(&intake);
            move |ticket| sender.send(intake.run(ticket))
        };
        let workers = config.workers().get();
        let job_queue = JobQueue::processing(workers, queued, process);
        job_queue.start()?;
        Ok(Self { intake, results, config, job_queue })
    }
}

/// `q.internalQueue <- job`
fn send<J>(queue: &mut Sender<Ticket<J>>, ticket: Ticket<J>) -> Result<(), J> {
    queue.try_send(ticket).map_err(|refused| refused.into_inner().job)
}

impl<J: Job + 'static> WorkerPool<J> for DispatcherPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.intake.enter(job, send)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.intake.try_enter(job, send)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.results.recv_many(into, max)
    }

    /// The dispatcher hears of it as the end of its queue, which it reaches
    /// after the last accepted job.
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

impl<J: Job + 'static> Drop for DispatcherPool<J> {
    fn drop(&mut self) {
        self.close();
        self.job_queue.stop();
    }
}

impl<J: Job + 'static> fmt::Debug for DispatcherPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatcherPool")
            .field("config", &self.config)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
