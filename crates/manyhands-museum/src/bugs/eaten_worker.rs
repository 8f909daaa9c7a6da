//! A panic ends a worker, and somebody waits for its result.

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "eaten-worker",
    title: "A panic that eats a worker",
    story: "Two workers divide 12 by numbers that the caller submits, 0 and 3. \
            The caller then waits for two results.",
    question: "Job 0 panics. What does the caller notice?",
    answers: &[
        "It panics as well.",
        "Its second `recv` returns an error.",
        "Nothing: it waits for the second result for ever.",
    ],
    right: 2,
    broken: Act {
        source: include_str!("eaten_worker.rs"),
        anchor: "broken",
        schedule: &[
            "worker 1", "caller", "worker 1", "worker 2", "caller",
            "worker 2", "worker 2", "caller", "caller", "caller",
        ],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("eaten_worker.rs"),
        anchor: "fixed",
        schedule: &[
            "worker 1", "caller", "worker 1", "worker 1", "worker 2",
            "caller", "worker 1", "worker 1", "caller", "caller", "caller",
            "caller",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A panic ends its thread and no other. Its sender is dropped, but \
          worker 2 has one too, so the channel of results stays open; and \
          worker 2 waits for jobs, since the caller may still submit some. The \
          result of job 0 never comes. From now on the pool has one worker \
          less; after two such jobs it would have none.",
    found: "Panics on stderr, and later a program that stands still. Fewer \
            threads than workers. A count of results that were sent against \
            jobs that were taken: they differ by the panics.",
    mend: "Catch the panic around the job, inside the loop, and send it as an \
           outcome like any other. A catch around the whole loop would report \
           it, and still lose the worker.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (jobs, waiting) = mpsc::channel::<u32>();
    let waiting = Mutex::new(waiting);
    let (results, finished) = mpsc::channel();
    let work = |name, results: Sender<u32>| {
        let worker = stage.enter(name);
        loop {
            worker.waits("waits for a job");
            let Ok(job) = waiting.lock().unwrap().recv() else { break };
            worker.step(format!("divides by {job}"));
            results.send(12 / job).unwrap();
        }
    };
    thread::scope(|scope| {
        let sender = results.clone();
        scope.spawn(|| work("worker 1", sender));
        scope.spawn(|| work("worker 2", results));
        let caller = stage.enter("caller");
        for job in [0, 3] {
            caller.step(format!("submits job {job}"));
            jobs.send(job).unwrap();
        }
        for _ in 0..2 {
            caller.waits("waits for a result");
            let result = finished.recv().unwrap();
            caller.step(format!("has {result}"));
        }
        drop(jobs);
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (jobs, waiting) = mpsc::channel::<u32>();
    let waiting = Mutex::new(waiting);
    let (results, finished) = mpsc::channel();
    let work = |name, results: Sender<thread::Result<u32>>| {
        let worker = stage.enter(name);
        loop {
            worker.waits("waits for a job");
            let Ok(job) = waiting.lock().unwrap().recv() else { break };
            worker.step(format!("divides by {job}"));
            results.send(catch_unwind(|| 12 / job)).unwrap();
        }
    };
    thread::scope(|scope| {
        let sender = results.clone();
        scope.spawn(|| work("worker 1", sender));
        scope.spawn(|| work("worker 2", results));
        let caller = stage.enter("caller");
        for job in [0, 3] {
            caller.step(format!("submits job {job}"));
            jobs.send(job).unwrap();
        }
        for _ in 0..2 {
            caller.waits("waits for a result");
            let result = finished.recv().unwrap();
            caller.step(format!("has {result:?}"));
        }
        drop(jobs);
    });
}
// ANCHOR_END: fixed
