//! What jobs wait at until the test lets them through.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A gate. Dropped, it opens: however a test ends, the jobs come to their
/// end. So it is declared after the pool, and dropped before it.
#[derive(Default)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
}

/// A job's side of a gate.
pub(crate) struct Entry {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signalled on every change of the state.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many jobs have come to the gate so far.
    arrived: usize,
    open: bool,
    /// Tasks that wait.
    wakers: Vec<Waker>,
}

impl Gate {
    /// A closed gate.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The side to hand to a job.
    pub(crate) fn entry(&self) -> Entry {
        Entry { shared: Arc::clone(&self.shared) }
    }

    /// Waits until so many jobs have come to the gate, through it or not.
    pub(crate) fn wait_for(&self, arrived: usize) {
        let state = self.shared.lock();
        let wait = |state: &mut State| state.arrived < arrived;
        drop(self.shared.wait_while(state, wait));
    }

    /// Lets everyone through from now on.
    pub(crate) fn open(&self) {
        self.shared.update(|state| state.open = true);
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
        self.shared.update(|state| state.arrived += 1);
        let state = self.shared.lock();
        drop(self.shared.wait_while(state, |state| !state.open));
    }

    /// Passes the gate, as a task.
    pub(crate) async fn pass_async(&self) {
        self.shared.update(|state| state.arrived += 1);
        poll_fn(|context| {
            let mut state = self.shared.lock();
            if state.open {
                return Poll::Ready(());
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Shared {
    /// Changes the state, and wakes whoever waits for that. The wakers are
    /// called with the gate unlocked: they run the pool's code.
    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed
            .wait_while(state, condition)
            .unwrap_or_else(PoisonError::into_inner)
    }
}
