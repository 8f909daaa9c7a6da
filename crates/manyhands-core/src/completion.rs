//! What comes back: one completion for every accepted job.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::thread;

use crate::run::discard;
use crate::sync::{Mutex, lock};
use crate::{Job, JobId};

/// What became of one accepted job.
pub struct Completion<J: Job> {
    /// The id that `submit` returned for the job.
    pub id: JobId,
    /// What became of it.
    pub outcome: Outcome<J>,
}

impl<J: Job> Completion<J> {
    /// The answer, if the job ran to its end.
    pub fn done(self) -> Option<J::Output> {
        self.outcome.done()
    }
}

impl<J: Job> fmt::Debug for Completion<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("id", &self.id)
            .field("outcome", &self.outcome)
            .finish()
    }
}

/// The three ends a job can come to.
///
/// An `Err` that a job *returns* is an answer like any other and comes back
/// as [`Done`](Self::Done): the pool does not look into it. (The error-group
/// pattern does, and stops; see there.)
pub enum Outcome<J: Job> {
    /// The job ran to its end and answered.
    Done(J::Output),
    /// The job panicked; its worker lives on.
    Panicked(Panic),
    /// The pool was cancelled before the job started, or gave it up, where a
    /// pool that is full may do so: here it is, not run.
    Cancelled(J),
}

impl<J: Job> Outcome<J> {
    /// The answer, if the job ran to its end.
    pub fn done(self) -> Option<J::Output> {
        match self {
            Self::Done(output) => Some(output),
            Self::Panicked(_) | Self::Cancelled(_) => None,
        }
    }

    /// True if the job ran to its end.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// True if the job panicked.
    pub fn is_panicked(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// True if the job came back unrun.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl<J: Job> fmt::Debug for Outcome<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(_) => f.write_str("Done(..)"),
            Self::Panicked(panic) => {
                f.debug_tuple("Panicked").field(panic).finish()
            }
            Self::Cancelled(_) => f.write_str("Cancelled(..)"),
        }
    }
}

/// A panic that was caught, as a value.
///
/// Dropping it drops the payload, and contains whatever *that* throws: a
/// payload may be any value, and one whose own drop panics has taken down
/// processes before.
///
/// ```
/// use std::panic::catch_unwind;
/// use manyhands_core::Panic;
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// let payload = catch_unwind(|| panic!("no such file: {}", "a.txt"));
/// let panic = Panic::new(payload.unwrap_err());
/// assert_eq!(panic.message(), "no such file: a.txt");
/// ```
pub struct Panic {
    // Boxed, so that jobs that do not panic return little.
    thrown: Box<Thrown>,
}

struct Thrown {
    // In a mutex only because a payload is `Send` and not `Sync`, while a
    // completion may well be shared.
    payload: Mutex<Option<Box<dyn Any + Send>>>,
    message: Option<Box<str>>,
    thread: Option<Box<str>>,
}

impl Panic {
    /// Takes what `catch_unwind` or a thread's `join` returned, and notes on
    /// which [`thread`](Self::thread) that was.
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .map(Box::from);
        let payload = Mutex::new(Some(payload));
        let thread = thread::current().name().map(Box::from);
        Self { thrown: Box::new(Thrown { payload, message, thread }) }
    }

    /// What the panic said, when it was raised with a string, as `panic!`
    /// does; `"non-string panic"` else.
    pub fn message(&self) -> &str {
        self.thrown.message.as_deref().unwrap_or("non-string panic")
    }

    /// The name of the thread that the panic was caught on, which is the
    /// worker that ran the job; `None` if it has no name.
    ///
    /// ```
    /// # std::panic::set_hook(Box::new(|_| {}));
    /// use std::panic::catch_unwind;
    /// use std::thread;
    /// use manyhands_core::Panic;
    ///
    /// let named = thread::Builder::new().name("worker 1".into());
    /// let worker = named.spawn(|| {
    ///     let payload = catch_unwind(|| panic!("no such file"));
    ///     Panic::new(payload.unwrap_err())
    /// })?;
    /// let panic = worker.join().unwrap();
    /// assert_eq!(panic.thread(), Some("worker 1"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn thread(&self) -> Option<&str> {
        self.thrown.thread.as_deref()
    }

    /// The payload itself.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        // Only `drop` takes it otherwise, and after that nobody asks.
        lock(&self.thrown.payload).take().unwrap_or_else(|| Box::new(()))
    }

    /// Goes on panicking on the caller's thread, with the same payload and
    /// without a second message from the panic hook.
    pub fn resume(self) -> ! {
        resume_unwind(self.into_payload())
    }
}

impl Drop for Panic {
    fn drop(&mut self) {
        let payload = lock(&self.thrown.payload).take();
        discard(payload);
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message())
            .field("thread", &self.thread())
            .finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the job panicked: {}", self.message())
    }
}

impl std::error::Error for Panic {}
