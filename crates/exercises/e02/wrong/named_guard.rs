//! The guard has a name, so that it lives to the end of its block, and the job
//! runs in the same block.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread::{self, JoinHandle};

pub type Job = Box<dyn FnOnce() + Send>;

pub struct Pool {
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

// ANCHOR: wrong
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let receiver = jobs.lock().unwrap();
        let Ok(job) = receiver.recv() else { return };
        job();
    }
}
// ANCHOR_END: wrong

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
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}
