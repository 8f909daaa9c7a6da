//! What can be refused, each with the job handed back.

use std::fmt;
use std::io;

/// The pool accepts no more jobs; here is the one that it refused, not run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<J>(pub J);

impl<J> Closed<J> {
    /// The refused job.
    pub fn into_inner(self) -> J {
        self.0
    }
}

impl<J> fmt::Debug for Closed<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<J> fmt::Display for Closed<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool is closed")
    }
}

impl<J> std::error::Error for Closed<J> {}

/// Why `try_submit` refused a job, and the job, not run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySubmitError<J> {
    /// As many jobs as the bound allows are accepted and unfinished.
    Full(J),
    /// The pool accepts no more jobs.
    Closed(J),
}

impl<J> TrySubmitError<J> {
    /// The refused job.
    pub fn into_inner(self) -> J {
        match self {
            Self::Full(job) | Self::Closed(job) => job,
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

impl<J> From<Closed<J>> for TrySubmitError<J> {
    fn from(Closed(job): Closed<J>) -> Self {
        Self::Closed(job)
    }
}

impl<J> fmt::Debug for TrySubmitError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<J> fmt::Display for TrySubmitError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the pool is full",
            Self::Closed(_) => "the pool is closed",
        })
    }
}

impl<J> std::error::Error for TrySubmitError<J> {}

/// The pool closed while it was being fed.
///
/// Jobs that had not been taken from the iterator are still in it.
pub struct SubmitAllError<J> {
    /// How many jobs of this call the pool accepted; each has a completion.
    pub accepted: u64,
    /// The jobs that were taken from the iterator and refused, not run, in
    /// their order.
    pub refused: Vec<J>,
}

impl<J> fmt::Debug for SubmitAllError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitAllError")
            .field("accepted", &self.accepted)
            .field("refused", &self.refused.len())
            .finish()
    }
}

impl<J> fmt::Display for SubmitAllError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pool closed after accepting {} jobs", self.accepted)
    }
}

impl<J> std::error::Error for SubmitAllError<J> {}

/// A setting outside of what is allowed.
///
/// Names the setting, its value and the allowed range, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// Which setting.
    pub field: &'static str,
    /// What it was given.
    pub value: usize,
    /// The least it may be.
    pub least: usize,
    /// The most it may be.
    pub most: usize,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, least, most } = self;
        write!(f, "{field} is {value}, allowed is {least} to {most}")
    }
}

impl std::error::Error for ConfigError {}

/// A pool could not be built. Whatever had been started has ended again.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting outside of what is allowed; nothing was started.
    Config(ConfigError),
    /// This name for the threads has a NUL byte; nothing was started.
    ThreadName(String),
    /// A setting that this kind of pool cannot keep; nothing was started.
    Unsupported {
        /// Which setting.
        setting: &'static str,
        /// What the pool is, and why it cannot.
        pool: &'static str,
    },
    /// The system refused a thread.
    Spawn(io::Error),
}

impl From<ConfigError> for BuildError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<io::Error> for BuildError {
    fn from(error: io::Error) -> Self {
        Self::Spawn(error)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::ThreadName(name) => write!(
                f,
                "thread_name is {name:?}, allowed is text without NUL bytes"
            ),
            Self::Unsupported { setting, pool } => {
                write!(f, "{setting} is set, not allowed for {pool}")
            }
            Self::Spawn(_) => f.write_str("cannot start a thread"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => Some(error),
            _ => None,
        }
    }
}
