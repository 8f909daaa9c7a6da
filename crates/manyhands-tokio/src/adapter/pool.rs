//! What the pools of both patterns are.

use std::fmt;
use std::marker::PhantomData;
use std::mem::take;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use async_channel::bounded;
use manyhands_core::{
    AsyncJob, Closed, Completion, Config, Intake, Job, JobId, TrySubmitError,
    WorkerPool,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::home::Home;
use super::shift::{Entry, Shift, send};
use crate::results::{self, Receiver};

/// A pool of tasks under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool), by either pattern: a
/// [`TaskPool`](crate::TaskPool) or a [`JoinSetPool`](crate::JoinSetPool).
///
/// - **Bound**: workers + queue, exactly.
/// - **Threads**: as many as the machine has cores, or workers, if these are
///   fewer. A job that waits holds a worker and no thread. What the builder
///   says of threads is for all of a runtime that the pool makes, also those
///   of [`Blocking`](crate::Blocking) jobs; their name has no number. A pool
///   on a runtime of the caller's has nothing to say about its threads.
/// - **Cancel**: jobs that are queued come back as the tasks reach them. A
///   running job goes on to its end.
/// - **Drop**: closes, waits for accepted jobs, ends the runtime; anywhere,
///   also in async code, where it blocks the thread all the same. To wait
///   without blocking, close and [`recv_async`](Self::recv_async) until it
///   says `None`. Dropped by a job of its own, on its own runtime, the pool
///   does not wait: a thread in the background does.
///
/// # In async code
///
/// [`submit_async`](Self::submit_async) and
/// [`recv_async`](Self::recv_async) wait without blocking. `submit` and
/// `recv` are the names of the trait's methods, which block; were these called
/// the same, `pool.submit(job)` would be one thing for a pool of tasks and
/// another for whatever takes any pool.
///
/// The trait's methods work there too, and block the thread.
pub struct AsyncPool<J: Job, P> {
    entry: Arc<Entry<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    /// Those that take jobs from the queue.
    tasks: JoinSet<()>,
    home: Home,
    pattern: PhantomData<fn() -> P>,
}

impl<J: AsyncJob + 'static, P> AsyncPool<J, P> {
    /// An open pool, for which `start` starts the tasks that take jobs from
    /// the queue. Each of them works with a shift of its own.
    pub(super) fn start(
        home: Home,
        config: Config,
        start: impl FnOnce(&Handle, &dyn Fn() -> Shift<J>) -> JoinSet<()>,
    ) -> Self {
        let (jobs, queued) = bounded(config.bound().get());
        let (results, collected) = results::for_jobs::<J>();
        let intake = Intake::new(jobs, config);
        let entry = Arc::new(Entry { intake, place: Notify::new() });
        let shift = || Shift {
            entry: Arc::clone(&entry),
            queued: queued.clone(),
            results: results.clone(),
        };
        let tasks = start(home.handle(), &shift);
        let pattern = PhantomData;
        Self { entry, results: collected, config, tasks, home, pattern }
    }
}

impl<J: Job, P> AsyncPool<J, P> {
    /// Submits a job. Waits, as a task, while the pool is at its bound.
    ///
    /// A future that is dropped before it is ready has taken no place, and
    /// its job was not accepted. Waiting tasks are woken in their order, but
    /// whoever comes just then may be quicker.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the job, not run, once the pool is closed or
    /// cancelled; also when that happens while waiting.
    pub async fn submit_async(&self, job: J) -> Result<JobId, Closed<J>> {
        let mut job = match self.enter(job) {
            Err(TrySubmitError::Full(job)) => job,
            Err(TrySubmitError::Closed(job)) => return Err(Closed(job)),
            Ok(id) => return Ok(id),
        };
        loop {
            // Asked for before the next look, so that a place which becomes
            // free in between is not missed.
            let mut place = pin!(self.entry.place.notified());
            place.as_mut().enable();
            job = match self.enter(job) {
                Err(TrySubmitError::Full(job)) => job,
                Err(TrySubmitError::Closed(job)) => return Err(Closed(job)),
                Ok(id) => return Ok(id),
            };
            place.await;
        }
    }

    /// The next completion, in order of finishing. Waits for one, as a task.
    ///
    /// `None` when the pool is closed and every completion was received, and
    /// from then on for ever. Dropping the future takes no completion.
    pub async fn recv_async(&self) -> Option<Completion<J>> {
        self.results.recv().await
    }

    fn enter(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.entry.intake.try_enter(job, send)
    }
}

impl<J: AsyncJob, P> WorkerPool<J> for AsyncPool<J, P> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        match self.enter(job) {
            Ok(id) => Ok(id),
            Err(TrySubmitError::Closed(job)) => Err(Closed(job)),
            Err(TrySubmitError::Full(job)) => {
                self.home.wait(|| self.entry.intake.enter(job, send))
            }
        }
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.enter(job)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.home.recv(&self.results)
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.home.recv_many(&self.results, into, max)
    }

    /// `close(jobs)`
    fn close(&self) {
        self.entry.close();
    }

    fn cancel(&self) {
        self.entry.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.bound()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.entry.intake.unfinished())
    }
}

impl<J: Job, P> Drop for AsyncPool<J, P> {
    fn drop(&mut self) {
        self.entry.close();
        self.home.end(take(&mut self.tasks));
    }
}

impl<J: Job, P> fmt::Debug for AsyncPool<J, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncPool")
            .field("config", &self.config)
            .field("intake", &self.entry.intake)
            .finish_non_exhaustive()
    }
}
