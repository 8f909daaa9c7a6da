//! Jobs as programs have them: pictures, look-ups, links, tiles, boards.

mod db;
#[cfg(feature = "web")]
mod links;
mod mandelbrot;
mod queens;
#[cfg(feature = "web")]
mod signup;
mod thumbs;

#[cfg(feature = "tokio")]
use std::future::{Future, ready};
#[cfg(feature = "tokio")]
use std::pin::Pin;
use std::time::Duration;

use socket2::SockRef;

pub(crate) use self::db::CappedDb;
#[cfg(feature = "web")]
pub(crate) use self::links::Links;
pub(crate) use self::mandelbrot::Mandelbrot;
pub(crate) use self::queens::Queens;
#[cfg(feature = "web")]
pub(crate) use self::signup::Signup;
#[cfg(feature = "web")]
pub use self::signup::{MailCounts, MailSink, Undelivered};
pub(crate) use self::thumbs::Thumbs;
use crate::{Answer, WorkError, WrongAnswer};

/// Some real work, cut into jobs.
pub(crate) trait Source: Send + Sync {
    /// How many different jobs there are; after the last, the first comes
    /// again.
    fn len(&self) -> usize;

    /// A phrase about so many of them.
    fn summary(&self, jobs: usize) -> String;

    /// One of them, by name, for a message.
    fn describe(&self, index: u64) -> String;

    /// How many jobs may run at once, if there is a limit to it.
    fn most_workers(&self) -> Option<usize> {
        None
    }

    /// A run of it begins.
    fn begin(&self) {}

    /// A run of it is over, and these of its jobs have answered.
    ///
    /// # Errors
    ///
    /// When that is not what happened.
    fn end(&self, _answered: &[u64]) -> Result<(), WrongAnswer> {
        Ok(())
    }

    /// What it must answer. Worked out here and now, if it is not known.
    fn expected(&self, index: u64) -> Answer;

    /// Runs it, and blocks as long as that takes. What only computes gives
    /// what is expected by computing it.
    fn run(&self, index: u64) -> Result<Answer, WorkError> {
        Ok(self.expected(index))
    }

    /// The same as a task, which awaits what it waits for. What only computes
    /// does so where it is polled. `None` for what may block its thread: that
    /// is for the runtime's own threads for such work.
    #[cfg(feature = "tokio")]
    fn run_async(&self, index: u64) -> Option<Running<'_>> {
        Some(Box::pin(ready(self.run(index))))
    }
}

#[cfg(feature = "tokio")]
pub(crate) type Running<'a> =
    Pin<Box<dyn Future<Output = Result<Answer, WorkError>> + Send + 'a>>;

/// Closed without a goodbye: else each connection keeps its port for a minute
/// after it, and a few runs use up all there are.
#[cfg(unix)]
pub(crate) fn forget(stream: &impl std::os::fd::AsFd) {
    // Where it cannot be had, it is only slower to run out of them.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

#[cfg(windows)]
pub(crate) fn forget(stream: &impl std::os::windows::io::AsSocket) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
