//! An end at a deadline.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::Arc;
use crate::{Completion, Job, Outcome, WorkerPool, discard};

/// What [`shutdown`](crate::WorkerPoolExt::shutdown) found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// How many jobs ran to their end, of those whose completion had not been
    /// received before.
    pub done: u64,
    /// How many of them panicked.
    pub panicked: u64,
    /// How many of them came back, not run.
    pub cancelled: u64,
    /// How many jobs were unfinished when the deadline had passed. `None` for
    /// a pool that gave up on jobs and does not
    /// [count](WorkerPool::unfinished) them.
    pub abandoned: Option<usize>,
}

impl Shutdown {
    /// True if no job was left behind.
    pub fn is_complete(&self) -> bool {
        self.abandoned == Some(0)
    }

    fn count<J: Job>(&mut self, outcome: &Outcome<J>) {
        *match outcome {
            Outcome::Done(_) => &mut self.done,
            Outcome::Panicked(_) => &mut self.panicked,
            Outcome::Cancelled(_) => &mut self.cancelled,
        } += 1;
    }
}

/// A pool may wait for a job for ever, in `recv` and in its drop. So both are
/// done by a thread that can be left behind.
pub(crate) fn shutdown<J, P>(
    pool: P,
    patience: Duration,
    mut sink: impl FnMut(Completion<J>),
) -> io::Result<Shutdown>
where
    J: Job + 'static,
    P: WorkerPool<J> + 'static,
{
    /// What was queued comes back as the workers reach it. Those that are
    /// not stuck need less than this.
    const LAST_CALL: Duration = Duration::from_millis(100);

    let deadline = Instant::now().checked_add(patience);
    pool.close();
    let pool = Arc::new(pool);
    let (sender, completions) = channel();
    let reader = {
        let pool = Arc::clone(&pool);
        move || {
            while let Some(completion) = pool.recv() {
                // Nobody waits for it any more, if it comes back.
                discard(sender.send(completion));
            }
            drop(pool);
        }
    };
    let reader =
        thread::Builder::new().name("shutdown".into()).spawn(reader)?;

    let mut found = Shutdown::default();
    let mut read_until = |deadline: Option<Instant>| loop {
        let next = match deadline {
            None => completions.recv().map_err(RecvTimeoutError::from),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                completions.recv_timeout(left)
            }
        };
        match next {
            Ok(completion) => {
                found.count(&completion.outcome);
                sink(completion);
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    let mut ended = read_until(deadline);
    if !ended {
        pool.cancel();
        ended = read_until(Instant::now().checked_add(LAST_CALL));
    }
    found.abandoned = if ended {
        // It has dropped its pool, so this one is the last, or is not ours to
        // wait for.
        discard(reader.join());
        Some(0)
    } else {
        pool.unfinished()
    };
    Ok(found)
}
