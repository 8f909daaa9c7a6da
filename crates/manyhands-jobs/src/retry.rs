//! A job that is tried again when it fails.

use std::fmt;

#[cfg(feature = "tokio")]
use manyhands_core::AsyncJob;
use manyhands_core::{CancelToken, Job};
#[cfg(feature = "tokio")]
use tokio::time::sleep;

use crate::RetryPolicy;
use crate::wait::pause;
#[cfg(feature = "tokio")]
use crate::wait_async::unless_cancelled;

/// A job that is tried again when it returns an error, as its
/// [policy](RetryPolicy) has it. The answer is the last `Result`.
///
/// Made by [`RetryPolicy::job`]. Each attempt runs a clone of the job, the
/// last the job itself, so a closure does that captures what can be cloned.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
///
/// use manyhands_core::{InlinePool, WorkerPool};
/// use manyhands_jobs::RetryPolicy;
///
/// let policy = RetryPolicy::new().first(Duration::from_micros(10));
/// let asked = Arc::new(AtomicU32::new(0));
/// let flaky = move || match asked.fetch_add(1, Ordering::Relaxed) {
///     0 | 1 => Err("busy"),
///     _ => Ok(42),
/// };
///
/// let pool = InlinePool::new();
/// pool.submit(policy.job(flaky).counted()).unwrap();
/// assert_eq!(pool.recv().unwrap().done(), Some((Ok(42), 3)));
/// ```
///
/// What is around it is done once, what is within it at each attempt:
/// a [`RateLimited`](crate::RateLimited) job that is retried takes a turn each
/// time, a retried job that is rate limited takes one.
///
/// # Blocking
///
/// On a pool of threads the worker waits through the pauses, and does nothing
/// else. With pauses of seconds, have more workers than you would without; or
/// a pool of tasks, where the task waits and no thread does. That face wants
/// the feature `tokio`, and a runtime with its timer enabled, as the pools'
/// own have.
///
/// With a [token](Self::token) the wait ends as soon as that is cancelled.
///
/// # Panics
///
/// A panic is not tried again: it goes on to the pool. In a
/// [`Caught`](crate::Caught) it is an error like others, and is.
///
/// # Cost
///
/// That of the attempts, and a clone of the job for each but the last.
pub struct Retry<J, E> {
    job: J,
    policy: RetryPolicy<E>,
    token: Option<CancelToken>,
}

impl<J, E> Retry<J, E> {
    pub(crate) fn new(job: J, policy: RetryPolicy<E>) -> Self {
        Self { job, policy, token: None }
    }

    /// Makes no other attempt once the token is cancelled: a wait for one
    /// ends there and then, and the last error is the answer.
    ///
    /// The first attempt is made even so, since there is no answer without:
    /// [`Cancellable`](crate::Cancellable) is for that.
    pub fn token(mut self, token: &CancelToken) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// The same, with the number of attempts beside the answer.
    pub fn counted(self) -> Counted<J, E> {
        Counted(self)
    }

    /// The job itself.
    pub fn into_inner(self) -> J {
        self.job
    }

    fn is_cancelled(&self) -> bool {
        self.token.as_ref().is_some_and(CancelToken::is_cancelled)
    }
}

impl<J, T, E> Retry<J, E>
where
    J: Job<Output = Result<T, E>> + Clone,
{
    fn attempts(self) -> (Result<T, E>, u32) {
        let mut attempt = 1;
        for time in self.policy.pauses() {
            let result = self.job.clone().run();
            let Err(error) = &result else { return (result, attempt) };
            if self.is_cancelled() || !self.policy.is_worth(error) {
                return (result, attempt);
            }
            self.policy.tell(error, attempt, time);
            if pause(self.token.as_ref(), time) {
                return (result, attempt);
            }
            attempt += 1;
        }
        (self.job.run(), attempt)
    }
}

#[cfg(feature = "tokio")]
impl<J, T, E> Retry<J, E>
where
    J: AsyncJob + Job<Output = Result<T, E>> + Clone,
    T: Send,
    E: Send,
{
    async fn attempts_async(self) -> (Result<T, E>, u32) {
        let mut attempt = 1;
        for time in self.policy.pauses() {
            let result = self.job.clone().run_async().await;
            let Err(error) = &result else { return (result, attempt) };
            if self.is_cancelled() || !self.policy.is_worth(error) {
                return (result, attempt);
            }
            self.policy.tell(error, attempt, time);
            let waited = unless_cancelled(self.token.as_ref(), sleep(time));
            if waited.await.is_none() {
                return (result, attempt);
            }
            attempt += 1;
        }
        (self.job.run_async().await, attempt)
    }
}

impl<J, T, E> Job for Retry<J, E>
where
    J: Job<Output = Result<T, E>> + Clone,
    T: Send,
    E: Send,
{
    type Output = Result<T, E>;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        self.attempts().0
    }
}

#[cfg(feature = "tokio")]
impl<J, T, E> AsyncJob for Retry<J, E>
where
    J: AsyncJob + Job<Output = Result<T, E>> + Clone,
    T: Send,
    E: Send,
{
    async fn run_async(self) -> Self::Output {
        self.attempts_async().await.0
    }
}

impl<J: Clone, E> Clone for Retry<J, E> {
    fn clone(&self) -> Self {
        Self {
            job: self.job.clone(),
            policy: self.policy.clone(),
            token: self.token.clone(),
        }
    }
}

impl<J, E> fmt::Debug for Retry<J, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Retry(..)")
    }
}

/// A job that is tried again, and answers with the number of attempts beside
/// its last `Result`; see [`Retry::counted`].
pub struct Counted<J, E>(Retry<J, E>);

impl<J, E> Counted<J, E> {
    /// The job itself.
    pub fn into_inner(self) -> J {
        self.0.into_inner()
    }
}

impl<J, T, E> Job for Counted<J, E>
where
    J: Job<Output = Result<T, E>> + Clone,
    T: Send,
    E: Send,
{
    type Output = (Result<T, E>, u32);

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        self.0.attempts()
    }
}

#[cfg(feature = "tokio")]
impl<J, T, E> AsyncJob for Counted<J, E>
where
    J: AsyncJob + Job<Output = Result<T, E>> + Clone,
    T: Send,
    E: Send,
{
    async fn run_async(self) -> Self::Output {
        self.0.attempts_async().await
    }
}

impl<J: Clone, E> Clone for Counted<J, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J, E> fmt::Debug for Counted<J, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted(..)")
    }
}
