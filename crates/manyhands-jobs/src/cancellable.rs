//! A job that is not begun once a token is cancelled.

use std::fmt;

use manyhands_core::{AsyncJob, CancelToken, Cancelled, Job};

/// A job that is not begun once its token is cancelled: it comes back then.
///
/// To [cancel](manyhands_core::WorkerPool::cancel) a pool ends everything in
/// it. A token ends what it was given to: the jobs of one request in a pool
/// that all requests share.
///
/// ```
/// use manyhands_core::{CancelToken, InlinePool, WorkerPool};
/// use manyhands_jobs::{Cancellable, NotBegun};
///
/// let request = CancelToken::new();
/// let pool = InlinePool::new();
/// let job = || 6 * 7;
/// pool.submit(Cancellable::new(&request, job)).unwrap();
/// assert!(matches!(pool.recv().unwrap().done(), Some(Ok(42))));
///
/// request.cancel();
/// pool.submit(Cancellable::new(&request, job)).unwrap();
/// let Some(Err(NotBegun(job))) = pool.recv().unwrap().done() else {
///     panic!("it was begun");
/// };
/// assert_eq!(job(), 42);
/// ```
///
/// The token is looked at once, when a worker comes to the job. One that runs
/// is not interrupted: it has to [look](CancelToken::check) by itself.
#[derive(Clone)]
pub struct Cancellable<J> {
    token: CancelToken,
    job: J,
}

impl<J> Cancellable<J> {
    /// Wraps a job.
    pub fn new(token: &CancelToken, job: J) -> Self {
        Self { token: token.clone(), job }
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }

    /// The job, if it is to be begun.
    fn begin(self) -> Result<J, NotBegun<J>> {
        if self.token.is_cancelled() {
            Err(NotBegun(self.job))
        } else {
            Ok(self.job)
        }
    }
}

impl<J: Job> Job for Cancellable<J> {
    type Output = Result<J::Output, NotBegun<J>>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        Ok(self.begin()?.run())
    }
}

impl<J: AsyncJob> AsyncJob for Cancellable<J> {
    async fn run_async(self) -> Self::Output {
        Ok(self.begin()?.run_async().await)
    }
}

impl<J> fmt::Debug for Cancellable<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancellable(..)")
    }
}

/// The job was not begun, since its token is cancelled; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NotBegun<J>(pub J);

impl<J> NotBegun<J> {
    /// The job.
    pub fn into_inner(self) -> J {
        self.0
    }
}

/// For the `?` of whoever has no use for the job.
impl<J> From<NotBegun<J>> for Cancelled {
    fn from(_: NotBegun<J>) -> Self {
        Self
    }
}

impl<J> fmt::Debug for NotBegun<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotBegun(..)")
    }
}

impl<J> fmt::Display for NotBegun<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled before it was begun")
    }
}

impl<J> std::error::Error for NotBegun<J> {}
