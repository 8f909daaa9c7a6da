//! A panic under a lock, and everybody's `unwrap` panics after it.

use std::collections::VecDeque;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "poisoned-queue",
    title: "A queue that is poisoned",
    story: "Two workers take numbers from a queue behind a mutex, 0 and 3, and \
            divide 12 by them. The owner of the queue adds another one later.",
    question: "Job 0 panics, in the statement that took it. What becomes of \
               job 3?",
    answers: &[
        "Worker 2 runs it: the panic has freed the lock.",
        "It stays in the queue, and whoever locks it panics too.",
        "It stays in the queue, and worker 2 waits for the lock for ever.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("poisoned_queue.rs"),
        anchor: "broken",
        schedule: &["worker 1", "worker 2", "owner"],
        run: broken,
        ends: Ends::Panics,
    },
    fixed: Act {
        source: include_str!("poisoned_queue.rs"),
        anchor: "fixed",
        schedule: &[
            "worker 1", "worker 1", "worker 1", "worker 2", "worker 2",
            "worker 2", "owner",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "The guard of the lock lives to the end of its statement, and the job \
          was run in that statement: so it panicked with the lock held. The \
          lock is freed, and marked as poisoned, for what it protects may be \
          half changed. From then on each `lock` returns an error, and each \
          `unwrap` of it is a panic.",
    found: "One panic with a message of its own, and then many with \
            `PoisonError`. The first is the one to look at.",
    mend: "Take the job in one statement and run it in the next: no foreign \
           code under the lock. Then nothing can panic there. Where something \
           may, and what is behind the lock is whole all the same, go on with \
           `unwrap_or_else(PoisonError::into_inner)`.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let queue = Mutex::new(VecDeque::from([0, 3]));
    let work = |name| {
        let worker = stage.enter(name);
        worker.step("takes a job and runs it");
        let result = 12 / queue.lock().unwrap().pop_front().unwrap();
        worker.step(format!("has {result}"));
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
        let owner = stage.enter("owner");
        owner.step("adds a job");
        queue.lock().unwrap().push_back(4);
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let queue = Mutex::new(VecDeque::from([0, 3]));
    let work = |name| {
        let worker = stage.enter(name);
        worker.step("takes a job");
        let job: u32 = queue.lock().unwrap().pop_front().unwrap();
        worker.step(format!("runs job {job}, without the lock"));
        let result = catch_unwind(|| 12 / job);
        worker.step(format!("has {:?}", result.ok()));
    };
    thread::scope(|scope| {
        scope.spawn(|| work("worker 1"));
        scope.spawn(|| work("worker 2"));
        let owner = stage.enter("owner");
        owner.step("adds a job");
        queue.lock().unwrap().push_back(4);
    });
}
// ANCHOR_END: fixed
