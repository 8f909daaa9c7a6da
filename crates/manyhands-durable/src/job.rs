//! What a durable job is.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Attempt;

/// A job that can be written down, and run by whoever reads it.
///
/// The process that submits it may be gone when it runs, and the one that
/// runs it may die on the way. So a job holds all it needs, as data; what it
/// gives back is kept in the store, if anywhere; and it may **run more than
/// once**: what it does must bear that. `docs/DURABLE.md` shows how.
///
/// ```
/// use manyhands_durable::{Attempt, DurableJob, Failure};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct SendEmail {
///     order: u64,
///     to: String,
/// }
///
/// impl DurableJob for SendEmail {
///     const KIND: &'static str = "send-email";
///     type Output = ();
///
///     fn run(self, _: &Attempt) -> Result<(), Failure> {
///         if !self.to.contains('@') {
///             return Err(Failure::permanent("no address"));
///         }
///         // The same key each time, so that the mail server can tell.
///         let _key = format!("confirm-{}", self.order);
///         Ok(())
///     }
/// }
/// ```
pub trait DurableJob: Serialize + DeserializeOwned + Send + 'static {
    /// The name under which jobs of this type are stored: 1 to 64 characters
    /// of `a-z A-Z 0-9 - _ . :`.
    ///
    /// It outlives the program. A renamed type keeps it; a type whose old
    /// data it cannot read takes another.
    const KIND: &'static str;

    /// How often a job is tried before it is a dead letter, if its
    /// [submission](crate::Submission) does not say.
    const MAX_ATTEMPTS: u32 = 10;

    /// What is stored of a job that is done. `()` stores nothing.
    type Output: Serialize;

    /// Does the job, on a thread of the queue's own, which it may block; async
    /// code is run by `block_on` of a runtime's handle. Nothing ends it but
    /// itself: what may take for ever wants a time limit, and an eye on
    /// [`Attempt::token`].
    ///
    /// # Errors
    ///
    /// A [`Failure`], which says whether to try again. Any error by `?` is
    /// one to try again. So is a panic.
    fn run(self, attempt: &Attempt) -> Result<Self::Output, Failure>;
}

/// Why an attempt did not do its job, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(crate) error: String,
    pub(crate) next: Next,
}

/// What comes after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt: after the backoff, but not before this much time.
    Retry { after: Option<Duration> },
    /// No further attempt.
    Dead,
}

impl Failure {
    /// The job is to be tried again, if it has attempts left.
    pub fn retry(error: impl Into<String>) -> Self {
        Self { error: error.into(), next: Next::Retry { after: None } }
    }

    /// No attempt will do better: the job is a dead letter at once.
    pub fn permanent(error: impl Into<String>) -> Self {
        Self { error: error.into(), next: Next::Dead }
    }

    /// Not before `delay`, as when a server has said when to come back. The
    /// backoff counts if it is longer.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        if let Next::Retry { after } = &mut self.next {
            *after = Some(delay);
        }
        self
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.error
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

/// With what caused it.
impl<E: StdError> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::retry(text)
    }
}
