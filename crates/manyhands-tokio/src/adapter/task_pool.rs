//! [`worker`] over tickets, with `run_one_async` as the work.

use manyhands_core::{AsyncJob, BuildError, Builder, Config, ThreadOptions};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::home::Home;
use super::pool::AsyncPool;
use super::shift::Shift;
use crate::worker;

/// Async workers under the contract: as many tasks as there are workers,
/// which take jobs from one channel.
///
/// What it does is what [`AsyncPool`] says; besides, jobs are taken up in the
/// order of their ids.
pub type TaskPool<J> = AsyncPool<J, Workers>;

/// The pattern of a [`TaskPool`].
#[derive(Debug)]
pub enum Workers {}

impl<J: AsyncJob + 'static> TaskPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_tasks(Self::with_options)
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
        Self::with_options(config, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        Ok(Self::start(
            Home::own(config, threads)?,
            config,
            |runtime, shift| employ(runtime, config, shift),
        ))
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
        Self::start(Home::of(runtime), config, |runtime, shift| {
            employ(runtime, config, shift)
        })
    }
}

/// Starts the workers.
fn employ<J: AsyncJob + 'static>(
    runtime: &Handle,
    config: Config,
    shift: &dyn Fn() -> Shift<J>,
) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for id in 1..=config.workers().get() {
        let shift = shift();
        let (queued, results) = (shift.queued.clone(), shift.results.clone());
        let run = async move |_id, ticket| {
            let mut promise = shift.promise(ticket);
            shift.entry.run(&mut promise).await
        };
        workers.spawn_on(worker(id, queued, results, run), runtime);
    }
    workers
}
