//! Exercise 2: a solution.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread::{self, JoinHandle};

/// What a worker runs.
pub type Job = Box<dyn FnOnce() + Send>;

/// A pool of workers.
// ANCHOR: solution
pub struct Pool {
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The guard is a temporary of this statement: at its end the lock is
        // free, before the job runs.
        let job = jobs.lock().unwrap().recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

impl Pool {
    pub fn new(workers: usize) -> Self {
        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let start = |_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || work(&receiver))
        };
        let workers = (0..workers).map(start).collect();
        Self { jobs: Some(sender), workers }
    }

    pub fn submit(&self, job: Job) {
        let jobs = self.jobs.as_ref().unwrap();
        jobs.send(job).unwrap();
    }

    pub fn finish(mut self) {
        // First say that there are no more jobs, then wait.
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}
// ANCHOR_END: solution
