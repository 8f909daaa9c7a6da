//! Exercise 4: a solution.

use std::collections::VecDeque;

use exercises::sync::Mutex;

#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// Jobs that wait, first in, first out.
// ANCHOR: solution
pub struct Queue<T> {
    bound: usize,
    jobs: Mutex<VecDeque<T>>,
}

impl<T> Queue<T> {
    pub fn new(bound: usize) -> Self {
        Self { bound, jobs: Mutex::new(VecDeque::new()) }
    }

    pub fn try_push(&self, job: T) -> Result<(), Full<T>> {
        let mut jobs = self.jobs.lock().unwrap();
        // Looked at and filled under one lock: nobody comes in between.
        if jobs.len() == self.bound {
            return Err(Full(job));
        }
        jobs.push_back(job);
        Ok(())
    }

    pub fn push_newest(&self, job: T) -> Option<T> {
        let mut jobs = self.jobs.lock().unwrap();
        let oldest = match jobs.len() == self.bound {
            true => jobs.pop_front(),
            false => None,
        };
        jobs.push_back(job);
        oldest
    }

    pub fn try_pop(&self) -> Option<T> {
        self.jobs.lock().unwrap().pop_front()
    }
}
// ANCHOR_END: solution
