//! The pattern under the contract: the queue over tickets, with `run_one` as
//! the processing.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use manyhands_core::results::{Receiver, for_jobs};
use manyhands_core::sync::lock;
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    ThreadOptions, Ticket, TrySubmitError, WorkerPool,
};

use crate::{Dispatcher, JobQueue};

/// The dispatcher's queue under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly.
/// - **Order**: jobs are handed out in the order of their ids.
/// - **Results**: can be read at once; while the queue is full by half a
///   reader is woken for a row of them, a tenth of a millisecond late at most.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it waits for nothing.
/// - **Cancel**: jobs that are queued come back as the workers reach them.
pub struct DispatcherPool<J: Job + 'static> {
    intake: Arc<Intake<WayIn<J>>>,
    results: Receiver<Completion<J>>,
    config: Config,
    job_queue: JobQueue<Ticket<J>>,
}

/// The way in is the dispatcher, who takes every job that the intake lets in:
/// submitters wait at the intake. Dropped, it stops the queue.
struct WayIn<J>(Arc<Dispatcher<Ticket<J>>>);

type HandOver<'a, J> =
    dyn FnMut(&mut WayIn<J>, Ticket<J>) -> Result<(), J> + 'a;

impl<J> Drop for WayIn<J> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl<J: Job + 'static> DispatcherPool<J> {
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
        let dispatcher = Arc::new(Dispatcher::new());
        let way_in = WayIn(Arc::clone(&dispatcher));
        let intake = Arc::new(Intake::new(way_in, config));
        let (sender, results) = for_jobs::<J>();
        let process = {
            let intake = Arc::clone(&intake);
            move |ticket| sender.send(intake.run(ticket))
        };
        let workers = config.workers().get();
        let mut job_queue = JobQueue::processing(workers, dispatcher, process);
        job_queue.options = threads;
        job_queue.start_with_places(config.bound().get())?;
        Ok(Self { intake, results, config, job_queue })
    }

    /// Submits a job by `enter`, a method of the intake, and has a worker
    /// woken for it if need be, once the intake is not locked any more.
    fn send<E>(
        &self,
        enter: impl FnOnce(&mut HandOver<'_, J>) -> Result<JobId, E>,
    ) -> Result<JobId, E> {
        let mut wake = false;
        // `q.internalQueue <- job`
        let id = enter(&mut |WayIn(dispatcher), ticket| {
            let desk = lock(&dispatcher.desk);
            let taken = dispatcher.enqueue(desk, ticket);
            wake = taken.map_err(|ticket| ticket.job)?;
            Ok(())
        })?;
        if wake {
            self.job_queue.dispatcher.wake();
        }
        Ok(id)
    }
}

impl<J: Job + 'static> WorkerPool<J> for DispatcherPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.send(|hand_over| self.intake.enter(job, hand_over))
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.send(|hand_over| self.intake.try_enter(job, hand_over))
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv_when(|| self.intake.enough())
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        let enough = || self.intake.enough();
        self.results.recv_many_when(into, max, enough)
    }

    /// The dispatcher hears of it as the end of its queue, which it reaches
    /// after the last accepted job.
    fn close(&self) {
        drop(self.intake.close());
    }

    fn cancel(&self) {
        drop(self.intake.cancel());
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
