//! It looks whether there is an error, and keeps its own if there is none: two
//! locks, and between them another thread keeps one, which is lost.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use exercises::sync::{Arc, Mutex};
use exercises::thread;

pub type Job = Box<dyn FnOnce() -> Result<u64, String> + Send>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done(u64),
    Failed(String),
    Panicked(String),
    Skipped,
}

pub fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into())
}

pub fn run_one(job: Job) -> Outcome {
    match catch_unwind(AssertUnwindSafe(job)) {
        Ok(Ok(value)) => Outcome::Done(value),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(panic) => Outcome::Panicked(text(&*panic)),
    }
}

pub struct FirstError {
    error: Mutex<Option<String>>,
}

impl FirstError {
    pub fn new() -> Self {
        Self { error: Mutex::new(None) }
    }

    // ANCHOR: wrong
    pub fn keep(&self, error: String) {
        if self.get().is_none() {
            *self.error.lock().unwrap() = Some(error);
        }
    }
    // ANCHOR_END: wrong

    pub fn get(&self) -> Option<String> {
        self.error.lock().unwrap().clone()
    }
}

pub fn run_all(
    workers: usize,
    jobs: Vec<Job>,
) -> (Vec<Outcome>, Option<String>) {
    let outcomes = Arc::new(Mutex::new(vec![Outcome::Skipped; jobs.len()]));
    let jobs = Arc::new(Mutex::new(jobs.into_iter().enumerate()));
    let first = Arc::new(FirstError::new());
    let work = |_| {
        let (jobs, outcomes) = (Arc::clone(&jobs), Arc::clone(&outcomes));
        let first = Arc::clone(&first);
        thread::spawn(move || {
            // After an error, what was not begun stays skipped.
            while first.get().is_none() {
                let next = jobs.lock().unwrap().next();
                let Some((place, job)) = next else { return };
                // No lock is held here: a panic could poison it.
                let outcome = run_one(job);
                if let Outcome::Failed(error) = &outcome {
                    first.keep(error.clone());
                }
                outcomes.lock().unwrap()[place] = outcome;
            }
        })
    };
    let threads: Vec<_> = (0..workers).map(work).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let outcomes = outcomes.lock().unwrap().clone();
    (outcomes, first.get())
}
