//! A pool of your own, held to the laws.
//!
//! It keeps the contract with a channel of the standard library and two parts
//! of `manyhands-core`: an [`Intake`], which knows who may come in, and
//! [`results`], which hand out the completions. What is left is the pattern:
//! how a job gets to a worker.
//!
//! ```console
//! $ cargo run -p manyhands-conformance --example pool_from_outside
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use manyhands_conformance::{Claim, Kit};
use manyhands_core::{
    Closed, Completion, Config, Intake, Job, JobId, Ticket, TrySubmitError,
    WorkerPool, join_all, results,
};

/// The check is the one line; the rest shows what came of it.
pub(crate) fn main() {
    let report = Kit::new().claims([Claim::InOrder]).check(MyPool::new);
    println!("{report}");
    report.assert_passed();
}

/// Threads that take jobs from a channel behind a lock.
struct MyPool<J: Job> {
    intake: Arc<Intake<Sender<Ticket<J>>>>,
    results: results::Receiver<Completion<J>>,
    workers: Vec<JoinHandle<()>>,
    config: Config,
}

impl<J: Job<Output: 'static> + 'static> MyPool<J> {
    fn new(config: Config) -> Self {
        let (jobs, queue) = mpsc::channel::<Ticket<J>>();
        let queue = Arc::new(Mutex::new(queue));
        let intake = Arc::new(Intake::new(jobs, config));
        let (sender, results) = results::for_jobs::<J>();
        let worker = |_| {
            let queue = Arc::clone(&queue);
            let (intake, sender) = (Arc::clone(&intake), sender.clone());
            thread::spawn(move || {
                // A `let` of its own: in a `while let`, the lock would be
                // held while the job runs.
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .recv();
                    let Ok(ticket) = next else { break };
                    sender.send(intake.run(ticket));
                }
            })
        };
        let workers = (0..config.workers().get()).map(worker).collect();
        Self { intake, results, workers, config }
    }
}

fn hand_over<J>(
    jobs: &mut Sender<Ticket<J>>,
    ticket: Ticket<J>,
) -> Result<(), J> {
    jobs.send(ticket).map_err(|refused| refused.0.job)
}

impl<J: Job> WorkerPool<J> for MyPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.intake.enter(job, hand_over)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.intake.try_enter(job, hand_over)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.results.recv()
    }

    fn close(&self) {
        self.intake.close();
    }

    fn cancel(&self) {
        self.intake.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.bound()
    }
}

impl<J: Job> Drop for MyPool<J> {
    fn drop(&mut self) {
        self.close();
        // Not the thread that this is, should a job drop its own pool.
        join_all(self.workers.drain(..));
    }
}
