//! Exercise 5: a queue that waits.
//!
//! The queue of exercise 4, with functions that wait instead of refusing, and an
//! end. `push` waits while the queue is full, `pop` while it is empty. After
//! `close`, `push` gives its job back, also if it waited already; `pop` returns
//! what is left, and then `None`, also if it waited already.
//!
//! A condition variable remembers nothing: who is not yet waiting hears no
//! notification. The lock and the loop around `wait` are what makes it right.
//!
//! Chapter: docs/course/05-waiting-right.md. Checks: `manyhands learn check 5`.

use std::collections::VecDeque;

use exercises::sync::{Condvar, Mutex};

/// The queue is closed; here is the job.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed<T>(pub T);

/// Jobs that wait, and threads that wait for them or for room.
pub struct Queue<T> {
    bound: usize,
    state: Mutex<State<T>>,
    /// Told when a job has come in.
    came: Condvar,
    /// Told when a job has gone out.
    went: Condvar,
}

/// What the lock is around.
struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// An empty queue with room for `bound` jobs. The bound is 1 or more.
    pub fn new(bound: usize) -> Self {
        todo!("exercise 05")
    }

    /// Waits for room and puts the job in at the back.
    pub fn push(&self, job: T) -> Result<(), Closed<T>> {
        todo!("exercise 05")
    }

    /// Waits for a job and takes the oldest out. `None`: there is none, and
    /// none will come.
    pub fn pop(&self) -> Option<T> {
        todo!("exercise 05")
    }

    /// Nothing comes in any more. Whoever waits is told.
    pub fn close(&self) {
        todo!("exercise 05")
    }
}
