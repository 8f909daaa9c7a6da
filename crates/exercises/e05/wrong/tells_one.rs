//! `close` tells one of those who wait. The others are never told.

use std::collections::VecDeque;

use exercises::sync::{Condvar, Mutex};

#[derive(Debug, PartialEq, Eq)]
pub struct Closed<T>(pub T);

pub struct Queue<T> {
    bound: usize,
    state: Mutex<State<T>>,
    came: Condvar,
    went: Condvar,
}

struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub fn new(bound: usize) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        Self {
            bound,
            state: Mutex::new(state),
            came: Condvar::new(),
            went: Condvar::new(),
        }
    }

    pub fn push(&self, job: T) -> Result<(), Closed<T>> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.len() == self.bound {
            state = self.went.wait(state).unwrap();
        }
        if state.closed {
            return Err(Closed(job));
        }
        state.jobs.push_back(job);
        self.came.notify_one();
        Ok(())
    }

    pub fn pop(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.is_empty() {
            state = self.came.wait(state).unwrap();
        }
        // None if it is closed and empty.
        let job = state.jobs.pop_front()?;
        self.went.notify_one();
        Some(job)
    }

    // ANCHOR: wrong
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.came.notify_one();
        self.went.notify_one();
    }
    // ANCHOR_END: wrong
}
