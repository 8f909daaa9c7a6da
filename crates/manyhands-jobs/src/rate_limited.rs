//! A job that waits for its turn before it starts.

use std::fmt;

use governor::clock::{Clock, DefaultClock};
#[cfg(feature = "tokio")]
use manyhands_core::AsyncJob;
use manyhands_core::{CancelToken, Job};

use crate::{NotBegun, StartRate};

/// A job that waits for its turn before it starts; made by
/// [`StartRate::job`].
pub struct RateLimited<J, C: Clock = DefaultClock> {
    rate: StartRate<C>,
    job: J,
}

impl<J, C: Clock> RateLimited<J, C> {
    pub(crate) fn new(rate: StartRate<C>, job: J) -> Self {
        Self { rate, job }
    }

    /// A job that waits no longer once the token is cancelled: it comes back,
    /// not begun, and takes no turn.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_core::{CancelToken, InlinePool, WorkerPool};
    /// use manyhands_jobs::{NotBegun, StartRate};
    ///
    /// let rate = StartRate::every(Duration::from_secs(3600));
    /// assert!(rate.try_start().is_ok());
    /// let token = CancelToken::new().child_for(Duration::from_millis(5));
    /// let pool = InlinePool::new();
    /// pool.submit(rate.job(|| 6 * 7).until(&token)).unwrap();
    /// let answer = pool.recv().unwrap().done();
    /// assert!(matches!(answer, Some(Err(NotBegun(_)))));
    /// ```
    pub fn until(self, token: &CancelToken) -> RateLimitedUntil<J, C> {
        RateLimitedUntil { token: token.clone(), limited: self }
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }
}

impl<J, C> Job for RateLimited<J, C>
where
    J: Job,
    C: Clock + Send + Sync,
{
    type Output = J::Output;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> J::Output {
        self.rate.start(None);
        self.job.run()
    }
}

#[cfg(feature = "tokio")]
impl<J, C> AsyncJob for RateLimited<J, C>
where
    J: AsyncJob,
    C: Clock + Send + Sync,
{
    async fn run_async(self) -> J::Output {
        self.rate.start_async(None).await;
        self.job.run_async().await
    }
}

/// A job that waits for its turn, unless its token is cancelled; see
/// [`RateLimited::until`].
pub struct RateLimitedUntil<J, C: Clock = DefaultClock> {
    token: CancelToken,
    limited: RateLimited<J, C>,
}

impl<J, C: Clock> RateLimitedUntil<J, C> {
    /// The job itself.
    pub fn into_inner(self) -> J {
        self.limited.job
    }
}

impl<J, C> Job for RateLimitedUntil<J, C>
where
    J: Job,
    C: Clock + Send + Sync,
{
    type Output = Result<J::Output, NotBegun<J>>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        let Self { token, limited: RateLimited { rate, job } } = self;
        if rate.start(Some(&token)) {
            Ok(job.run())
        } else {
            Err(NotBegun(job))
        }
    }
}

#[cfg(feature = "tokio")]
impl<J, C> AsyncJob for RateLimitedUntil<J, C>
where
    J: AsyncJob,
    C: Clock + Send + Sync,
{
    async fn run_async(self) -> Self::Output {
        let Self { token, limited: RateLimited { rate, job } } = self;
        if rate.start_async(Some(&token)).await {
            Ok(job.run_async().await)
        } else {
            Err(NotBegun(job))
        }
    }
}

impl<J: Clone, C: Clock> Clone for RateLimited<J, C> {
    fn clone(&self) -> Self {
        Self { rate: self.rate.clone(), job: self.job.clone() }
    }
}

impl<J: Clone, C: Clock> Clone for RateLimitedUntil<J, C> {
    fn clone(&self) -> Self {
        Self { token: self.token.clone(), limited: self.limited.clone() }
    }
}

impl<J, C: Clock> fmt::Debug for RateLimited<J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimited(..)")
    }
}

impl<J, C: Clock> fmt::Debug for RateLimitedUntil<J, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimitedUntil(..)")
    }
}
