//! A job that is not begun when it has waited too long.

use std::fmt;
use std::time::{Duration, Instant};

use manyhands_core::{AsyncJob, Job};

/// A job that has waited too long is not begun: it comes back.
///
/// The clock runs from the moment that the job is made, which is when it is
/// submitted. In a service that falls behind, whoever asked has gone by the
/// time that a worker comes to an old job; to do it all the same makes the
/// next ones late too.
///
/// ```
/// use std::time::Duration;
/// use manyhands_core::{InlinePool, WorkerPool};
/// use manyhands_jobs::{Expired, Expiring};
///
/// let pool = InlinePool::new();
/// let job = || "an answer";
/// pool.submit(Expiring::new(Duration::from_secs(60), job)).unwrap();
/// assert!(matches!(pool.recv().unwrap().done(), Some(Ok("an answer"))));
///
/// pool.submit(Expiring::new(Duration::ZERO, job)).unwrap();
/// let Some(Err(Expired(job))) = pool.recv().unwrap().done() else {
///     panic!("it was begun");
/// };
/// assert_eq!(job(), "an answer");
/// ```
///
/// A job that was begun in time runs to its end, however long that takes. To
/// end it at the same deadline, have a [`Deadlined`](crate::Deadlined) job
/// in it, or a `Timeout`, with the same [`until`](Self::until).
///
/// Cost: two readings of the clock, and an `Instant` a job.
#[derive(Clone)]
pub struct Expiring<J> {
    /// `None`: beyond what the clock can say.
    deadline: Option<Instant>,
    job: J,
}

impl<J> Expiring<J> {
    /// A job that is to be begun within this time from now on.
    pub fn new(limit: Duration, job: J) -> Self {
        Self { deadline: Instant::now().checked_add(limit), job }
    }

    /// A job that is to be begun before this moment.
    pub fn until(deadline: Instant, job: J) -> Self {
        Self { deadline: Some(deadline), job }
    }

    /// The moment before which it is to be begun; `None` for a limit beyond
    /// what the clock can say.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }

    /// The job, if it is to be begun.
    fn begin(self) -> Result<J, Expired<J>> {
        if self.deadline.is_some_and(|it| Instant::now() >= it) {
            Err(Expired(self.job))
        } else {
            Ok(self.job)
        }
    }
}

impl<J: Job> Job for Expiring<J> {
    type Output = Result<J::Output, Expired<J>>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        Ok(self.begin()?.run())
    }
}

impl<J: AsyncJob> AsyncJob for Expiring<J> {
    async fn run_async(self) -> Self::Output {
        Ok(self.begin()?.run_async().await)
    }
}

impl<J> fmt::Debug for Expiring<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiring")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The job had waited too long and was not begun; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expired<J>(pub J);

impl<J> Expired<J> {
    /// The job.
    pub fn into_inner(self) -> J {
        self.0
    }
}

impl<J> fmt::Debug for Expired<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expired(..)")
    }
}

impl<J> fmt::Display for Expired<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expired before it was begun")
    }
}

impl<J> std::error::Error for Expired<J> {}
