//! Exercise 6: how a pool ends.
//!
//! A pool ends in one of two ways. `drain` runs all that was accepted; `abort`
//! runs nothing more, and gives back what waited. Both accept nothing from then
//! on, let a job that runs come to its end, and return when the last worker has
//! ended. So every job that `submit` accepted either runs or comes back, once.
//! That holds also if a `submit` comes at the same moment.
//!
//! Write the four functions, and whatever `State` needs.
//!
//! Chapter: docs/course/06-the-dispatcher.md. Checks: `manyhands learn check 6`.

use std::collections::VecDeque;

use exercises::sync::{Arc, Condvar, Mutex};
use exercises::thread::{self, JoinHandle};

/// What is done with a job, which is a number here.
pub type Work = Arc<dyn Fn(u64) + Send + Sync>;

/// A pool of workers.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// What the pool and its workers have in common.
struct Shared {
    state: Mutex<State>,
    /// Told when there is a job, or the end.
    changed: Condvar,
}

struct State {
    jobs: VecDeque<u64>,
    closed: bool,
}

impl Pool {
    /// Starts the workers.
    pub fn start(workers: usize, work: Work) -> Self {
        todo!("exercise 06")
    }

    /// Accepts a job, or gives it back if the pool is at its end.
    pub fn submit(&self, job: u64) -> Result<(), u64> {
        todo!("exercise 06")
    }

    /// Ends the pool when all accepted jobs have been run.
    pub fn drain(&self) {
        todo!("exercise 06")
    }

    /// Ends the pool now, and returns the jobs that will not be run.
    pub fn abort(&self) -> Vec<u64> {
        todo!("exercise 06")
    }
}
