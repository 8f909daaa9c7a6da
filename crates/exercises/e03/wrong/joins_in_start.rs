//! `start` joins its threads: whoever called it sees no result before all are
//! there. With a bound on the results, and more jobs than that, it would wait
//! for ever.

use exercises::sync::mpsc::{self, Receiver, Sender};
use exercises::sync::{Arc, Mutex};
use exercises::thread;

pub struct WaitGroup {
    token: Sender<()>,
    ended: Receiver<()>,
}

pub struct Token {
    _sender: Sender<()>,
}

impl WaitGroup {
    pub fn new() -> Self {
        let (token, ended) = mpsc::channel();
        Self { token, ended }
    }

    pub fn token(&self) -> Token {
        Token { _sender: self.token.clone() }
    }

    pub fn wait(self) {
        drop(self.token);
        let _ = self.ended.recv();
    }
}

pub type Work = Arc<dyn Fn(u64) -> u64 + Send + Sync>;

pub fn start(
    workers: usize,
    jobs: Vec<u64>,
    work: Work,
    group: &WaitGroup,
) -> Receiver<u64> {
    let jobs = Arc::new(Mutex::new(jobs.into_iter()));
    let (results, received) = mpsc::channel();
    // ANCHOR: wrong
    let mut threads = Vec::new();
    for _ in 0..workers {
        let (jobs, work) = (Arc::clone(&jobs), Arc::clone(&work));
        let results = results.clone();
        let token = group.token();
        threads.push(thread::spawn(move || {
            let _token = token;
            loop {
                let job = jobs.lock().unwrap().next();
                let Some(job) = job else { return };
                let _ = results.send(work(job));
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    // ANCHOR_END: wrong
    received
}
