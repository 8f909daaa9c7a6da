//! Jobs for pools of tasks: a future, and what must not be one.

use std::fmt;
use std::panic::resume_unwind;
use std::thread;

use manyhands_core::{AsyncJob, Job};
use tokio::runtime::{Builder, Handle};
use tokio::task::spawn_blocking;

/// An async closure as a job.
///
/// ```
/// use std::time::Duration;
/// use manyhands_core::{Config, WorkerPool};
/// use manyhands_tokio::{Async, TaskPool};
///
/// let pool = TaskPool::new(Config::default())?;
/// for n in 1..=3u64 {
///     let job = Async(move || async move {
///         tokio::time::sleep(Duration::from_millis(n)).await;
///         n
///     });
///     pool.submit(job).unwrap();
/// }
/// pool.close();
/// assert_eq!(std::iter::from_fn(|| pool.recv()).count(), 3);
/// # Ok::<(), manyhands_core::BuildError>(())
/// ```
///
/// On a pool of threads the future is run to its end on the job's thread, by
/// a small runtime of its own, so that timers work there too. That costs a
/// runtime a job; and a thread, where the job is run within async code, which
/// may not block.
#[derive(Clone, Copy)]
pub struct Async<F>(pub F);

impl<F, T> Job for Async<F>
where
    F: FnOnce() -> T + Send,
    T: Future<Output: Send> + Send,
{
    type Output = T::Output;

    /// # Panics
    ///
    /// If the future does, or if the system refuses the runtime what it
    /// needs.
    fn run(self) -> T::Output {
        let run = || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("the system has room for a runtime");
            runtime.block_on(self.run_async())
        };
        if Handle::try_current().is_err() {
            return run();
        }
        thread::scope(|scope| {
            scope.spawn(run).join().unwrap_or_else(|p| resume_unwind(p))
        })
    }
}

impl<F, T> AsyncJob for Async<F>
where
    F: FnOnce() -> T + Send,
    T: Future<Output: Send> + Send,
{
    async fn run_async(self) -> T::Output {
        (self.0)().await
    }
}

/// Any job as a job for a pool of tasks: run on one of the runtime's blocking
/// threads, where it keeps no task waiting.
///
/// ```
/// use manyhands_core::{Config, Spawn, Task};
/// use manyhands_tokio::{Blocking, TaskPool};
///
/// let pool = TaskPool::<Blocking<Task<'static>>>::new(Config::default())?;
/// let manifest = pool.spawn(|| std::fs::read_to_string("Cargo.toml"));
/// assert!(manifest.unwrap().join().unwrap().is_ok());
/// # Ok::<(), manyhands_core::BuildError>(())
/// ```
///
/// A pool with a runtime of its own has as many blocking threads as it has
/// workers, or more, so that none of these jobs waits for another's thread.
/// On a caller's runtime, see that its `max_blocking_threads` allows for it.
///
/// Cost: one allocation a job, and two changes of thread.
#[derive(Clone, Copy)]
pub struct Blocking<J>(pub J);

impl<J> From<J> for Blocking<J> {
    fn from(job: J) -> Self {
        Self(job)
    }
}

impl<J: Job> Job for Blocking<J> {
    type Output = J::Output;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> J::Output {
        self.0.run()
    }
}

impl<J: Job + 'static> AsyncJob for Blocking<J> {
    /// # Panics
    ///
    /// If the job does, or if the runtime is shut down before it starts.
    async fn run_async(self) -> J::Output {
        match spawn_blocking(move || self.0.run()).await {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(cancelled) => panic!("the job was not run: {cancelled}"),
            },
        }
    }
}

impl<F> fmt::Debug for Async<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Async(..)")
    }
}

impl<J> fmt::Debug for Blocking<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking(..)")
    }
}
