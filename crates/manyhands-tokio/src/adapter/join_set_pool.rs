//! A task a job under a permit, over tickets.

use std::sync::Arc;

use manyhands_core::{
    AsyncJob, BuildError, Builder, Config, ThreadOptions, discard,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::home::Home;
use super::pool::AsyncPool;
use super::shift::Shift;

/// Tasks under a semaphore, by the contract: no workers, a task a job, and a
/// permit for each.
///
/// A job that waits for a permit is a value in a queue and not yet a task:
/// the one task that takes jobs from there waits for a permit before it makes
/// the next. It runs where the tasks run; to make each of them from outside,
/// by whoever submits, takes many times as long.
///
/// What it does is what [`AsyncPool`] says, with a permit for each worker.
/// Jobs are taken from the queue in the order of their ids; in which order the
/// tasks start is the runtime's affair.
pub type JoinSetPool<J> = AsyncPool<J, TaskAJob>;

/// The pattern of a [`JoinSetPool`].
#[derive(Debug)]
pub enum TaskAJob {}

impl<J: AsyncJob + 'static> JoinSetPool<J> {
    /// Sets workers, which are permits here, and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_tasks(Self::with_options)
    }

    /// Starts a runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread, as far as that
    /// can be known beforehand; see [`TaskPool::new`](crate::TaskPool::new).
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        Ok(Self::start(
            Home::own(config, threads)?,
            config,
            |runtime, shift| begin(runtime, config, shift),
        ))
    }

    /// A pool on a runtime of the caller's, under the rules of
    /// [`TaskPool::on`](crate::TaskPool::on).
    pub fn on(runtime: &Handle, config: Config) -> Self {
        Self::start(Home::of(runtime), config, |runtime, shift| {
            begin(runtime, config, shift)
        })
    }
}

/// Starts the task that makes the others.
fn begin<J: AsyncJob + 'static>(
    runtime: &Handle,
    config: Config,
    shift: &dyn Fn() -> Shift<J>,
) -> JoinSet<()> {
    let permits = Arc::new(Semaphore::new(config.workers().get()));
    let mut one = JoinSet::new();
    one.spawn_on(spawn_all(shift(), permits), runtime);
    one
}

/// Makes a task of each job, as permits allow, and waits for the last.
///
/// [`spawn`](crate::spawn) takes the work as a future, which would then have
/// its room in the task twice: where it came in, and where it is awaited.
async fn spawn_all<J: AsyncJob + 'static>(
    shift: Shift<J>,
    permits: Arc<Semaphore>,
) {
    let mut tasks = JoinSet::new();
    while let Ok(ticket) = shift.queued.recv().await {
        let (mut promise, entry) =
            (shift.promise(ticket), Arc::clone(&shift.entry));
        let results = shift.results.clone();
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            unreachable!("nobody closes the semaphore")
        };
        tasks.spawn(async move {
            let completion = entry.run(&mut promise).await;
            drop(permit);
            results.send(completion);
        });
        while let Some(ended) = tasks.try_join_next() {
            discard(ended);
        }
    }
    while let Some(ended) = tasks.join_next().await {
        discard(ended);
    }
}
