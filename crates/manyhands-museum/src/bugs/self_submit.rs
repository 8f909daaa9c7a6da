//! A job waits for its own pool.

use std::sync::mpsc;
use std::thread;

use crate::bug::{Act, Bug, Ends};
use crate::stage::{Actor, Stage};

pub(super) const BUG: Bug = Bug {
    name: "self-submit",
    title: "A job that waits for its own pool",
    story: "A pool has one worker, and a queue with room for one. Job 1 submits \
            a part of its work to the pool as job 2, and waits for its result.",
    question: "What happens?",
    answers: &[
        "Job 2 waits in the queue until job 1 ends, and job 1 for job 2.",
        "The worker runs job 2 while job 1 waits, and then goes on with it.",
        "It does not compile: a job cannot own a sender of its own queue.",
    ],
    right: 0,
    broken: Act {
        source: include_str!("self_submit.rs"),
        anchor: "broken",
        schedule: &["caller", "worker", "caller", "worker"],
        run: broken,
        ends: Ends::Hangs,
    },
    fixed: Act {
        source: include_str!("self_submit.rs"),
        anchor: "fixed",
        schedule: &["caller", "worker", "caller", "worker"],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A worker that waits runs nothing. Job 1 holds the only worker until \
          it has the result of job 2, and job 2 wants that worker. With more \
          workers it takes as many such jobs at once: the pool stands still \
          when the last worker waits. And where the queue is full, `send` is \
          the place where it waits.",
    found: "A pool that stands still under load, with a queue that is not \
            empty and no processor busy. In a debugger: every worker is in a \
            job, and each of them in `recv` or `send`. A test with one worker \
            shows it at once.",
    mend: "A job does not wait for jobs of its own pool. It runs the part \
           itself, as here; or it submits the rest of its work as a job and \
           ends; or the parts have a pool of their own. `join` and `scope` of \
           rayon are made for it: who waits in them runs other jobs meanwhile.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    type Job = Box<dyn FnOnce(&Actor<'_>) + Send>;
    let (pool, queue) = mpsc::sync_channel::<Job>(1);
    let caller = stage.enter("caller");
    thread::scope(|scope| {
        scope.spawn(move || {
            let worker = stage.enter("worker");
            queue.into_iter().for_each(|job| job(&worker));
        });
        caller.step("submits job 1");
        let same = pool.clone();
        let job = Box::new(move |worker: &Actor<'_>| {
            worker.step("job 1: submits job 2");
            let (sender, result) = mpsc::channel();
            same.send(Box::new(move |_| sender.send(42).unwrap())).unwrap();
            worker.waits("job 1: waits for the result of job 2");
            let result = result.recv().unwrap();
            worker.step(format!("job 1: has {result}"));
        });
        pool.send(job).unwrap();
        drop(pool);
        caller.waits("waits until all is done");
    });
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    type Job = Box<dyn FnOnce(&Actor<'_>) + Send>;
    let (pool, queue) = mpsc::sync_channel::<Job>(1);
    let caller = stage.enter("caller");
    thread::scope(|scope| {
        scope.spawn(move || {
            let worker = stage.enter("worker");
            queue.into_iter().for_each(|job| job(&worker));
        });
        caller.step("submits job 1");
        let job = Box::new(move |worker: &Actor<'_>| {
            worker.step("job 1: runs the part itself");
            let part = || 42;
            let result = part();
            worker.step(format!("job 1: has {result}"));
        });
        pool.send(job).unwrap();
        drop(pool);
        caller.waits("waits until all is done");
    });
}
// ANCHOR_END: fixed
