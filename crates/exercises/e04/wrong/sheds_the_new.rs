//! `push_newest` gives back the job that it was brought: what waited longest,
//! and is perhaps of no use any more, stays.

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
        self.try_push(job).err().map(|Full(job)| job)
    }
    // ANCHOR_END: wrong

    pub fn try_pop(&self) -> Option<T> {
        self.jobs.lock().unwrap().pop_front()
    }
}
