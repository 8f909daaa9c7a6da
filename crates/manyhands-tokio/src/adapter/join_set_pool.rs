//! A task a job under a semaphore: [`holding`] a permit, with `run_one_async`
//! as the work.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manyhands_core::{
    AsyncJob, BuildError, Builder, Closed, Completion, Config, Intake, Job,
    JobId, Ticket, TrySubmitError, WorkerPool, discard,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::JoinSet;

use super::block_on::block_on;
use super::home::Home;
use super::promise::Promise;
use crate::holding;
use crate::results::{self, Receiver, Sender};

/// Tasks under a semaphore, by the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool): no workers, a task a job, and
/// a permit for each.
///
/// - **Bound**: as many as there are workers. A job that waits for a worker
///   would be a task that waits for a permit, which is the trap of this
///   pattern, so there is no queue, and the queue of [`Config`] is not used.
/// - **Order**: jobs are accepted in the order in which their submitters came
///   to wait. A place that became free and is meant for the first of them
///   counts as taken. In which order the tasks start is the runtime's affair.
/// - **Threads**: as many as the machine has cores, or permits, if these are
///   fewer.
/// - **Cancel**: tasks that have not started come back as the runtime reaches
///   them. A running job goes on to its end.
/// - **Drop**: as with [`TaskPool`](crate::TaskPool).
///
/// # In async code
///
/// See [`TaskPool`](crate::TaskPool#in-async-code): the methods are the same.
pub struct JoinSetPool<J: Job> {
    permits: Arc<Semaphore>,
    /// Bounded by the permits. The way in is a sender for the job's way out:
    /// the results end when the pool is closed and the last job is done.
    intake: Arc<Intake<Sender<Completion<J>>>>,
    results: Receiver<Completion<J>>,
    /// The tasks of unfinished jobs, and some that have ended. Locked only to
    /// take a set out and to put it back, never while a task is started or
    /// joined, which may drop what is the user's: a job, on a runtime that
    /// was shut down, or the payload of a panic. So there are as many sets as
    /// submitters met, and they take turns.
    tasks: Mutex<VecDeque<JoinSet<()>>>,
    config: Config,
    home: Home,
}

impl<J: AsyncJob + 'static> JoinSetPool<J> {
    /// Sets workers, which are permits here, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(Self::new)
    }

    /// Starts a runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread, as far as that
    /// can be known beforehand; see [`TaskPool::new`](crate::TaskPool::new).
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Ok(Self::start(Home::own(config)?, config))
    }

    /// A pool on a runtime of the caller's, under the rules of
    /// [`TaskPool::on`](crate::TaskPool::on). A runtime that was shut down
    /// closes the pool at the next `submit`, if not before.
    pub fn on(runtime: &Handle, config: Config) -> Self {
        Self::start(Home::of(runtime), config)
    }

    fn start(home: Home, config: Config) -> Self {
        let (results, collected) = results::for_jobs::<J>();
        Self {
            permits: Arc::new(Semaphore::new(config.workers().get())),
            intake: Arc::new(Intake::unbounded(results)),
            results: collected,
            tasks: Mutex::new(VecDeque::new()),
            config,
            home,
        }
    }

    /// Submits a job. Waits, as a task, while the pool is at its bound.
    ///
    /// A future that is dropped before it is ready has taken no place, and
    /// its job was not accepted; one that is kept, and not polled, may hold
    /// up those who wait behind it.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the job, not run, once the pool is closed or
    /// cancelled; also when that happens while waiting.
    pub async fn submit_async(&self, job: J) -> Result<JobId, Closed<J>> {
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => self.spawn(permit, job),
            Err(_closed) => Err(Closed(job)),
        }
    }

    /// The next completion, in order of finishing. Waits for one, as a task.
    ///
    /// `None` when the pool is closed and every completion was received, and
    /// from then on for ever. Dropping the future takes no completion.
    pub async fn recv_async(&self) -> Option<Completion<J>> {
        self.results.recv().await
    }

    /// Makes the task for a job that has its permit.
    fn spawn(
        &self,
        permit: OwnedSemaphorePermit,
        job: J,
    ) -> Result<JobId, Closed<J>> {
        // With the sender, the job is accepted: as long as there is one, a
        // close in between changes nothing.
        let mut accepted = None;
        let id = self.intake.enter(job, |results, ticket| {
            accepted = Some((results.clone(), ticket));
            Ok(())
        })?;
        if let Some((results, ticket)) = accepted {
            let task = self.task(permit, ticket, results);
            let mut turn = Turn::take(&self.tasks);
            let tasks = turn.set.get_or_insert_default();
            while let Some(ended) = tasks.try_join_next() {
                discard(ended);
            }
            tasks.spawn_on(task, self.home.handle());
        }
        Ok(id)
    }

    fn task(
        &self,
        permit: OwnedSemaphorePermit,
        ticket: Ticket<J>,
        results: Sender<Completion<J>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let intake = Arc::clone(&self.intake);
        let lost = {
            let (intake, results) = (Arc::clone(&intake), results.clone());
            move |completion| {
                drop(intake.close());
                results.send(completion);
            }
        };
        let promise = Promise::new(ticket, lost);
        async move {
            let run = promise.keep(&intake);
            results.send(holding(permit, run).await);
        }
    }
}

impl<J: AsyncJob + 'static> WorkerPool<J> for JoinSetPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        match self.try_submit(job) {
            Ok(id) => Ok(id),
            Err(TrySubmitError::Closed(job)) => Err(Closed(job)),
            Err(TrySubmitError::Full(job)) => {
                self.home.wait(|| block_on(self.submit_async(job)))
            }
        }
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => Ok(self.spawn(permit, job)?),
            Err(TryAcquireError::NoPermits) => Err(TrySubmitError::Full(job)),
            Err(TryAcquireError::Closed) => Err(TrySubmitError::Closed(job)),
        }
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.home.recv(&self.results)
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        self.home.recv_many(&self.results, into, max)
    }

    fn close(&self) {
        drop(self.intake.close());
        self.permits.close();
    }

    fn cancel(&self) {
        drop(self.intake.cancel());
        self.permits.close();
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.intake.unfinished())
    }
}

impl<J: Job> Drop for JoinSetPool<J> {
    fn drop(&mut self) {
        drop(self.intake.close());
        self.permits.close();
        // Dropped as it is, a join set aborts its tasks.
        let sets = take(&mut *lock(&self.tasks));
        self.home.end(sets);
    }
}

/// A set of tasks, taken out of the others while it is used, and put back
/// whatever happens meanwhile.
struct Turn<'a> {
    sets: &'a Mutex<VecDeque<JoinSet<()>>>,
    /// `None` if all sets are in use.
    set: Option<JoinSet<()>>,
}

impl<'a> Turn<'a> {
    fn take(sets: &'a Mutex<VecDeque<JoinSet<()>>>) -> Self {
        Self { sets, set: lock(sets).pop_front() }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(self.sets).extend(self.set.take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<J: Job> fmt::Debug for JoinSetPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSetPool")
            .field("config", &self.config)
            .field("permits", &self.permits.available_permits())
            .finish_non_exhaustive()
    }
}
