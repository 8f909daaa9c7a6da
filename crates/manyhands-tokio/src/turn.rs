//! A worker's turn on its thread.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

/// For how long a task has not given way.
///
/// A task is interrupted only where it waits, and a worker that always finds
/// the next job ready never does. It would keep its thread to itself, and with
/// it the task that was woken there last: tokio has that one run next on the
/// same thread, and lets no other thread take it. If it is a worker too, then
/// one works where two could, for as long as there are jobs.
#[derive(Debug)]
pub(crate) struct Turn(Instant);

impl Turn {
    /// Long beside what giving way costs, and brief beside a job for which it
    /// matters who runs it.
    const LENGTH: Duration = Duration::from_micros(100);

    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Lets other tasks run, if it is their turn.
    pub(crate) async fn share(&mut self) {
        if self.0.elapsed() < Self::LENGTH {
            return;
        }
        let mut waited = false;
        poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        *self = Self::begin();
    }
}
