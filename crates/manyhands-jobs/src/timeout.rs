//! An async job that is dropped at its time limit.

use std::fmt;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::{AsyncJob, Job};
use tokio::runtime::{Builder, Handle};
use tokio::time::{timeout, timeout_at};

use crate::limit::Limit;

/// An async job with a time limit: when that is over, its future is dropped.
///
/// ```
/// use std::future::pending;
/// use std::time::Duration;
///
/// use manyhands::tokio::{Async, TaskPool};
/// use manyhands_core::{BuildError, WorkerPool};
/// use manyhands_jobs::{Elapsed, Timeout};
///
/// let pool = TaskPool::builder().build()?;
/// let never = Async(|| pending::<()>());
/// pool.submit(Timeout::new(Duration::from_millis(1), never)).unwrap();
/// assert_eq!(pool.recv().unwrap().done(), Some(Err(Elapsed)));
/// # Ok::<(), BuildError>(())
/// ```
///
/// The limit of [`new`](Self::new) counts from the start of the job: its time
/// in the queue is not part of it. [`until`](Self::until) is a moment, whenever
/// the job starts; beside an [`Expiring`](crate::Expiring) job with the same
/// one, the time in the queue counts, and what is late already is not begun.
///
/// A future can be dropped where it awaits. One that blocks its thread or
/// computes is at its end before the limit is looked at, and one that is ready
/// when it is first polled has answered in time, however short the limit.
///
/// # Blocking
///
/// A closure that blocks cannot be dropped, so both faces run the job's async
/// one. On a pool of threads that is done on the worker, by a small runtime of
/// its own, which costs a runtime a job; and a thread, where the job is run
/// within async code, which may not block. For a closure that can look at the
/// time by itself there is [`Deadlined`](crate::Deadlined).
///
/// # Panics
///
/// If the job does; in a task, if the runtime has no timer enabled; on a
/// thread, if the system refuses a runtime what it needs.
#[derive(Clone)]
pub struct Timeout<J> {
    limit: Limit,
    job: J,
}

impl<J> Timeout<J> {
    /// A job that has this long from its start on.
    pub fn new(limit: Duration, job: J) -> Self {
        Self { limit: Limit::For(limit), job }
    }

    /// A job that has until this moment, whenever it starts.
    pub fn until(deadline: Instant, job: J) -> Self {
        Self { limit: Limit::Until(deadline), job }
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }
}

impl<J: AsyncJob> Job for Timeout<J> {
    type Output = Result<J::Output, Elapsed>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
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

impl<J: AsyncJob> AsyncJob for Timeout<J> {
    async fn run_async(self) -> Self::Output {
        let work = self.job.run_async();
        let limited = match self.limit {
            Limit::For(time) => timeout(time, work),
            Limit::Until(deadline) => timeout_at(deadline.into(), work),
        };
        limited.await.map_err(|_| Elapsed)
    }
}

impl<J> fmt::Debug for Timeout<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The time limit was over before the job was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not done within its time limit")
    }
}

impl std::error::Error for Elapsed {}
