//! The shortest loop there is, and the guard lives as long as its body: a
//! temporary in the head of `while let` is dropped after the body. The jobs run
//! one at a time, whatever the number of workers.

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
    while let Ok(job) = jobs.lock().unwrap().recv() {
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
