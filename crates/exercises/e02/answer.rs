//! Exercise 2: workers that share one receiver.
//!
//! A receiver of `mpsc` has one owner, so the workers share it behind a lock:
//! `Arc<Mutex<Receiver<Job>>>`. Each worker takes the lock, waits for a job,
//! gives the lock back and runs the job, until there are no more jobs.
//!
//! Write the four functions. The lock must not be held while a job runs.
//!
//! Chapter: docs/course/02-the-channel-pool.md. Checks: `manyhands learn check
//! 2`.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread::{self, JoinHandle};

/// What a worker runs.
pub type Job = Box<dyn FnOnce() + Send>;

/// A pool of workers.
pub struct Pool {
    /// Where jobs go in. Dropping the last sender says: no more jobs.
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

/// What each worker does: runs jobs until there are no more.
fn work(jobs: &Mutex<Receiver<Job>>) {
    todo!("exercise 02")
}

impl Pool {
    /// Starts the workers.
    pub fn new(workers: usize) -> Self {
        todo!("exercise 02")
    }

    /// Has a job run by one of them.
    pub fn submit(&self, job: Job) {
        todo!("exercise 02")
    }

    /// Ends the pool: all jobs are run, the workers end, then it returns.
    pub fn finish(self) {
        todo!("exercise 02")
    }
}
