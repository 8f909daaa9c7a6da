//! A lock is held for as long as a job runs.

use std::sync::{Mutex, mpsc};
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "while-let-lock",
    title: "A lock that is held while the job runs",
    story: "Two workers share a queue of jobs: the receiver of a channel, in a \
            mutex. Each locks it, takes a job, and runs it.",
    question: "Worker 1 runs job 1. Where is worker 2 meanwhile?",
    answers: &[
        "It runs job 2: the lock is held only while a job is taken.",
        "It waits for the lock until job 1 has been run.",
        "That depends on the edition: since 2024 the lock is free at once.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("while_let_lock.rs"),
        anchor: "broken",
        schedule: &[
            "worker 1", "worker 1", "worker 2", "worker 1", "worker 2",
            "worker 1", "worker 2", "worker 2",
        ],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("while_let_lock.rs"),
        anchor: "fixed",
        schedule: &[
            "worker 1", "worker 1", "worker 2", "worker 2", "worker 1",
            "worker 2", "worker 1", "worker 2",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "What `while let` looks at lives until the end of its body: the \
          message, and also the guard of the lock that it was read through. So \
          the lock is held while the job runs, and the workers take turns. \
          Edition 2024 drops temporaries earlier in two places: before the \
          `else` of an `if let`, and in the last expression of a block. \
          `while let` and `match` are not among them.",
    found: "A pool that is no quicker with more workers. In a debugger: one \
            worker is in a job, and all others in `Mutex::lock`. Clippy's \
            `significant_drop_in_scrutinee` points at the line; it is off \
            unless asked for.",
    mend: "Take the job in a statement of its own. Its temporaries are dropped \
           at its semicolon, the guard among them, and the job runs without \
           the lock.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (sender, receiver) = mpsc::channel();
    for job in [1, 2] {
        sender.send(job).unwrap();
    }
    drop(sender);
    let receiver = Mutex::new(receiver);
    let work = |name| {
        let worker = stage.enter(name);
        let lock = || {
            worker.waits("waits for the lock");
            receiver.lock().unwrap()
        };
        while let Ok(job) = lock().recv() {
            worker.step(format!("begins job {job}"));
            worker.step(format!("ends job {job}"));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (sender, receiver) = mpsc::channel();
    for job in [1, 2] {
        sender.send(job).unwrap();
    }
    drop(sender);
    let receiver = Mutex::new(receiver);
    let work = |name| {
        let worker = stage.enter(name);
        let lock = || {
            worker.waits("waits for the lock");
            receiver.lock().unwrap()
        };
        loop {
            let Ok(job) = lock().recv() else { break };
            // The lock is free here.
            worker.step(format!("begins job {job}"));
            worker.step(format!("ends job {job}"));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
    });
}
// ANCHOR_END: fixed
