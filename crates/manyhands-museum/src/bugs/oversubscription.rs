//! Many more threads than cores, for jobs that only compute.

use std::collections::VecDeque;

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "oversubscription",
    title: "More threads than cores",
    story: "Eight jobs come at once, and each computes for 100 ticks. There \
            is one core. Each job is given a thread of its own, so that none \
            has to wait for another.",
    question: "Against one thread that does one job after the other: when is \
               the first job done, when the last?",
    answers: &[
        "The first as early, the last earlier: they run side by side.",
        "All about 8 times as early.",
        "The first about 8 times as late, and the last no earlier.",
    ],
    right: 2,
    broken: Act {
        source: include_str!("oversubscription.rs"),
        anchor: "broken",
        schedule: &[],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("oversubscription.rs"),
        anchor: "fixed",
        schedule: &[],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "A core does 100 ticks of work in 100 ticks, for however many \
          threads. It shares them out in turns, so all jobs are under way for \
          nearly the whole time, and all are done at its end. Each turn's end \
          costs a switch as well. The numbers follow from three assumptions, \
          which stand in the code; with a switch that is free, the first job \
          is still late.",
    found: "Count the threads that can run against the cores: the run queue \
            in `vmstat`, and many involuntary switches in `pidstat -w`. The \
            time a job takes grows with the number of threads, and the \
            throughput does not.",
    mend: "As many threads as cores for work that computes \
           (`std::thread::available_parallelism`); the other jobs wait in a \
           queue, where waiting costs nothing. Jobs that wait for something \
           else than the core may be more.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    // Assumed: one core, which takes the threads in turn; a job needs 100
    // ticks, a turn is 10, and to switch to another thread costs 1.
    let (need, turn, switch) = (100, 10, 1);
    let mut jobs = 1..=8;
    let threads = 1..=8; // a thread for each job
    let mut ready: VecDeque<_> =
        threads.zip(&mut jobs).map(|(id, job)| (id, job, need)).collect();
    let (mut now, mut sum) = (0, 0);
    while let Some((id, job, left)) = ready.pop_front() {
        now += turn;
        if left > turn {
            ready.push_back((id, job, left - turn));
        } else {
            stage.say(format!("tick {now}: job {job} is done"));
            sum += now;
            ready.extend(jobs.next().map(|job| (id, job, need)));
        }
        if ready.front().is_some_and(|(next, ..)| *next != id) {
            now += switch;
        }
    }
    stage.say(format!("a job is done at tick {}, on average", sum / 8));
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    // Assumed: one core, which takes the threads in turn; a job needs 100
    // ticks, a turn is 10, and to switch to another thread costs 1.
    let (need, turn, switch) = (100, 10, 1);
    let mut jobs = 1..=8;
    let threads = 1..=1; // a thread for each core
    let mut ready: VecDeque<_> =
        threads.zip(&mut jobs).map(|(id, job)| (id, job, need)).collect();
    let (mut now, mut sum) = (0, 0);
    while let Some((id, job, left)) = ready.pop_front() {
        now += turn;
        if left > turn {
            ready.push_back((id, job, left - turn));
        } else {
            stage.say(format!("tick {now}: job {job} is done"));
            sum += now;
            ready.extend(jobs.next().map(|job| (id, job, need)));
        }
        if ready.front().is_some_and(|(next, ..)| *next != id) {
            now += switch;
        }
    }
    stage.say(format!("a job is done at tick {}, on average", sum / 8));
}
// ANCHOR_END: fixed
