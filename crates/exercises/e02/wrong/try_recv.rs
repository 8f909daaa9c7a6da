//! A worker that finds nothing ends, as if nothing to do now were nothing to do
//! ever: `try_recv` has two kinds of error.

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
        let job = jobs.lock().unwrap().try_recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
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
        // With no worker left this fails, and nobody looks.
        let jobs = self.jobs.as_ref().unwrap();
        let _ = jobs.send(job);
    }

    pub fn finish(mut self) {
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}
