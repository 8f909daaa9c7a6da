//! What is asked of exercise 1.

use exercises::{Check, Gate, Gauge, Log, explore, same, thread};

use super::answer::share;

const WORKERS: usize = 3;
const JOBS: usize = 5;

/// Turns that a thread left behind gets to be done with its jobs: far more
/// than five jobs need, and far less than what is taken for spinning.
const LEFT_BEHIND: usize = 1_000;

pub fn checks() -> Vec<Check> {
    const STUCK: &str = "the jobs are not done, and nobody does them";
    vec![
        Check::new(
            "each_job_once",
            "each of the five jobs is run, and none twice",
            STUCK,
            || explore(each_job_once),
        ),
        Check::new(
            "returns_when_all_is_done",
            "when `share` returns, all five jobs have been run to their end",
            STUCK,
            || explore(returns_when_all_is_done),
        ),
        Check::new(
            "so_many_threads",
            "three threads run the jobs: no more, whatever the number of jobs",
            STUCK,
            || explore(so_many_threads),
        ),
        Check::new(
            "three_at_once",
            "three jobs run at the same time on three threads",
            "three jobs would each wait for the other two to begin, and they \
             never ran together",
            || explore(three_at_once),
        ),
        Check::new(
            "a_long_job_holds_up_one_thread",
            "while one thread has a long job, the others run all the rest",
            "a job waited for the one thread that had a long job, while the \
             other threads had nothing to do",
            || explore(a_long_job_holds_up_one_thread),
        ),
    ]
}

fn each_job_once() {
    let log = Log::new();
    let ran = log.clone();
    share(WORKERS, JOBS, move |job| {
        ran.note(job as u64);
        thread::yield_now();
    });
    // A thread that `share` has left behind may still have something to do;
    // that is for another check. What does not come at all is for this one.
    for _ in 0..LEFT_BEHIND {
        if log.all().len() >= JOBS {
            break;
        }
        thread::yield_now();
    }
    same("ran", &log.all(), &[0, 1, 2, 3, 4]);
}

fn returns_when_all_is_done() {
    let log = Log::new();
    let done = log.clone();
    share(WORKERS, JOBS, move |job| {
        thread::yield_now();
        done.note(job);
    });
    let done = log.all().len();
    if done < JOBS {
        panic!("`share` returned when {done} of {JOBS} jobs were done");
    }
}

fn so_many_threads() {
    let threads = Log::new();
    let seen = threads.clone();
    share(WORKERS, JOBS, move |_| {
        seen.note(thread::current().id());
        thread::yield_now();
    });
    let mut different = Vec::new();
    for thread in threads.all() {
        if !different.contains(&thread) {
            different.push(thread);
        }
    }
    if different.len() > WORKERS {
        let seen = different.len();
        panic!("{seen} threads ran jobs, and {WORKERS} were asked for");
    }
}

fn three_at_once() {
    let gate = Gate::new(WORKERS);
    let gauge = Gauge::new();
    let inside = gauge.clone();
    share(WORKERS, WORKERS, move |_| {
        inside.enter();
        gate.meet();
        inside.leave();
    });
}

fn a_long_job_holds_up_one_thread() {
    // Job 0 is as long as all others together.
    let others = Gate::new(JOBS - 1);
    let long = Gauge::new();
    share(WORKERS, JOBS, move |job| match job {
        0 => {
            long.enter();
            assert!(long.now() == 1, "the long job ran twice");
            others.wait();
        }
        _ => others.come(),
    });
}
