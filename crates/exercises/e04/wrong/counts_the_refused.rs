//! A counter beside the queue says how many there are, and a job that was
//! refused stays counted: one place less for ever.

use std::collections::VecDeque;

use exercises::sync::Mutex;
use exercises::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

pub struct Queue<T> {
    bound: usize,
    count: AtomicUsize,
    jobs: Mutex<VecDeque<T>>,
}

impl<T> Queue<T> {
    pub fn new(bound: usize) -> Self {
        let count = AtomicUsize::new(0);
        Self { bound, count, jobs: Mutex::new(VecDeque::new()) }
    }

    // ANCHOR: wrong
    pub fn try_push(&self, job: T) -> Result<(), Full<T>> {
        if self.count.fetch_add(1, Ordering::SeqCst) >= self.bound {
            return Err(Full(job));
        }
        self.jobs.lock().unwrap().push_back(job);
        Ok(())
    }
    // ANCHOR_END: wrong

    pub fn push_newest(&self, job: T) -> Option<T> {
        let mut jobs = self.jobs.lock().unwrap();
        let oldest = match jobs.len() == self.bound {
            true => jobs.pop_front(),
            false => None,
        };
        if oldest.is_none() {
            self.count.fetch_add(1, Ordering::SeqCst);
        }
        jobs.push_back(job);
        oldest
    }

    pub fn try_pop(&self) -> Option<T> {
        let job = self.jobs.lock().unwrap().pop_front();
        if job.is_some() {
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
        job
    }
}
