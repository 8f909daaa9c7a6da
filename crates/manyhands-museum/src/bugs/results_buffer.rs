//! All jobs are sent before the first result is read.

use std::sync::mpsc;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "results-buffer",
    title: "Results that nobody reads yet",
    story: "A worker takes jobs from one channel and sends results to another. \
            Both have room for one. The caller sends four jobs, and reads the \
            results afterwards.",
    question: "How far does it get?",
    answers: &[
        "All four results are read: the worker takes job after job.",
        "Three jobs are sent, and the fourth waits for ever.",
        "One job is sent: its result must be read before the next.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("results_buffer.rs"),
        anchor: "broken",
        schedule: &[
            "caller", "worker", "worker", "caller", "worker", "worker",
            "caller", "caller",
        ],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("results_buffer.rs"),
        anchor: "fixed",
        schedule: &[
            "caller", "sender", "worker", "worker", "sender", "worker",
            "worker", "sender", "sender", "caller", "caller", "worker",
            "worker", "caller", "worker", "worker", "caller", "caller",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "One result is in its channel, one is in the worker's hands, and one \
          job is in the other channel: that is all the room there is, 1 + 1 + \
          1. The caller waits for room for the fourth job, the worker for room \
          for its second result, and only the caller could make some. Larger \
          channels move the limit and do not take it away.",
    found: "A program that works with ten jobs and stands still with a hundred, \
            or after somebody has made a channel smaller. In a debugger: every \
            thread is in `send`.",
    mend: "Read while you send: send from a thread of its own, and read the \
           results in this one. Or bound the jobs only, and let the results \
           wait without a limit.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (jobs, waiting) = mpsc::sync_channel(1);
    let (results, finished) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || {
            let worker = stage.enter("worker");
            for job in waiting {
                worker.step(format!("runs job {job}"));
                worker.waits(format!("waits to send result {job}"));
                results.send(job).unwrap();
            }
        });
        let caller = stage.enter("caller");
        for job in 1..=4 {
            caller.waits(format!("waits to send job {job}"));
            jobs.send(job).unwrap();
        }
        drop(jobs);
        caller.waits("waits for a result");
        for result in finished {
            caller.waits(format!("has result {result}, waits for more"));
        }
        caller.step("has them all");
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (jobs, waiting) = mpsc::sync_channel(1);
    let (results, finished) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || {
            let worker = stage.enter("worker");
            for job in waiting {
                worker.step(format!("runs job {job}"));
                worker.waits(format!("waits to send result {job}"));
                results.send(job).unwrap();
            }
        });
        scope.spawn(move || {
            let sender = stage.enter("sender");
            for job in 1..=4 {
                sender.waits(format!("waits to send job {job}"));
                jobs.send(job).unwrap();
            }
        });
        let caller = stage.enter("caller");
        caller.waits("waits for a result");
        for result in finished {
            caller.waits(format!("has result {result}, waits for more"));
        }
        caller.step("has them all");
    });
}
// ANCHOR_END: fixed
