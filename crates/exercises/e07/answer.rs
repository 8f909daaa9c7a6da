//! Exercise 7: when jobs fail.
//!
//! A job may return an error, and it may panic. Neither is the end of a worker.
//!
//! 1. `run_one` runs a job and says how that went; a panic is caught around the
//!    job, and becomes an outcome with the panic's text in it.
//! 2. `FirstError` keeps the first error it is given, and no later one.
//! 3. `run_all` runs jobs on `workers` threads. Its outcomes are in the order of
//!    the jobs. After the first *error*, jobs that have not begun are skipped; a
//!    panic skips nothing.
//!
//! Chapter: docs/course/07-when-jobs-fail.md. Checks: `manyhands learn check 7`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use exercises::sync::{Arc, Mutex};
use exercises::thread;

/// What is run.
pub type Job = Box<dyn FnOnce() -> Result<u64, String> + Send>;

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this.
    Done(u64),
    /// It returned this error.
    Failed(String),
    /// It panicked, with this text.
    Panicked(String),
    /// It was not begun, since another had failed.
    Skipped,
}

/// The text of a panic, for those whose payload is one.
pub fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into())
}

/// Runs a job, and says how that went.
pub fn run_one(job: Job) -> Outcome {
    todo!("exercise 07")
}

/// Keeps the first error.
pub struct FirstError {
    error: Mutex<Option<String>>,
}

impl FirstError {
    /// With no error yet.
    pub fn new() -> Self {
        todo!("exercise 07")
    }

    /// Keeps it if it is the first.
    pub fn keep(&self, error: String) {
        todo!("exercise 07")
    }

    /// The first error, if there was one.
    pub fn get(&self) -> Option<String> {
        todo!("exercise 07")
    }
}

/// Runs the jobs, and returns their outcomes in order, and the first error.
pub fn run_all(
    workers: usize,
    jobs: Vec<Job>,
) -> (Vec<Outcome>, Option<String>) {
    todo!("exercise 07")
}
