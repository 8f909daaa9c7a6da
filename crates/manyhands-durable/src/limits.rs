//! How fast, how often, how many.

use std::num::NonZeroU32;
use std::time::Duration;

/// How long a job waits after an attempt that failed: twice as long each time,
/// up to a most, and up to a tenth more, by chance, so that those that failed
/// together do not come back together. It is stored with the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    most: Duration,
}

impl Default for Backoff {
    /// From a second to an hour.
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(3600))
    }
}

impl Backoff {
    /// `first` after the first failure, twice that after the second, `most` at
    /// most.
    pub const fn exponential(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// The wait after `attempts` failed, without what chance adds.
    pub fn delay(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }

    /// The wait after `attempts` failed.
    pub(crate) fn draw(&self, attempts: u32) -> Duration {
        let delay = self.delay(attempts);
        delay.saturating_add(delay.mul_f64(fastrand::f64() / 10.0))
    }
}

/// So many jobs in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub(crate) jobs: NonZeroU32,
    pub(crate) per: Duration,
}

impl Rate {
    /// `jobs` are begun in any `per`, evenly: one each `per / jobs`, with
    /// nothing saved up while there was nothing to do. `None` for no jobs, or
    /// no time.
    pub fn new(jobs: u32, per: Duration) -> Option<Self> {
        let jobs = NonZeroU32::new(jobs).filter(|_| !per.is_zero())?;
        Some(Self { jobs, per })
    }

    /// From one start to the next.
    pub(crate) fn interval(&self) -> Duration {
        self.per / self.jobs.get()
    }
}

/// What a stop found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Attempts that had begun, and ended while it waited.
    pub finished: u64,
    /// Jobs that were claimed and not begun, and are ready again: at once, or
    /// after their lease if the store did not answer.
    pub given_back: u64,
    /// Attempts that still ran at the end of the grace. They count, and what
    /// they return is not written. Their jobs are ready again, as those that
    /// were given back; or dead, if it was their last attempt.
    pub abandoned: u64,
}
