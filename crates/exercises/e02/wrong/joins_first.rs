//! `finish` waits for workers which wait for jobs: the sender is still there,
//! so that for all they know another job may come.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread::{self, JoinHandle};

pub type Job = Box<dyn FnOnce() + Send>;

pub struct Pool {
    jobs: Option<Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
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

    // ANCHOR: wrong
    pub fn finish(mut self) {
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
        drop(self.jobs.take());
    }
    // ANCHOR_END: wrong
}
