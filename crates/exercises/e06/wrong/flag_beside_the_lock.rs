//! Whether the pool is open is an atomic flag beside the lock. `submit` looks
//! at it, and then takes the lock; in between `abort` has emptied the queue and
//! the workers have ended. The job is accepted, and nobody ever sees it again.

use std::collections::VecDeque;

use exercises::sync::atomic::{AtomicBool, Ordering};
use exercises::sync::{Arc, Condvar, Mutex};
use exercises::thread::{self, JoinHandle};

pub type Work = Arc<dyn Fn(u64) + Send + Sync>;

pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    closed: AtomicBool,
    jobs: Mutex<VecDeque<u64>>,
    changed: Condvar,
}

impl Shared {
    fn next(&self) -> Option<u64> {
        let mut jobs = self.jobs.lock().unwrap();
        while jobs.is_empty() && !self.closed.load(Ordering::SeqCst) {
            jobs = self.changed.wait(jobs).unwrap();
        }
        jobs.pop_front()
    }

    fn close(&self, take: fn(&mut VecDeque<u64>) -> Vec<u64>) -> Vec<u64> {
        let mut jobs = self.jobs.lock().unwrap();
        self.closed.store(true, Ordering::SeqCst);
        self.changed.notify_all();
        take(&mut jobs)
    }
}

impl Pool {
    pub fn start(workers: usize, work: Work) -> Self {
        let shared = Arc::new(Shared {
            closed: AtomicBool::new(false),
            jobs: Mutex::new(VecDeque::new()),
            changed: Condvar::new(),
        });
        let start = |_| {
            let (shared, work) = (Arc::clone(&shared), Arc::clone(&work));
            thread::spawn(move || {
                while let Some(job) = shared.next() {
                    work(job);
                }
            })
        };
        let workers = Mutex::new((0..workers).map(start).collect());
        Self { shared, workers }
    }

    // ANCHOR: wrong
    pub fn submit(&self, job: u64) -> Result<(), u64> {
        if self.shared.closed.load(Ordering::SeqCst) {
            return Err(job);
        }
        self.shared.jobs.lock().unwrap().push_back(job);
        self.shared.changed.notify_one();
        Ok(())
    }
    // ANCHOR_END: wrong

    pub fn drain(&self) {
        self.shared.close(|_| Vec::new());
        self.join();
    }

    pub fn abort(&self) -> Vec<u64> {
        let left = self.shared.close(|jobs| jobs.drain(..).collect());
        self.join();
        left
    }

    fn join(&self) {
        // Taken out first: the lock is not held while they are waited for.
        let workers = std::mem::take(&mut *self.workers.lock().unwrap());
        for worker in workers {
            worker.join().unwrap();
        }
    }
}
