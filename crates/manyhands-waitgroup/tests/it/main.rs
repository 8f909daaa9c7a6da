//! The observable behaviour of the Go tutorial "Worker Pools" (the
//! struct-based pool), and what the port must not carry over from it.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread;

use crossbeam_utils::sync::WaitGroup;
use manyhands_conformance::watchdog;
use manyhands_core::{BuildError, Spawn, Task, WorkerPool as _, join_all};
use manyhands_waitgroup::{WaitGroupPool, WorkerPool, submit_jobs};

struct Job {
    id: usize,
    value: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Result {
    job_id: usize,
    value: usize,
}

fn process(_worker: usize, job: Job) -> Result {
    Result { job_id: job.id, value: job.value }
}

fn ten_jobs() -> impl Iterator<Item = Job> {
    (0..10).map(|id| Job { id, value: id * 7 })
}

fn ten_results() -> Vec<Result> {
    (0..10).map(|job_id| Result { job_id, value: job_id * 7 }).collect()
}

#[test]
fn ten_typed_jobs_give_ten_typed_results_each_with_its_job() {
    watchdog(|| {
        let (mut wp, jobs, results) = WorkerPool::new(3, 10);
        wp.start_workers(process).unwrap();
        let submitter = thread::spawn(move || submit_jobs(jobs, ten_jobs()));
        let (print, printed) = mpsc::channel();
        let wg = WaitGroup::new();
        let done = wg.clone();
        let printer = thread::spawn(move || {
            results.into_iter().for_each(|r| print.send(r).unwrap());
            drop(done);
        });
        wp.wait();
        wg.wait();
        join_all([submitter, printer]);
        let mut got: Vec<_> = printed.iter().collect();
        got.sort();
        assert_eq!(got, ten_results());
    });
}

#[test]
fn results_may_be_collected_after_the_waiting_too() {
    // In Go, with places for fewer results than jobs, this order hangs.
    watchdog(|| {
        let (mut wp, jobs, results) = WorkerPool::new(3, 1);
        wp.start_workers(process).unwrap();
        submit_jobs(jobs, ten_jobs());
        wp.wait();
        let mut got: Vec<_> = results.into_iter().collect();
        got.sort();
        assert_eq!(got, ten_results());
    });
}

#[test]
fn results_stay_open_until_the_wait_group_is_done() {
    watchdog(|| {
        let (mut wp, jobs, results) = WorkerPool::new(2, 4);
        wp.start_workers(|_id, job: u32| job).unwrap();
        submit_jobs(jobs, [1, 2]);
        // Both results, but no end: the pool itself still holds a sender.
        let mut got = [results.recv(), results.recv()];
        got.sort();
        assert_eq!(got, [Some(1), Some(2)]);
        let waiter = thread::spawn(move || wp.wait());
        assert_eq!(results.recv(), None);
        join_all([waiter]);
    });
}

#[test]
fn a_worker_that_panics_is_done_all_the_same() {
    watchdog(|| {
        let (mut wp, jobs, results) = WorkerPool::new(2, 4);
        wp.start_workers(|_id, job: u32| {
            if job == 0 {
                std::panic::resume_unwind(Box::new("job 0"));
            }
            job
        })
        .unwrap();
        submit_jobs(jobs, 0..4);
        wp.wait();
        assert_eq!(results.iter().sum::<u32>(), 1 + 2 + 3);
    });
}

#[test]
fn workers_are_numbered_from_0() {
    watchdog(|| {
        let (mut wp, jobs, results) = WorkerPool::new(1, 1);
        wp.start_workers(|id, (): ()| id).unwrap();
        submit_jobs(jobs, [()]);
        wp.wait();
        assert_eq!(results.recv(), Some(0));
    });
}

#[test]
fn no_workers_are_refused_and_do_not_lose_the_jobs() {
    let built = catch_unwind(|| WorkerPool::<u32, u32>::new(0, 10));
    assert!(built.is_err());

    let built = WaitGroupPool::<fn()>::builder().workers(0).build();
    let Err(BuildError::Config(error)) = built else { panic!("built") };
    assert_eq!(error.to_string(), "workers is 0, allowed is 1 to 1024");
}

#[test]
fn the_pool_ends_its_results_without_being_dropped() {
    watchdog(|| {
        let pool = WaitGroupPool::builder().workers(2).build().unwrap();
        pool.submit(|| 1).unwrap();
        pool.close();
        assert_eq!(pool.recv().and_then(|c| c.done()), Some(1));
        assert!(pool.recv().is_none());
    });
}

#[test]
fn spawned_closures_answer_their_handles_and_pile_up_nowhere() {
    watchdog(|| {
        let pool: WaitGroupPool<Task<'static>> =
            WaitGroupPool::builder().workers(2).build().unwrap();
        assert_eq!(pool.spawn(|| 6 * 7).unwrap().join().unwrap(), 42);
        pool.close();
        assert!(pool.recv().is_none());
    });
}
