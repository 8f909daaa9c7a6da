//! Why there is no permit.

use std::fmt;

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// They are out, or somebody waits for them; only `try_acquire` says so.
    NoPermits,
    /// They did not come back in time.
    TimedOut,
    /// More were asked for than there are in all.
    TooMany,
    /// The semaphore is closed.
    Closed,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "not enough permits are free",
            Self::TimedOut => "not enough permits came back in time",
            Self::TooMany => "the semaphore has fewer permits than that",
            Self::Closed => "the semaphore is closed",
        })
    }
}

impl std::error::Error for AcquireError {}
