//! A wake-up comes before anybody waits for it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "lost-wakeup",
    title: "A wake-up that nobody hears",
    story: "A worker takes a job from a queue, and sleeps while there is none. \
            Whoever brings a job wakes it.",
    question: "The worker sees an empty queue; before it sleeps, a job comes. \
               What happens?",
    answers: &[
        "The worker is woken as soon as it sleeps, and takes the job.",
        "The worker sleeps for ever, with a job in the queue.",
        "It does not compile: the queue is locked.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("lost_wakeup.rs"),
        anchor: "broken",
        schedule: &["worker", "producer", "producer", "worker"],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("lost_wakeup.rs"),
        anchor: "fixed",
        schedule: &["worker", "worker", "producer", "producer", "worker"],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A condition variable remembers nothing. A wake-up that comes while \
          nobody waits is gone, and between the look into the queue and the \
          wait the lock was free.",
    found: "A pool that stands still with jobs in its queue, now and then, and \
            goes on when one more job comes. In a debugger: every worker in \
            `Condvar::wait`, and the queue is not empty. A model checker \
            (loom, shuttle) finds it at once.",
    mend: "Look and wait under one lock: `wait` gives the lock back and begins \
           to wait in one step, so nobody can come in between. And look again \
           after each wake-up, in a `while`: some come for nothing.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let queue = Mutex::new(VecDeque::new());
    let came = Condvar::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let worker = stage.enter("worker");
            worker.step("looks: the queue is empty");
            let is_empty = queue.lock().unwrap().is_empty();
            // The lock is free here.
            if is_empty {
                worker.waits("waits to be woken");
                let guard = queue.lock().unwrap();
                drop(came.wait(guard).unwrap());
            }
            let job: Option<u32> = queue.lock().unwrap().pop_front();
            worker.step(format!("takes job {job:?}"));
        });
        let producer = stage.enter("producer");
        producer.step("puts job 1 into the queue");
        queue.lock().unwrap().push_back(1);
        producer.step("wakes who waits: nobody");
        came.notify_one();
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let queue = Mutex::new(VecDeque::new());
    let came = Condvar::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let worker = stage.enter("worker");
            worker.step("locks, and looks: the queue is empty");
            let mut guard = queue.lock().unwrap();
            while guard.is_empty() {
                worker.waits("waits to be woken; that frees the lock");
                guard = came.wait(guard).unwrap();
            }
            let job: Option<u32> = guard.pop_front();
            worker.step(format!("takes job {job:?}"));
        });
        let producer = stage.enter("producer");
        producer.step("locks, and puts job 1 into the queue");
        queue.lock().unwrap().push_back(1);
        producer.step("wakes who waits: the worker");
        came.notify_one();
    });
}
// ANCHOR_END: fixed
