//! What can be refused, and why, on one line each.

use std::fmt;
use std::io::{self, ErrorKind};

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
/// handle left to open it with is one, since that says nothing of the file;
/// and so is a server's refusal, of more than it gives at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkError(Cause);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    Asked {
        job: u64,
        every: u64,
    },
    NoHandle,
    Refused(&'static str),
    Network(ErrorKind),
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

    /// A server would not, for this reason.
    pub(crate) fn refused(why: &'static str) -> Self {
        Self(Cause::Refused(why))
    }

    /// What was asked for did not come.
    pub(crate) fn network(error: &io::Error) -> Self {
        match is_no_handle(error.raw_os_error()) {
            true => Self::no_handle(),
            false => Self(Cause::Network(error.kind())),
        }
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
            Cause::Refused(why) => write!(f, "the server refused: {why}"),
            Cause::Network(kind) => write!(f, "no answer came: {kind}"),
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

/// True of the system's numbers for that.
pub(crate) fn is_no_handle(code: Option<i32>) -> bool {
    #[cfg(unix)]
    return [Some(libc::EMFILE), Some(libc::ENFILE)].contains(&code);
    #[cfg(not(unix))]
    return false;
}
