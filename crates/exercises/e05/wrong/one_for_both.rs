//! One condition variable for those who want a job and those who want room, and
//! `notify_one`: it may wake a thread of the other kind, which goes back to
//! sleep, and the one that was meant sleeps on.

use std::collections::VecDeque;

use exercises::sync::{Condvar, Mutex};

#[derive(Debug, PartialEq, Eq)]
pub struct Closed<T>(pub T);

// ANCHOR: wrong
pub struct Queue<T> {
    bound: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub fn new(bound: usize) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        Self { bound, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn push(&self, job: T) -> Result<(), Closed<T>> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.len() == self.bound {
            state = self.changed.wait(state).unwrap();
        }
        if state.closed {
            return Err(Closed(job));
        }
        state.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    pub fn pop(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.is_empty() {
            state = self.changed.wait(state).unwrap();
        }
        // None if it is closed and empty.
        let job = state.jobs.pop_front()?;
        self.changed.notify_one();
        Some(job)
    }
    // ANCHOR_END: wrong

    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.changed.notify_all();
    }
}
