//! A closure that is told when its time is over.

use std::fmt;
use std::time::{Duration, Instant};

use manyhands_core::{AsyncJob, CancelToken, Job};

use crate::limit::Limit;

/// A closure with a time limit that it keeps by itself.
///
/// A thread cannot be stopped from outside. So the closure is given a
/// [token](CancelToken) with a deadline, and looks at it where it can stop;
/// what it says then is its answer. One that never looks has no limit.
///
/// ```
/// use std::time::Duration;
/// use manyhands_core::{CancelToken, Cancelled, InlinePool, WorkerPool};
/// use manyhands_jobs::Deadlined;
///
/// fn sum(numbers: &[u64], token: &CancelToken) -> Result<u64, Cancelled> {
///     let mut sum = 0;
///     for some in numbers.chunks(1024) {
///         token.check()?;
///         sum += some.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
///
/// let pool = InlinePool::new();
/// for limit in [Duration::from_secs(60), Duration::ZERO] {
///     let numbers: Vec<u64> = (0..10_000).collect();
///     let job = Deadlined::new(limit, move |token| sum(&numbers, token));
///     pool.submit(job).unwrap();
/// }
/// assert_eq!(pool.recv().unwrap().done(), Some(Ok(49_995_000)));
/// assert_eq!(pool.recv().unwrap().done(), Some(Err(Cancelled)));
/// ```
///
/// The limit of [`new`](Self::new) counts from the start of the job: its time
/// in the queue is not part of it. [`until`](Self::until) is a moment, whenever
/// the job starts; beside an [`Expiring`](crate::Expiring) job with the same
/// one, the time in the queue counts, and what is late already is not begun.
///
/// The async face runs the closure where it is polled, as
/// [`Task`](manyhands_core::Task) does: it is for one that does not block. An
/// async job is ended from outside, by `Timeout`.
#[derive(Clone)]
pub struct Deadlined<F> {
    limit: Limit,
    parent: Option<CancelToken>,
    work: F,
}

impl<F> Deadlined<F> {
    /// A closure that has this long from its start on.
    pub fn new<T>(limit: Duration, work: F) -> Self
    where
        F: FnOnce(&CancelToken) -> T,
    {
        Self { limit: Limit::For(limit), parent: None, work }
    }

    /// A closure that has until this moment, whenever it starts.
    pub fn until<T>(deadline: Instant, work: F) -> Self
    where
        F: FnOnce(&CancelToken) -> T,
    {
        Self { limit: Limit::Until(deadline), parent: None, work }
    }

    /// The closure's token is a child of this one: it may be cancelled before
    /// its time is over.
    pub fn token(mut self, parent: &CancelToken) -> Self {
        self.parent = Some(parent.clone());
        self
    }

    /// The closure itself.
    pub fn into_inner(self) -> F {
        self.work
    }
}

impl<F, T> Job for Deadlined<F>
where
    F: FnOnce(&CancelToken) -> T + Send,
    T: Send,
{
    type Output = T;

    fn run(self) -> T {
        let parent = self.parent.unwrap_or_default();
        let token = match self.limit {
            Limit::For(time) => parent.child_for(time),
            Limit::Until(deadline) => parent.child_until(deadline),
        };
        (self.work)(&token)
    }
}

impl<F, T> AsyncJob for Deadlined<F>
where
    F: FnOnce(&CancelToken) -> T + Send,
    T: Send,
{
    async fn run_async(self) -> T {
        self.run()
    }
}

impl<F> fmt::Debug for Deadlined<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlined")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
