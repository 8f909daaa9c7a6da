//! A thread that waits for rayon does another job meanwhile, and holds a lock.

use std::sync::{Mutex, OnceLock};

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "rayon-under-lock",
    title: "A lock held while rayon works",
    story: "A pool of two threads adds up. Job A locks the sum, computes two \
            halves side by side, adds them, and unlocks. Job B adds 10.",
    question: "Thread 1 runs job A. It has done its half, and waits for the \
               other one, which thread 2 has. Job B is in the queue. What \
               does thread 1 do?",
    answers: &[
        "It sleeps until thread 2 is done. Then A ends, and then B runs.",
        "It begins job B, and waits for ever for the lock that it holds.",
        "It panics: the lock is its own.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("rayon_under_lock.rs"),
        anchor: "broken",
        schedule: &[
            "thread 1", "thread 2", "main", "thread 1", "thread 1", "thread 2",
        ],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("rayon_under_lock.rs"),
        anchor: "fixed",
        schedule: &[
            "thread 1", "thread 2", "main", "thread 1", "thread 1",
            "thread 2", "thread 1",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A thread of rayon that waits for a part of its job does not sleep: \
          it takes another job, and runs it on top of the one that waits. \
          That one can go on only when the other returns. If the other wants \
          a lock that the first holds, neither ever does. The two jobs look \
          as if they were on two threads, and are on one stack.",
    found: "It hangs under load and not in a test of one job. In a debugger: \
            one stack with `lock` at its top, and further down the function \
            that holds the lock, with a call of rayon between them.",
    mend: "Hold no lock across a call of rayon: compute first, then lock, \
           add, and unlock. That goes for `join`, `scope`, `install` and \
           every parallel iterator, and for the borrow of a `RefCell` in a \
           thread's local storage too.",
};

// ANCHOR: names
/// Which of the two threads is this? Thread 1 is the one that asks first.
fn me(first: &OnceLock<Option<usize>>) -> &'static str {
    let index = rayon::current_thread_index();
    match *first.get_or_init(|| index) == index {
        true => "thread 1",
        false => "thread 2",
    }
}
// ANCHOR_END: names

// ANCHOR: broken
fn broken(stage: &Stage) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
    let (sum, first) = (Mutex::new(0), OnceLock::new());
    pool.build().unwrap().in_place_scope(|scope| {
        scope.spawn(|_| {
            let a = stage.enter(me(&first));
            a.step("A: locks the sum");
            let mut sum = sum.lock().unwrap();
            let (left, right) = rayon::join(
                || {
                    a.step("A: left half done");
                    1
                },
                || {
                    let other = stage.enter(me(&first));
                    other.step("A: begins right half");
                    other.step("A: right half done");
                    2
                },
            );
            *sum += left + right;
            a.step("A: adds, and unlocks");
        });
        let main = stage.enter("main");
        main.step("puts in job B");
        scope.spawn(|_| {
            let b = stage.enter(me(&first));
            b.waits("B: waits for the lock");
            *sum.lock().unwrap() += 10;
        });
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2);
    let (sum, first) = (Mutex::new(0), OnceLock::new());
    pool.build().unwrap().in_place_scope(|scope| {
        scope.spawn(|_| {
            let a = stage.enter(me(&first));
            a.step("A: begins, no lock");
            let (left, right) = rayon::join(
                || {
                    a.step("A: left half done");
                    1
                },
                || {
                    let other = stage.enter(me(&first));
                    other.step("A: begins right half");
                    other.step("A: right half done");
                    2
                },
            );
            a.step("A: locks, and adds 3");
            *sum.lock().unwrap() += left + right;
        });
        let main = stage.enter("main");
        main.step("puts in job B");
        scope.spawn(|_| {
            let b = stage.enter(me(&first));
            b.step("B: locks, and adds 10");
            *sum.lock().unwrap() += 10;
        });
    });
    stage.say(format!("the sum is {}", sum.into_inner().unwrap()));
}
// ANCHOR_END: fixed
