//! The same `if` in `push`: somebody who never slept may have taken the place.
//! The queue then holds more than its bound, and nobody hangs.

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

    // ANCHOR: wrong
    pub fn push(&self, job: T) -> Result<(), Closed<T>> {
        let mut state = self.state.lock().unwrap();
        if !state.closed && state.jobs.len() == self.bound {
            state = self.went.wait(state).unwrap();
        }
        if state.closed {
            return Err(Closed(job));
        }
        state.jobs.push_back(job);
        self.came.notify_one();
        Ok(())
    }
    // ANCHOR_END: wrong

    pub fn pop(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        while !state.closed && state.jobs.is_empty() {
            state = self.came.wait(state).unwrap();
        }
        let job = state.jobs.pop_front()?;
        self.went.notify_one();
        Some(job)
    }

    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        // All of them: each one that waits has something to find out.
        self.came.notify_all();
        self.went.notify_all();
    }
}
