//! The pool that is no pool.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;
use std::num::NonZeroUsize;

use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::{
    Closed, Completion, Job, JobId, Ticket, TrySubmitError, WorkerPool,
    discard, run_one,
};

/// Runs each job on the thread that submits it, before `submit` returns.
///
/// The plainest thing that keeps the contract: the reference that tests
/// compare with, and the 1.00 of every comparison. It is also of use where
/// threads are not: for tests of code that takes a pool, and for debugging.
///
/// One job runs at a time; a second submitter waits (or is told `Full`) until
/// the first one's job has ended. Cost: 0 threads.
///
/// ```
/// use manyhands_core::{InlinePool, Outcome, WorkerPool};
///
/// let pool = InlinePool::new();
/// pool.submit(|| "done before `submit` returned").unwrap();
/// pool.close();
/// while let Some(completion) = pool.recv() {
///     assert!(completion.outcome.is_done());
/// }
/// ```
///
/// It shares no code with the other pools but [`run_one`], so that comparing
/// with it says something.
pub struct InlinePool<J: Job> {
    state: Mutex<State<J>>,
    /// Signalled when a job has ended while somebody waits, and on close.
    changed: Condvar,
}

struct State<J: Job> {
    closed: bool,
    /// A job is running, on some submitter's thread.
    busy: bool,
    accepted: u64,
    finished: VecDeque<Completion<J>>,
    /// How many threads wait for `changed`.
    waiting: usize,
}

impl<J: Job> InlinePool<J> {
    /// An open pool.
    pub fn new() -> Self {
        let state = State {
            closed: false,
            busy: false,
            accepted: 0,
            finished: VecDeque::new(),
            waiting: 0,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Runs a job; called when the pool is open and none is running.
    fn run(&self, mut state: MutexGuard<'_, State<J>>, job: J) -> JobId {
        let id = JobId::new(state.accepted);
        state.accepted += 1;
        state.busy = true;
        drop(state);

        let completion = run_one(Ticket { id, job }, false);

        let mut state = lock(&self.state);
        state.busy = false;
        let unread = if J::DETACHED {
            Some(completion)
        } else {
            state.finished.push_back(completion);
            None
        };
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.changed.notify_all();
        }
        discard(unread);
        id
    }

    /// Waits for a completion that can be read, or for the end of them.
    fn wait_for_one(&self) -> MutexGuard<'_, State<J>> {
        let end = |s: &State<J>| s.closed && !s.busy;
        self.wait_until(|s| !s.finished.is_empty() || end(s))
    }

    /// Waits until `ready` holds.
    fn wait_until(
        &self,
        mut ready: impl FnMut(&State<J>) -> bool,
    ) -> MutexGuard<'_, State<J>> {
        let mut state = lock(&self.state);
        while !ready(&state) {
            state.waiting += 1;
            state = wait(&self.changed, state);
            state.waiting -= 1;
        }
        state
    }
}

impl<J: Job> Default for InlinePool<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J: Job> WorkerPool<J> for InlinePool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        let state = self.wait_until(|state| !state.busy || state.closed);
        if state.closed {
            drop(state);
            return Err(Closed(job));
        }
        Ok(self.run(state, job))
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        let state = lock(&self.state);
        if state.closed {
            return Err(TrySubmitError::Closed(job));
        }
        if state.busy {
            return Err(TrySubmitError::Full(job));
        }
        Ok(self.run(state, job))
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.wait_for_one().finished.pop_front()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        let mut state = self.wait_for_one();
        let count = state.finished.len().min(max);
        into.extend(state.finished.drain(..count));
        count
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }

    /// The same as [`close`](Self::close): what was accepted has started.
    fn cancel(&self) {
        self.close();
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn unfinished(&self) -> Option<usize> {
        Some(usize::from(lock(&self.state).busy))
    }
}

impl<J: Job> Drop for InlinePool<J> {
    fn drop(&mut self) {
        take(&mut lock(&self.state).finished).into_iter().for_each(discard);
    }
}

impl<J: Job> fmt::Debug for InlinePool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlinePool").finish_non_exhaustive()
    }
}
