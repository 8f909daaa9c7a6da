//! The pool that the last chapter of *The Rust Programming Language* builds:
//! boxed closures over a channel whose receiver the workers share in a mutex.
//! Its design, in other words than the book's.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};

use super::closures::{Closures, Execute};
use super::{Contender, Sizes, Way};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("rust-book", Way::Single, |sizes| {
            Closures::start(ThreadPool::start(sizes))
        })
        .bends("unbounded; no ids; a panic ends its worker"),
    ]
}

type Closure = Box<dyn FnOnce() + Send>;

struct ThreadPool {
    closures: Option<Sender<Closure>>,
    workers: Vec<JoinHandle<()>>,
}

impl ThreadPool {
    fn start(sizes: Sizes) -> Self {
        let (closures, queued) = channel();
        let queued = Arc::new(Mutex::new(queued));
        let worker = |_| {
            let queued = Arc::clone(&queued);
            spawn(move || work(&queued))
        };
        let workers = (0..sizes.workers).map(worker).collect();
        Self { closures: Some(closures), workers }
    }
}

fn work(queued: &Mutex<Receiver<Closure>>) {
    loop {
        // The lock is let go at the end of this statement, not of the loop's
        // body: otherwise the jobs would run one at a time.
        let next = queued.lock().expect("no job runs under the lock").recv();
        let Ok(closure) = next else { return };
        closure();
    }
}

impl Execute for ThreadPool {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let closures = self.closures.as_ref();
        let closures = closures.expect("open until it is dropped");
        closures.send(Box::new(job)).expect("its workers live");
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.closures = None;
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}
