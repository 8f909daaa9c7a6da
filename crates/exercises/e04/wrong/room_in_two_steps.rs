//! `push_newest` takes the oldest out under one lock and puts the new one in
//! under another. In between another thread may have taken the place.

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

    pub fn try_push(&self, job: T) -> Result<(), Full<T>> {
        let mut jobs = self.jobs.lock().unwrap();
        // Looked at and filled under one lock: nobody comes in between.
        if jobs.len() == self.bound {
            return Err(Full(job));
        }
        jobs.push_back(job);
        Ok(())
    }

    // ANCHOR: wrong
    pub fn push_newest(&self, job: T) -> Option<T> {
        let Err(Full(job)) = self.try_push(job) else { return None };
        let oldest = self.try_pop();
        self.jobs.lock().unwrap().push_back(job);
        oldest
    }
    // ANCHOR_END: wrong

    pub fn try_pop(&self) -> Option<T> {
        self.jobs.lock().unwrap().pop_front()
    }
}
