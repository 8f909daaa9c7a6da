//! The job that the tests submit.

use std::any::Any;
use std::fmt;

use manyhands::{AsyncJob, Job};

use crate::support::gate::{Entry, Gate};

/// A job for every variant: waits at a gate, if it was told to, and then does
/// its work. It has both faces, so that the wait holds no thread of a pool of
/// tasks.
pub(crate) struct Act {
    gate: Option<Entry>,
    work: Box<dyn FnOnce() -> Answer + Send>,
}

/// What a job answers.
pub(crate) type Answer = Result<Value, Failed>;

/// Any value that a job returns.
pub(crate) type Value = Box<dyn Any + Send>;

/// The one error of these jobs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl Act {
    /// A job that returns what `work` returns.
    pub(crate) fn new<T: Any + Send>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        Self::answering(move || Ok(Box::new(work())))
    }

    /// A job whose answer may be an error.
    pub(crate) fn answering(
        work: impl FnOnce() -> Answer + Send + 'static,
    ) -> Self {
        Self { gate: None, work: Box::new(work) }
    }

    /// Waits at this gate before it begins.
    pub(crate) fn after(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.entry()), ..self }
    }
}

impl Job for Act {
    type Output = Answer;

    fn run(self) -> Answer {
        if let Some(gate) = self.gate {
            gate.pass();
        }
        (self.work)()
    }
}

impl AsyncJob for Act {
    async fn run_async(self) -> Answer {
        if let Some(gate) = self.gate {
            gate.pass_async().await;
        }
        (self.work)()
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Act").finish_non_exhaustive()
    }
}
