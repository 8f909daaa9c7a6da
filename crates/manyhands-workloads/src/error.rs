//! What can be refused, and why, on one line each.

use std::fmt;

/// Why a workload could not be made: one line that names the thing, its
/// value, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadError(String);

impl WorkloadError {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

impl fmt::Display for WorkloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WorkloadError {}

/// The error that a job answers with: one line.
///
/// The jobs of `fail:n` do, on purpose. A file that cannot be read is no
/// error of its job: that it cannot is the answer. But a process that has no
/// handle left to open it with is one, since that says nothing of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkError(Cause);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    Asked {
        job: u64,
        every: u64,
    },
    NoHandle,
    #[cfg(feature = "tokio")]
    RuntimeGone,
}

impl WorkError {
    pub(crate) fn asked(job: u64, every: u64) -> Self {
        Self(Cause::Asked { job, every })
    }

    pub(crate) fn no_handle() -> Self {
        Self(Cause::NoHandle)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn runtime_gone() -> Self {
        Self(Cause::RuntimeGone)
    }
}

impl fmt::Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Asked { job, every } => {
                write!(f, "job {job} fails, as `fail:{every}` asks")
            }
            Cause::NoHandle => write!(f, "{NO_HANDLE}"),
            #[cfg(feature = "tokio")]
            Cause::RuntimeGone => f.write_str(
                "the file was not read: the runtime was shutting down",
            ),
        }
    }
}

impl std::error::Error for WorkError {}

/// What to do about it stands there too, since it is no fault of any file.
pub(crate) const NO_HANDLE: &str =
    "no file handle is left: allow more (`ulimit -n`), or fewer workers";
