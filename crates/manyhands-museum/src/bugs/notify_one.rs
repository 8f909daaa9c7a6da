//! One is woken where all must be.

use std::sync::{Condvar, Mutex};
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "notify-one",
    title: "One is woken where all must be",
    story: "Two workers sleep until a queue has a job or is closed. There are \
            no jobs any more, so its owner closes it.",
    question: "The owner calls `notify_one`. Which workers end?",
    answers: &[
        "Both: the first one wakes the second as it ends.",
        "One. The other sleeps for ever.",
        "Both: each looks at the queue again after a while.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("notify_one.rs"),
        anchor: "broken",
        schedule: &[
            "worker 1", "worker 1", "worker 2", "worker 2", "owner", "owner",
            "worker 1",
        ],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("notify_one.rs"),
        anchor: "fixed",
        schedule: &[
            "worker 1", "worker 1", "worker 2", "worker 2", "owner", "owner",
            "worker 1", "worker 2",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "`notify_one` wakes one of those who wait, and nobody passes it on. \
          That is right for a job, which one worker takes. The end of the \
          queue concerns them all.",
    found: "A pool that does not end, with all its jobs done; with one worker \
            it does. In a debugger: workers in `Condvar::wait`, and the queue \
            is closed. A test with at least two idle workers shows it.",
    mend: "`notify_all` for what concerns all: the end, a cancel, a limit that \
           has changed. If in doubt, always: each looks again after it was \
           woken, so a wake-up too many costs time and is never wrong.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let is_closed = Mutex::new(false);
    let changed = Condvar::new();
    let work = |name| {
        let worker = stage.enter(name);
        worker.step("locks, and looks: no job");
        let mut guard = is_closed.lock().unwrap();
        while !*guard {
            worker.waits("waits to be woken");
            guard = changed.wait(guard).unwrap();
        }
        drop(guard);
        worker.step("sees the end, and ends");
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
        let owner = stage.enter("owner");
        owner.step("closes the queue");
        *is_closed.lock().unwrap() = true;
        owner.step("wakes one who waits");
        changed.notify_one();
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let is_closed = Mutex::new(false);
    let changed = Condvar::new();
    let work = |name| {
        let worker = stage.enter(name);
        worker.step("locks, and looks: no job");
        let mut guard = is_closed.lock().unwrap();
        while !*guard {
            worker.waits("waits to be woken");
            guard = changed.wait(guard).unwrap();
        }
        drop(guard);
        worker.step("sees the end, and ends");
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
        let owner = stage.enter("owner");
        owner.step("closes the queue");
        *is_closed.lock().unwrap() = true;
        owner.step("wakes all who wait");
        changed.notify_all();
    });
}
// ANCHOR_END: fixed
