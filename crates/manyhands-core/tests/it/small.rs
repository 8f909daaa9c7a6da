//! A small pool of threads: what jobs do beside each other, and on whose thread.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use manyhands_core::{
    Closed, Completion, Config, Intake, Job, JobId, Ticket, TrySubmitError,
    WorkerPool, join_all, results,
};

type Jobs<J> = Sender<Ticket<J>>;

pub(crate) struct Small<J: Job> {
    intake: Arc<Intake<Jobs<J>>>,
    finished: results::Receiver<Completion<J>>,
    workers: Vec<JoinHandle<()>>,
    config: Config,
}

fn hand_over<J>(jobs: &mut Jobs<J>, ticket: Ticket<J>) -> Result<(), J> {
    jobs.send(ticket).map_err(|refused| refused.0.job)
}

impl<J: Job<Output: Send> + 'static> Small<J> {
    pub(crate) fn new(workers: usize, queue: usize) -> Self {
        let config = Config::new(workers, queue).unwrap();
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let intake = Arc::new(Intake::new(jobs, config));
        let (sender, finished) = results::for_jobs::<J>();
        let worker = |number| {
            let (intake, queue) = (Arc::clone(&intake), Arc::clone(&queue));
            let sender = sender.clone();
            let name = format!("small {number}");
            let work = move || {
                loop {
                    let next = queue.lock().unwrap().recv();
                    let Ok(ticket) = next else { return };
                    sender.send(intake.run(ticket));
                }
            };
            thread::Builder::new().name(name).spawn(work).unwrap()
        };
        let workers = (1..=workers).map(worker).collect();
        Self { intake, finished, workers, config }
    }
}

impl<J: Job + 'static> WorkerPool<J> for Small<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.intake.enter(job, hand_over)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.intake.try_enter(job, hand_over)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.finished.recv()
    }

    fn close(&self) {
        drop(self.intake.close());
    }

    fn cancel(&self) {
        drop(self.intake.cancel());
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.bound()
    }
}

impl<J: Job> Drop for Small<J> {
    fn drop(&mut self) {
        drop(self.intake.close());
        join_all(self.workers.drain(..));
    }
}
