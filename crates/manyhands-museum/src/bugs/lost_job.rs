//! A worker that stops with a job in its hand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::unbounded;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "lost-job",
    title: "A job that is neither run nor handed back",
    story: "A worker takes jobs from a queue until it is told to stop. What \
            is in the queue then is taken back, to be run another day.",
    question: "Three jobs are in the queue. The worker runs job 1 and takes \
               job 2; now it is told to stop. What is taken back?",
    answers: &[
        "Jobs 2 and 3: what has not run is handed back.",
        "Job 3. Job 2 has been run.",
        "Job 3. Job 2 has not been run.",
    ],
    right: 2,
    broken: Act {
        source: include_str!("lost_job.rs"),
        anchor: "broken",
        schedule: &[
            "worker", "worker", "worker", "worker", "main", "main", "worker",
        ],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("lost_job.rs"),
        anchor: "fixed",
        schedule: &[
            "worker", "worker", "worker", "worker", "main", "main", "worker",
        ],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "Between the queue and the work, a job is in the worker's hand: a \
          local variable, which nobody else can see. Whoever returns there \
          drops it. The same with tasks: a future that is dropped at an \
          `.await` drops what it holds, and tokio's `select!` drops every \
          branch but the one that was first.",
    found: "Count: accepted = run + handed back, at the end of every run and \
            of every test that stops in the middle. Without the count, a job \
            is missing now and then, and nobody looks for it.",
    mend: "Every way out of the loop says what becomes of the job in hand: \
           it is run, or handed back. Here the worker returns it.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let (jobs, queue) = unbounded();
    (1..=3).for_each(|job| jobs.send(job).unwrap());
    let stop = AtomicBool::new(false);
    let ran: Vec<u32> = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let worker = stage.enter("worker");
            let mut ran = Vec::new();
            for job in &queue {
                worker.step(format!("takes job {job}"));
                worker.step("asks: shall I stop?");
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                worker.step(format!("runs job {job}"));
                ran.push(job);
            }
            ran
        });
        let main = stage.enter("main");
        main.step("tells the worker to stop");
        stop.store(true, Ordering::Relaxed);
        main.waits("waits for its end");
        running.join().unwrap()
    });
    let back: Vec<u32> = queue.try_iter().collect();
    stage.say(format!("of [1, 2, 3], {ran:?} ran, {back:?} came back"));
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let (jobs, queue) = unbounded();
    (1..=3).for_each(|job| jobs.send(job).unwrap());
    let stop = AtomicBool::new(false);
    let (ran, mut back) = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let worker = stage.enter("worker");
            let (mut ran, mut back) = (Vec::new(), Vec::new());
            for job in &queue {
                worker.step(format!("takes job {job}"));
                worker.step("asks: shall I stop?");
                if stop.load(Ordering::Relaxed) {
                    back.push(job);
                    break;
                }
                worker.step(format!("runs job {job}"));
                ran.push(job);
            }
            (ran, back)
        });
        let main = stage.enter("main");
        main.step("tells the worker to stop");
        stop.store(true, Ordering::Relaxed);
        main.waits("waits for its end");
        running.join().unwrap()
    });
    back.extend(queue.try_iter());
    stage.say(format!("of [1, 2, 3], {ran:?} ran, {back:?} came back"));
}
// ANCHOR_END: fixed
