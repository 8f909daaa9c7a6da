//! What can go wrong with a store.

use std::error::Error as StdError;
use std::fmt;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for is not allowed: nothing was changed.
    Invalid(String),
    /// The store refused or was not there: nothing was changed.
    Store(String),
    /// The connection broke before the answer came: it may have been done, or
    /// not. Ask again, with the same [key](crate::Submission::key).
    Unknown(String),
    /// The queue is stopped: nothing was changed.
    Stopped,
}

impl Error {
    /// True if asking again, unchanged, may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Unknown(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) | Self::Store(what) => f.write_str(what),
            Self::Unknown(what) => {
                write!(f, "{what}; it is not known whether it was done")
            }
            Self::Stopped => f.write_str("the queue is stopped"),
        }
    }
}

impl StdError for Error {}

/// A job that was not stored, for all that is known, and why.
pub struct Refused<J> {
    /// The job, as it was.
    pub job: J,
    /// With [`Error::Unknown`] it may have been stored all the same.
    pub error: Error,
}

impl<J> fmt::Debug for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish()
    }
}

impl<J> fmt::Display for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<J> StdError for Refused<J> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}
