//! `if` for `while`: a worker is woken for a job that another took meanwhile,
//! finds none, and ends. The pool is open, and has a worker less.

use std::collections::VecDeque;

use exercises::sync::{Arc, Condvar, Mutex};
use exercises::thread::{self, JoinHandle};

pub type Work = Arc<dyn Fn(u64) + Send + Sync>;

/// A pool of workers.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: VecDeque<u64>,
    closed: bool,
}

impl Shared {
    // ANCHOR: wrong
    /// The next job. `None`: there is none, and none will come.
    fn next(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap();
        if state.jobs.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap();
        }
        state.jobs.pop_front()
    }
    // ANCHOR_END: wrong

    /// Closes, and takes out what `take` takes, in one step.
    fn close(&self, take: fn(&mut VecDeque<u64>) -> Vec<u64>) -> Vec<u64> {
        let mut state = self.state.lock().unwrap();
        state.closed = true;
        self.changed.notify_all();
        take(&mut state.jobs)
    }
}

impl Pool {
    pub fn start(workers: usize, work: Work) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        let state = Mutex::new(state);
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
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

    pub fn submit(&self, job: u64) -> Result<(), u64> {
        let mut state = self.shared.state.lock().unwrap();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        self.shared.changed.notify_one();
        Ok(())
    }

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
