//! Results are taken in the order in which they come, for that of the jobs.

use std::sync::mpsc;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "assumed-order",
    title: "Results that are taken to be in order",
    story: "Two workers square a number each: worker 1 has 3, worker 2 has \
            10. Main collects what comes, and writes each result beside its \
            number.",
    question: "Worker 2 is done first. What does main write?",
    answers: &[
        "3 squared is 9, 10 squared is 100.",
        "3 squared is 100, 10 squared is 9.",
        "10 squared is 100, 3 squared is 9.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("assumed_order.rs"),
        anchor: "broken",
        schedule: &["worker 1", "worker 2", "worker 2", "worker 1"],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("assumed_order.rs"),
        anchor: "fixed",
        schedule: &["worker 1", "worker 2", "worker 2", "worker 1"],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A queue keeps the order in which things are put into it. Jobs are \
          taken in order, and with more than one worker they are done in any \
          order, so the results come in any order. With one worker, or jobs \
          of the same length, it goes well for a long time.",
    found: "With jobs of unequal length, and a test that compares every \
            result with its input. A sum or a count is right in any order, \
            and shows nothing.",
    mend: "A result brings along whose it is: an id, the index, or the input \
           itself. Main puts it where it belongs. Or let something keep the \
           order that promises to: rayon's `collect`, or the join handles, \
           asked in order.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let numbers = [3, 10];
    let (results, came) = mpsc::channel();
    thread::scope(|scope| {
        for (name, n) in ["worker 1", "worker 2"].into_iter().zip(numbers) {
            let results = results.clone();
            scope.spawn(move || {
                let worker = stage.enter(name);
                worker.step(format!("takes {n}"));
                worker.step(format!("sends {}", n * n));
                results.send(n * n).unwrap();
            });
        }
    });
    drop(results);
    for (n, square) in numbers.iter().zip(came) {
        stage.say(format!("{n} squared is {square}"));
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let numbers = [3, 10];
    let (results, came) = mpsc::channel();
    thread::scope(|scope| {
        let names = ["worker 1", "worker 2"].into_iter();
        for (name, (id, n)) in names.zip(numbers.into_iter().enumerate()) {
            let results = results.clone();
            scope.spawn(move || {
                let worker = stage.enter(name);
                worker.step(format!("takes {n}, which is job {id}"));
                worker.step(format!("sends {}, of job {id}", n * n));
                results.send((id, n * n)).unwrap();
            });
        }
    });
    drop(results);
    let mut squares = [0; 2];
    for (id, square) in came {
        squares[id] = square;
    }
    for (n, square) in numbers.iter().zip(squares) {
        stage.say(format!("{n} squared is {square}"));
    }
}
// ANCHOR_END: fixed
