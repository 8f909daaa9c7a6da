//! What is asked of exercise 3.

use exercises::sync::Arc;
use exercises::{Check, Gate, Gauge, Log, explore, same, thread};

use super::answer::{WaitGroup, start};

pub fn checks() -> Vec<Check> {
    vec![
        Check::new(
            "nobody_to_wait_for",
            "`wait` returns at once if no token was ever made",
            "`wait` waits though there is no token: for a sender of its own",
            || explore(nobody_to_wait_for),
        ),
        Check::new(
            "wait_ends_with_the_last_token",
            "`wait` returns when the last of three tokens has been dropped, \
             and not before",
            "all tokens are gone, and `wait` does not return",
            || explore(wait_ends_with_the_last_token),
        ),
        Check::new(
            "each_result_once",
            "for each job there is one result",
            "the results do not come",
            || explore(each_result_once),
        ),
        Check::new(
            "the_results_end",
            "a loop over the results ends by itself when the last worker has \
             ended",
            "all results were read, and the loop waits for one more: a sender \
             of results is still alive somewhere",
            || explore(the_results_end),
        ),
        Check::new(
            "the_group_waits_for_the_workers",
            "after `wait` no worker is at work any more",
            "`wait` does not return, though the workers have no more jobs",
            || explore(the_group_waits_for_the_workers),
        ),
        Check::new(
            "the_workers_share_the_jobs",
            "two workers run two jobs at the same time",
            "the second job never began: one worker alone runs them",
            || explore(the_workers_share_the_jobs),
        ),
        Check::new(
            "start_does_not_wait",
            "`start` returns while its workers are at work",
            "`start` waits for its workers, and they are at work",
            || explore(start_does_not_wait),
        ),
    ]
}

fn nobody_to_wait_for() {
    WaitGroup::new().wait();
}

fn wait_ends_with_the_last_token() {
    let group = WaitGroup::new();
    let running = Gauge::new();
    for _ in 0..3 {
        let token = group.token();
        running.enter();
        let running = running.clone();
        thread::spawn(move || {
            thread::yield_now();
            running.leave();
            drop(token);
        });
    }
    group.wait();
    let left = running.now();
    assert!(left == 0, "`wait` returned while {left} tokens were held");
}

fn each_result_once() {
    let group = WaitGroup::new();
    let results = start(2, vec![1, 2, 3], Arc::new(|job| job * 10), &group);
    let mut seen = Vec::new();
    for _ in 0..3 {
        match results.recv() {
            Ok(result) => seen.push(result),
            Err(_) => panic!("the results ended after {} of 3", seen.len()),
        }
    }
    same("came out", &seen, &[10, 20, 30]);
}

fn the_results_end() {
    let group = WaitGroup::new();
    let results = start(2, vec![1, 2, 3], Arc::new(|job| job), &group);
    let seen: Vec<u64> = results.iter().collect();
    same("came out", &seen, &[1, 2, 3]);
}

fn the_group_waits_for_the_workers() {
    let group = WaitGroup::new();
    let done = Log::new();
    let log = done.clone();
    let work = move |job| {
        thread::yield_now();
        log.note(job);
        job
    };
    // Nobody reads before: the workers must not need that.
    let _results = start(2, vec![1, 2, 3], Arc::new(work), &group);
    group.wait();
    let done = done.all().len();
    assert!(done == 3, "`wait` returned when {done} of 3 jobs were done");
}

fn the_workers_share_the_jobs() {
    let group = WaitGroup::new();
    let gate = Gate::new(2);
    let together = gate.clone();
    let work = move |job| {
        together.meet();
        job
    };
    let _results = start(2, vec![1, 2], Arc::new(work), &group);
    gate.wait();
}

fn start_does_not_wait() {
    let group = WaitGroup::new();
    let gate = Gate::new(1);
    let opened = gate.clone();
    let work = move |job| {
        opened.wait();
        job
    };
    let results = start(2, vec![1, 2], Arc::new(work), &group);
    gate.come();
    for read in 0..2 {
        let result = results.recv();
        assert!(result.is_ok(), "the results ended after {read} of 2");
    }
}
