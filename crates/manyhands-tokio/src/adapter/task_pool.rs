//! [`worker`] over tickets, with `run_one_async` as the work.

use std::fmt;
use std::mem::take;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use async_channel::{Sender, bounded};
use manyhands_core::{
    AsyncJob, BuildError, Builder, Closed, Completion, Config, Intake, Job,
    JobId, Outcome, Ticket, TrySubmitError, WorkerPool,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::home::Home;
use super::promise::Promise;
use crate::results::{self, Receiver};
use crate::worker;

/// Async workers under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool): as many tasks as there are
/// workers, which take jobs from one channel.
///
/// - **Bound**: workers + queue, exactly.
/// - **Order**: jobs are taken up in the order of their ids.
/// - **Threads**: as many as the machine has cores, or workers, if these are
///   fewer. A job that waits holds a worker and no thread.
/// - **Cancel**: jobs that are queued come back as the workers reach them. A
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
/// the same, `pool.submit(job)` would be one thing for a `TaskPool` and
/// another for whatever takes any pool.
///
/// The trait's methods work there too, and block the thread.
pub struct TaskPool<J: Job> {
    entry: Arc<Entry<J>>,
    results: Receiver<Completion<J>>,
    config: Config,
    /// The workers' tasks.
    workers: JoinSet<()>,
    home: Home,
}

/// What submitters and workers share.
struct Entry<J> {
    /// The way in is the jobs channel. It has a place for every job that the
    /// intake lets in, so sending never waits; who waits, waits at the
    /// intake, as a thread, or for `place`, as a task.
    intake: Intake<Sender<Ticket<J>>>,
    /// Notified of each place that becomes free, and of the close.
    place: Notify,
}

impl<J: AsyncJob + 'static> TaskPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(Self::new)
    }

    /// Starts a runtime and the workers on it.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread; then nothing
    /// is left running. This is best effort. Tokio does not survive such a
    /// refusal: it panics, and may hang while it does. So as many threads as
    /// the runtime will have are started and ended before it is built; if the
    /// system grants these and then refuses the runtime's own, because others
    /// took the room in between, tokio fails as it does.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Ok(Self::start(Home::own(config)?, config))
    }

    /// Starts the workers on a runtime of the caller's.
    ///
    /// Nothing can fail, and no thread is started. What differs from a pool
    /// with a runtime of its own:
    ///
    /// - **Drop** waits only where that cannot keep the runtime from its
    ///   work: not on the runtime itself, and never for a current-thread
    ///   runtime, which runs only while somebody blocks on it. Where it does
    ///   not wait, accepted jobs go on without the pool.
    /// - **The trait's waiting methods** (`submit`, `recv` and their batches),
    ///   called on the runtime, let its other tasks move to another thread
    ///   while they block. On a current-thread runtime, and in a `LocalSet`,
    ///   there is no other thread: where they would have to wait, they panic,
    ///   as tokio's own blocking calls do. Beside a current-thread runtime
    ///   they wait for as long as nobody runs it. `submit_async` and
    ///   `recv_async` work everywhere.
    /// - **A runtime that is shut down** closes the pool. Jobs that had not
    ///   started come back as cancelled, those that were running are reported
    ///   as panicked.
    ///
    /// ```
    /// use manyhands_core::{Config, WorkerPool};
    /// use manyhands_tokio::{Async, TaskPool};
    /// use tokio::runtime::{Builder, Handle};
    ///
    /// let runtime = Builder::new_current_thread().build()?;
    /// runtime.block_on(async {
    ///     let pool = TaskPool::on(&Handle::current(), Config::default());
    ///     pool.submit_async(Async(async || 6 * 7)).await.unwrap();
    ///     pool.close();
    ///     let answer = pool.recv_async().await.and_then(|c| c.done());
    ///     assert_eq!(answer, Some(42));
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on(runtime: &Handle, config: Config) -> Self {
        Self::start(Home::of(runtime), config)
    }

    fn start(home: Home, config: Config) -> Self {
        let (jobs, queued) = bounded(config.bound().get());
        let (results, collected) = results::for_jobs::<J>();
        let intake = Intake::new(jobs, config.bound());
        let entry = Arc::new(Entry { intake, place: Notify::new() });
        let mut workers = JoinSet::new();
        for id in 1..=config.workers().get() {
            let shift = Shift {
                entry: Arc::clone(&entry),
                queued: queued.clone(),
                results: results.clone(),
            };
            let run = async move |_id, ticket| shift.run(ticket).await;
            let worker = worker(id, queued.clone(), results.clone(), run);
            workers.spawn_on(worker, home.handle());
        }
        Self { entry, results: collected, config, workers, home }
    }
}

impl<J: Job> TaskPool<J> {
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

/// `jobs <- job`
fn send<J>(jobs: &mut Sender<Ticket<J>>, ticket: Ticket<J>) -> Result<(), J> {
    jobs.try_send(ticket).map_err(|refused| refused.into_inner().job)
}

impl<J: AsyncJob> WorkerPool<J> for TaskPool<J> {
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
        drop(self.entry.intake.cancel());
        self.entry.place.notify_waiters();
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

impl<J: Job> Drop for TaskPool<J> {
    fn drop(&mut self) {
        self.entry.close();
        self.home.end([take(&mut self.workers)]);
    }
}

impl<J: Job> Entry<J> {
    fn close(&self) {
        drop(self.intake.close());
        self.place.notify_waiters();
    }
}

/// What a worker works with.
struct Shift<J: Job> {
    entry: Arc<Entry<J>>,
    queued: async_channel::Receiver<Ticket<J>>,
    results: results::Sender<Completion<J>>,
}

impl<J: AsyncJob> Shift<J> {
    async fn run(&self, ticket: Ticket<J>) -> Completion<J> {
        let lost = |completion| self.results.send(completion);
        let promise = Promise::new(ticket, lost);
        let completion = promise.keep(&self.entry.intake).await;
        self.entry.place.notify_one();
        completion
    }
}

/// A worker ends when the pool is closed and its queue empty, or with a
/// runtime that is shut down under it. Then nobody is left for what is
/// queued, nor for what might still come.
impl<J: Job> Drop for Shift<J> {
    fn drop(&mut self) {
        self.entry.close();
        while let Ok(Ticket { id, job }) = self.queued.try_recv() {
            let outcome = Outcome::Cancelled(job);
            self.results.send(Completion { id, outcome });
        }
    }
}

impl<J: Job> fmt::Debug for TaskPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskPool")
            .field("config", &self.config)
            .field("intake", &self.entry.intake)
            .finish_non_exhaustive()
    }
}
