//! The commands, one a file, with the same order inside: what may be said,
//! then `run`, then its parts.

pub(crate) mod bug;
pub(crate) mod compare;
pub(crate) mod learn;
pub(crate) mod list;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod splice;
mod study;
pub(crate) mod verify;

/// How a command ended when nothing kept it from doing its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All is well. Exit code 0.
    Fine,
    /// It found that something is not. Exit code 1.
    Failed,
    /// Ctrl-C was pressed. Exit code 130.
    Interrupted,
}
