//! How often to try again, after what pause, and for what error.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::Retry;

/// How often a job is tried again, after what pauses, and for which errors.
///
/// Made once, for all jobs that are to be tried in the same way: each has a
/// pointer to it. Unless told otherwise, a job has four attempts, with pauses
/// of 100 ms, 200 ms and 400 ms between them, each with jitter, and any error
/// is worth another attempt.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
///
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_jobs::RetryPolicy;
///
/// let policy = RetryPolicy::new()
///     .attempts(5)
///     .first(Duration::from_micros(10))
///     .when(|error: &Error| error.kind() == ErrorKind::ConnectionReset)
///     .notify(|error, attempt, pause| {
///         eprintln!("attempt {attempt}: {error}, again in {pause:?}");
///     });
///
/// let pages = ["a", "b"].map(|page| policy.job(move || fetch(page)));
/// InlinePool::new()
///     .run_all(pages, |completion| {
///         assert!(completion.done().unwrap().is_ok());
///     })
///     .unwrap();
/// # fn fetch(_: &str) -> Result<(), Error> { Ok(()) }
/// ```
///
/// # Jitter
///
/// What fails together would be tried again together, and fail again. So each
/// pause is longer by a random part of itself, up to twice as long, unless it
/// is [asked](Self::without_jitter) not to be.
///
/// # Cost
///
/// One allocation a policy. A clone is the same policy; to change one that was
/// cloned makes another.
pub struct RetryPolicy<E> {
    rules: Arc<Rules<E>>,
}

/// A policy, as its clones share it.
struct Rules<E> {
    /// At least one.
    attempts: u32,
    first: Duration,
    longest: Duration,
    /// At least 1.
    factor: f32,
    jitter: bool,
    /// `None`: every error is worth it.
    when: Option<Arc<When<E>>>,
    notify: Option<Arc<Notify<E>>>,
}

type When<E> = dyn Fn(&E) -> bool + Send + Sync;
type Notify<E> = dyn Fn(&E, u32, Duration) + Send + Sync;

impl<E> RetryPolicy<E> {
    /// Four attempts, pauses from 100 ms on, each twice the one before, 10 s
    /// at most, with jitter, after any error.
    pub fn new() -> Self {
        let rules = Rules {
            attempts: 4,
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
            factor: 2.0,
            jitter: true,
            when: None,
            notify: None,
        };
        Self { rules: Arc::new(rules) }
    }

    /// How often a job is tried, the first time included; at least once.
    pub fn attempts(self, attempts: u32) -> Self {
        self.change(|rules| rules.attempts = attempts.max(1))
    }

    /// How long the first pause is.
    pub fn first(self, pause: Duration) -> Self {
        self.change(|rules| rules.first = pause)
    }

    /// How long a pause is at most, without its jitter.
    pub fn longest(self, pause: Duration) -> Self {
        self.change(|rules| rules.longest = pause)
    }

    /// How many times as long as the one before each pause is. What is below
    /// 1 is taken for 1: pauses of one length.
    pub fn factor(self, factor: f32) -> Self {
        self.change(|rules| rules.factor = factor.max(1.0))
    }

    /// Pauses without a random part: for tests, and where one job tries alone.
    pub fn without_jitter(self) -> Self {
        self.change(|rules| rules.jitter = false)
    }

    /// Which errors are worth another attempt. Any other is the answer.
    ///
    /// Asked where the job runs, after each attempt but the last. If it
    /// panics, the job did.
    pub fn when(
        self,
        worth: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.change(|rules| rules.when = Some(Arc::new(worth)))
    }

    /// Who is told of an attempt that failed and is followed by another: the
    /// error, the number of the attempt, from 1 on, and the pause.
    ///
    /// Called where the job runs, before the pause. If it panics, the job did.
    pub fn notify(
        self,
        tell: impl Fn(&E, u32, Duration) + Send + Sync + 'static,
    ) -> Self {
        self.change(|rules| rules.notify = Some(Arc::new(tell)))
    }

    /// A job that is tried so.
    pub fn job<J>(&self, job: J) -> Retry<J, E> {
        Retry::new(job, self.clone())
    }

    fn change(mut self, change: impl FnOnce(&mut Rules<E>)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }

    /// What to wait between attempts: one less than there are attempts.
    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + Send {
        let Rules { attempts, first, longest, factor, jitter, .. } =
            *self.rules;
        let pauses = usize::try_from(attempts - 1).unwrap_or(usize::MAX);
        let builder = ExponentialBuilder::new()
            .with_max_times(pauses)
            .with_min_delay(first.min(longest))
            .with_max_delay(longest)
            .with_factor(factor);
        let builder = if jitter { builder.with_jitter() } else { builder };
        builder.build()
    }

    pub(crate) fn is_worth(&self, error: &E) -> bool {
        self.rules.when.as_ref().is_none_or(|worth| worth(error))
    }

    pub(crate) fn tell(&self, error: &E, attempt: u32, pause: Duration) {
        if let Some(tell) = &self.rules.notify {
            tell(error, attempt, pause);
        }
    }
}

impl<E> Default for RetryPolicy<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for RetryPolicy<E> {
    fn clone(&self) -> Self {
        Self { rules: Arc::clone(&self.rules) }
    }
}

impl<E> Clone for Rules<E> {
    fn clone(&self) -> Self {
        Self { when: self.when.clone(), notify: self.notify.clone(), ..*self }
    }
}

impl<E> fmt::Debug for RetryPolicy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts", &self.rules.attempts)
            .field("first", &self.rules.first)
            .field("longest", &self.rules.longest)
            .field("factor", &self.rules.factor)
            .field("jitter", &self.rules.jitter)
            .finish_non_exhaustive()
    }
}
