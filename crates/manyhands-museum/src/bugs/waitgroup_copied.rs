//! Who waits, and who is waited for, count on different copies.

use std::cell::Cell;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "waitgroup-copied",
    title: "A wait group that is copied",
    story: "A worker counts itself into a wait group when it begins, and out \
            of it when it has stopped. Main waits until the count is 0. The \
            worker was given the group by value, as a clone.",
    question: "The worker has counted itself in and is at work. Now main \
               waits. When does it go on?",
    answers: &[
        "When the worker has counted itself out.",
        "At once: its own count is 0.",
        "Never: its own count stays 1.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("waitgroup_copied.rs"),
        anchor: "broken",
        schedule: &["worker", "main", "main", "worker"],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("waitgroup_copied.rs"),
        anchor: "fixed",
        schedule: &["worker", "main", "worker", "main"],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A copy of a counter is another counter. The worker changes its \
          own, and main looks at one that nobody has ever changed. In Go a \
          `sync.WaitGroup` is copied by every assignment and every call that \
          takes it by value; here it takes a `clone()`.",
    found: "In Go by `go vet` (copylocks), and not by the race detector: \
            nothing is shared, so nothing races. By a test that looks whether \
            the workers have stopped when `wait` returns; nothing needs to \
            hang or to fail otherwise.",
    mend: "Share the counter: an `Arc`, or crossbeam's `WaitGroup`, in which \
           a clone is one more to wait for, a drop is one less, and `wait` \
           takes the group itself.",
};

// ANCHOR: broken
#[derive(Clone, Default)]
struct WaitGroup(Cell<i32>);

impl WaitGroup {
    fn add(&self, more: i32) {
        self.0.set(self.0.get() + more);
    }

    fn wait(&self) {
        while self.0.get() > 0 {
            thread::yield_now();
        }
    }
}

fn broken(stage: &Stage) {
    let stopped = WaitGroup::default();
    thread::scope(|scope| {
        let group = stopped.clone();
        scope.spawn(move || {
            let worker = stage.enter("worker");
            group.add(1);
            worker.step(format!("counts itself in: {}", group.0.get()));
            group.add(-1);
            worker.step(format!("counts itself out: {}", group.0.get()));
        });
        let main = stage.enter("main");
        main.step(format!("waits for 0: it is {}", stopped.0.get()));
        stopped.wait();
        main.step("goes on: all have stopped");
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let stopped = crossbeam_utils::sync::WaitGroup::new();
    thread::scope(|scope| {
        let group = stopped.clone(); // one more to wait for
        scope.spawn(move || {
            let worker = stage.enter("worker");
            worker.step("is at work");
            worker.step("has stopped: drops its handle");
            drop(group);
        });
        let main = stage.enter("main");
        main.waits("waits for the other handle");
        stopped.wait();
        main.step("goes on: all have stopped");
    });
}
// ANCHOR_END: fixed
