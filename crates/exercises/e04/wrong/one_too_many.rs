//! `>` for `>=`: when the queue has as many as it may, it takes one more.

use std::collections::VecDeque;

use exercises::sync::Mutex;

#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

pub struct Queue<T> {
    bound: usize,
    jobs: Mutex<VecDeque<T>>,
}

impl<T> Queue<T> {
    pub fn new(bound: usize) -> Self {
        Self { bound, jobs: Mutex::new(VecDeque::new()) }
    }

    // ANCHOR: wrong
    pub fn try_push(&self, job: T) -> Result<(), Full<T>> {
        let mut jobs = self.jobs.lock().unwrap();
        if jobs.len() > self.bound {
            return Err(Full(job));
        }
        jobs.push_back(job);
        Ok(())
    }
    // ANCHOR_END: wrong

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
