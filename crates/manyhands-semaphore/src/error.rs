//! Why there is no permit, and why a job was refused.

use std::fmt;

use manyhands_core::Closed;

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

/// Why a job with a weight was refused, and the job, not run.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightedError<J> {
    /// Not so many permits are free, or somebody waits for them; only
    /// `try_submit_weighted` says so.
    Full(J),
    /// The pool accepts no more jobs.
    Closed(J),
    /// The weight is 0, or more than there are permits in all.
    Weight {
        /// The refused job.
        job: J,
        /// What it was to weigh.
        permits: usize,
        /// How many permits there are in all.
        most: usize,
    },
}

impl<J> WeightedError<J> {
    /// The refused job.
    pub fn into_inner(self) -> J {
        match self {
            Self::Full(job) | Self::Closed(job) => job,
            Self::Weight { job, .. } => job,
        }
    }

    /// True if the pool may accept the job later.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// True if the pool will never accept a job again.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<J> From<Closed<J>> for WeightedError<J> {
    fn from(Closed(job): Closed<J>) -> Self {
        Self::Closed(job)
    }
}

impl<J> fmt::Debug for WeightedError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Weight { permits, most, .. } => f
                .debug_struct("Weight")
                .field("permits", permits)
                .field("most", most)
                .finish_non_exhaustive(),
        }
    }
}

impl<J> fmt::Display for WeightedError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the pool is full"),
            Self::Closed(_) => f.write_str("the pool is closed"),
            Self::Weight { permits, most, .. } => {
                write!(f, "permits is {permits}, allowed is 1 to {most}")
            }
        }
    }
}

impl<J> std::error::Error for WeightedError<J> {}
