//! The program ends, and its jobs with it.

use std::sync::mpsc;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "early-exit",
    title: "A program that ends before its jobs",
    story: "The main thread starts a worker, gives it two jobs, and has nothing \
            else to do. So it returns.",
    question: "What becomes of the two jobs?",
    answers: &[
        "They are lost, and no error says so.",
        "They are run: a program ends when its last thread does.",
        "The program reports a thread that was not joined.",
    ],
    right: 0,
    broken: Act {
        source: include_str!("early_exit.rs"),
        anchor: "broken",
        schedule: &["main", "worker", "main", "main"],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("early_exit.rs"),
        anchor: "fixed",
        schedule: &[
            "main", "worker", "main", "main", "worker", "worker", "worker",
            "main",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A program ends when `main` returns, whatever its other threads do; \
          the exit code is 0. Here job 1 was begun and job 2 not even taken. \
          `thread::spawn` gives a handle, and dropping it detaches the thread.",
    found: "The last lines of a log are missing, or a file is cut off, now and \
            then, and most often on a busy machine. A sleep at the end of \
            `main` makes it rare, which hides it. Look for a `spawn` whose \
            handle nobody keeps.",
    mend: "Close the queue and join the worker. Or use `thread::scope`, which \
           joins its threads at its end, whether one thinks of it or not.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (jobs, waiting) = mpsc::channel();
    let everywhere = stage.clone();
    thread::spawn(move || {
        let worker = everywhere.enter("worker");
        for job in waiting {
            worker.step(format!("begins job {job}"));
            worker.step(format!("ends job {job}"));
        }
    });
    let main = stage.enter("main");
    for job in 1..=2 {
        main.step(format!("submits job {job}"));
        jobs.send(job).unwrap();
    }
    main.step("returns, and the program ends");
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (jobs, waiting) = mpsc::channel();
    let everywhere = stage.clone();
    let handle = thread::spawn(move || {
        let worker = everywhere.enter("worker");
        for job in waiting {
            worker.step(format!("begins job {job}"));
            worker.step(format!("ends job {job}"));
        }
    });
    let main = stage.enter("main");
    for job in 1..=2 {
        main.step(format!("submits job {job}"));
        jobs.send(job).unwrap();
    }
    drop(jobs); // No more jobs: the worker's loop can end.
    main.waits("waits for the worker's end");
    handle.join().unwrap();
    main.step("returns, and the program ends");
}
// ANCHOR_END: fixed
