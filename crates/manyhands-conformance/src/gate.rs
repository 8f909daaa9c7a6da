//! What law jobs wait at, and what the laws wait for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A gate that jobs wait at until a law lets them through.
///
/// It has both faces: a thread blocks at it, a task is woken. Dropped, it
/// opens: however a law ends, the pool's jobs come to their end.
pub(crate) struct Gate {
    shared: Arc<Entry>,
}

/// A job's side of a gate.
pub(crate) struct Entry {
    state: Mutex<State>,
    /// Signalled on every change of the state.
    changed: Condvar,
}

struct State {
    /// How many jobs have come to the gate so far.
    arrived: usize,
    /// How many may go through in all.
    admitted: usize,
    /// How many went through.
    passed: usize,
    /// The gate opens by itself when this many have arrived.
    opens_at: usize,
    /// Tasks that wait.
    wakers: Vec<Waker>,
}

impl Gate {
    /// A gate that opens when the law says so.
    pub(crate) fn closed() -> Self {
        Self::meeting(usize::MAX)
    }

    /// A gate that opens when `jobs` have come to it: they all get through
    /// only if they all run at once.
    pub(crate) fn meeting(jobs: usize) -> Self {
        let state = State {
            arrived: 0,
            admitted: 0,
            passed: 0,
            opens_at: jobs,
            wakers: Vec::new(),
        };
        let shared =
            Entry { state: Mutex::new(state), changed: Condvar::new() };
        Self { shared: Arc::new(shared) }
    }

    /// The side to hand to a job.
    pub(crate) fn entry(&self) -> Arc<Entry> {
        Arc::clone(&self.shared)
    }

    /// Waits until so many jobs have come to the gate, through it or not.
    pub(crate) fn wait_for(&self, arrived: usize) {
        let mut state = self.shared.lock();
        while state.arrived < arrived {
            state = self.shared.wait(state);
        }
    }

    /// Lets this many more through.
    pub(crate) fn admit(&self, jobs: usize) {
        let mut state = self.shared.lock();
        state.admitted = state.admitted.saturating_add(jobs);
        self.shared.announce(state);
    }

    /// Lets everyone through from now on.
    pub(crate) fn open(&self) {
        self.admit(usize::MAX);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl Entry {
    /// Passes the gate, blocking the thread.
    pub(crate) fn pass(&self) {
        let mut state = self.arrive();
        while !state.enter() {
            state = self.wait(state);
        }
    }

    /// Passes the gate, as a task. `arrived` is the task's own note of
    /// whether it has been counted.
    pub(crate) fn poll_pass(
        &self,
        arrived: &mut bool,
        context: &Context<'_>,
    ) -> Poll<()> {
        let mut state = if *arrived { self.lock() } else { self.arrive() };
        *arrived = true;
        if state.enter() {
            return Poll::Ready(());
        }
        state.wakers.push(context.waker().clone());
        Poll::Pending
    }

    fn arrive(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.arrived += 1;
        if state.arrived == state.opens_at {
            state.admitted = usize::MAX;
        }
        self.announce(state);
        self.lock()
    }

    /// Wakes who waits at the gate, and who waits for arrivals. The wakers
    /// are called with the gate unlocked: they run the pool's code.
    fn announce(&self, mut state: MutexGuard<'_, State>) {
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self) -> bool {
        let may = self.passed < self.admitted;
        self.passed += usize::from(may);
        may
    }
}
