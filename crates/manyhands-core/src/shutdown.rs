//! An end at a deadline.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError, channel};
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
    /// How many of all these came too late for the sink, and were dropped.
    pub unread: u64,
    /// How many jobs were unfinished when the deadline had passed. `None` for
    /// a pool that gave up on jobs and does not
    /// [count](WorkerPool::unfinished) them.
    pub abandoned: Option<usize>,
    /// The pool has ended.
    ended: bool,
}

impl Shutdown {
    /// True if no job was left behind, and every completion that was owed has
    /// gone to the sink.
    pub fn is_complete(&self) -> bool {
        self.ended && self.unread == 0
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
                drop(sender.send(Contained::new(completion)));
            }
            drop(pool);
        }
    };
    let reader =
        thread::Builder::new().name("shutdown".into()).spawn(reader)?;

    let next = |deadline: Option<Instant>| match deadline {
        None => completions.recv().map_err(RecvTimeoutError::from),
        Some(deadline) => {
            match deadline.saturating_duration_since(Instant::now()) {
                // Else what is at hand would put the deadline off.
                Duration::ZERO => Err(RecvTimeoutError::Timeout),
                left => completions.recv_timeout(left),
            }
        }
    };
    let mut read_until = |found: &mut Shutdown, deadline| loop {
        match next(deadline) {
            Ok(completion) => {
                let Some(completion) = completion.into_inner() else { break };
                found.count(&completion.outcome);
                sink(completion);
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                found.ended = true;
                break;
            }
        }
    };
    let mut found = Shutdown::default();
    read_until(&mut found, deadline);
    if !found.ended {
        pool.cancel();
        read_until(&mut found, Instant::now().checked_add(LAST_CALL));
    }
    // There is no time for the sink any more, but for a look.
    while !found.ended {
        match completions.try_recv() {
            Ok(completion) => {
                let Some(completion) = completion.into_inner() else { break };
                found.count(&completion.outcome);
                found.unread += 1;
                discard(completion);
            }
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => found.ended = true,
        }
    }
    found.abandoned = if found.ended {
        // It has dropped its pool, so this one is the last, or is not ours to
        // wait for.
        discard(reader.join());
        Some(0)
    } else {
        pool.unfinished()
    };
    Ok(found)
}

/// A value whose drop is contained wherever it comes to be dropped, such as in
/// a channel of the standard library.
struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    fn new(value: T) -> Self {
        Self(Some(value))
    }

    fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}
