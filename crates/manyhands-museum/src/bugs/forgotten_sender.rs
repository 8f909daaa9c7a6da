//! A sender lives on that nobody sends with.

use std::sync::mpsc;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "forgotten-sender",
    title: "A sender that nobody dropped",
    story: "Each worker gets a clone of the sender of results. The caller reads \
            results until there are no more: until every sender is gone.",
    question: "Both workers have sent their result and ended. What does the \
               caller's loop do?",
    answers: &[
        "It ends: the senders went with the workers.",
        "It ends with an error: the channel is closed.",
        "It waits for ever.",
    ],
    right: 2,
    broken: Act {
        source: include_str!("forgotten_sender.rs"),
        anchor: "broken",
        schedule: &["caller", "worker 1", "caller", "worker 2", "caller"],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("forgotten_sender.rs"),
        anchor: "fixed",
        schedule: &[
            "caller", "worker 1", "caller", "worker 2", "caller", "caller",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A channel ends when its last sender is dropped. Each worker dropped \
          its clone; the sender that they were cloned from is still there, in \
          the variable `results` of the function that reads. It waits for \
          itself.",
    found: "All results are there, and the program does not end. In a \
            debugger: the only thread left is in `recv`. Find out who owns the \
            sender that was cloned, and when it is dropped.",
    mend: "Drop it before you read: `drop(results)`. Or move it into the \
           function that starts the workers, so that it ends there.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (results, finished) = mpsc::channel();
    thread::scope(|scope| {
        for name in ["worker 1", "worker 2"] {
            let results = results.clone();
            scope.spawn(move || {
                let worker = stage.enter(name);
                worker.step("sends its result, and ends");
                results.send(name).unwrap();
            });
        }
        let caller = stage.enter("caller");
        caller.waits("waits for a result");
        for name in finished {
            caller.waits(format!("has that of {name}, waits for more"));
        }
        caller.step("has them all");
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (results, finished) = mpsc::channel();
    thread::scope(|scope| {
        for name in ["worker 1", "worker 2"] {
            let results = results.clone();
            scope.spawn(move || {
                let worker = stage.enter(name);
                worker.step("sends its result, and ends");
                results.send(name).unwrap();
            });
        }
        drop(results); // Each worker has its own.
        let caller = stage.enter("caller");
        caller.waits("waits for a result");
        for name in finished {
            caller.waits(format!("has that of {name}, waits for more"));
        }
        caller.step("has them all");
    });
}
// ANCHOR_END: fixed
