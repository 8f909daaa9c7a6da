//! More comes than is done, and the queue takes it all.

use crossbeam_channel::{bounded, unbounded};

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "unbounded-queue",
    title: "A queue that takes everything",
    story: "A producer brings 3 jobs a tick, a worker does 2. Between them is \
            a queue, so that neither waits for the other.",
    question: "The worker does 2 jobs in every tick, from the first to the \
               last. How old are the jobs that it does in tick 300?",
    answers: &[
        "A tick or two: the worker is as quick as ever.",
        "100 ticks, and those in the next ticks are older.",
        "It does none: the producer has blocked on a full queue.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("unbounded_queue.rs"),
        anchor: "broken",
        schedule: &[],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("unbounded_queue.rs"),
        anchor: "fixed",
        schedule: &[],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "In each tick one job more comes than is done, and the queue keeps \
          it. A queue evens out a rush that ends; it does not make a worker \
          quicker. Without a bound nobody is told, so the memory and the age \
          of the oldest job climb until something else breaks.",
    found: "Not by the throughput, which is perfect. By the length of the \
            queue and the age of the oldest job in it: both rise in a \
            straight line. Later by the memory, or by answers that come \
            after everybody has stopped waiting.",
    mend: "Give the queue a bound, and decide what the producer does when it \
           is full: wait (`send`), or be told at once and have its job back \
           (`try_send`). The one slows it down, the other lets it say no. \
           What is accepted then has a wait that cannot grow.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    // A job is the tick in which it came.
    let (jobs, queue) = unbounded();
    for tick in 1..=300 {
        for _ in 0..3 {
            jobs.send(tick).unwrap();
        }
        let _one = queue.recv().unwrap();
        let two = queue.recv().unwrap();
        if tick % 60 == 0 {
            let (long, age) = (queue.len(), tick - two);
            stage.say(format!(
                "tick {tick:>3}: did 2, the last one {age} ticks old; \
                 {long} are left",
            ));
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    // A job is the tick in which it came.
    let (jobs, queue) = bounded(8);
    for tick in 1..=300 {
        let mut refused = 0;
        for _ in 0..3 {
            if jobs.try_send(tick).is_err() {
                refused += 1; // the error has the job in it
            }
        }
        let _one = queue.recv().unwrap();
        let two = queue.recv().unwrap();
        if tick % 60 == 0 {
            let (long, age) = (queue.len(), tick - two);
            stage.say(format!(
                "tick {tick:>3}: did 2, the last one {age} ticks old; \
                 {long} are left, {refused} refused",
            ));
        }
    }
}
// ANCHOR_END: fixed
