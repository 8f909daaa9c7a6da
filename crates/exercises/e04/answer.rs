//! Exercise 4: a queue that may be full.
//!
//! A bounded queue has to say something when there is no room. This one knows
//! two answers, and neither waits: `try_push` refuses, and gives the job back to
//! whoever brought it; `push_newest` takes it, and gives back the oldest one
//! instead. Never are there more than `bound` jobs in the queue, whoever pushes
//! at the same time.
//!
//! Chapter: docs/course/04-backpressure.md. Checks: `manyhands learn check 4`.

use std::collections::VecDeque;

use exercises::sync::Mutex;

/// There was no room for this job.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// Jobs that wait, first in, first out.
pub struct Queue<T> {
    bound: usize,
    jobs: Mutex<VecDeque<T>>,
}

impl<T> Queue<T> {
    /// An empty queue with room for `bound` jobs. The bound is 1 or more.
    pub fn new(bound: usize) -> Self {
        todo!("exercise 04")
    }

    /// Puts a job in at the back. Without room for it, gives it back.
    pub fn try_push(&self, job: T) -> Result<(), Full<T>> {
        todo!("exercise 04")
    }

    /// Puts a job in at the back. Without room for it, takes the oldest out
    /// first and returns that.
    pub fn push_newest(&self, job: T) -> Option<T> {
        todo!("exercise 04")
    }

    /// Takes the oldest job out, if there is one.
    pub fn try_pop(&self) -> Option<T> {
        todo!("exercise 04")
    }
}
