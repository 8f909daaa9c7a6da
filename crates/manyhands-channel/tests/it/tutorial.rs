//! The observable behaviour of three Go programs:
//!
//! - Go by Example, "Worker Pools", <https://gobyexample.com/worker-pools>
//!   (CC BY 3.0);
//! - the "simple worker pool" of the Go notes on Stack Overflow's
//!   documentation;
//! - the worker pool of a Go tutorial on concurrency patterns, which is the
//!   first one again.

use std::collections::HashSet;
use std::sync::{Arc, Barrier, Mutex};

use crossbeam_channel::bounded;
use manyhands_channel::{scope, start, worker};
use manyhands_conformance::watchdog;
use manyhands_core::{join_all, results};

#[test]
fn five_jobs_on_three_workers_come_back_doubled() {
    watchdog(|| {
        let (jobs, results, workers) =
            start(3, 5, |_id, job| job * 2).unwrap();
        for job in 1..=5 {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        let mut doubled: Vec<i32> =
            (1..=5).filter_map(|_| results.recv()).collect();
        doubled.sort_unstable();
        assert_eq!(doubled, [2, 4, 6, 8, 10]);
        join_all(workers);
    });
}

#[test]
fn three_workers_with_ids_1_to_3_work_at_the_same_time() {
    watchdog(|| {
        // Each job waits until three are under way: one a worker.
        let together = Arc::new(Barrier::new(3));
        let (jobs, results, workers) = start(3, 3, move |id, _job: u8| {
            together.wait();
            id
        })
        .unwrap();
        for job in 0..3 {
            jobs.send(job).unwrap();
        }
        let ids: HashSet<_> = (0..3).filter_map(|_| results.recv()).collect();
        assert_eq!(ids, HashSet::from([1, 2, 3]));
        drop(jobs);
        join_all(workers);
    });
}

#[test]
fn a_worker_starts_jobs_in_the_order_they_were_sent() {
    watchdog(|| {
        let started = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&started);
        let (jobs, results, workers) = start(1, 5, move |_id, job: u32| {
            seen.lock().unwrap().push(job);
        })
        .unwrap();
        for job in 1..=5 {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        assert_eq!(results.iter().count(), 5);
        assert_eq!(*started.lock().unwrap(), [1, 2, 3, 4, 5]);
        join_all(workers);
    });
}

#[test]
fn results_end_when_the_last_worker_has_ended() {
    watchdog(|| {
        let (jobs, results, workers) =
            start(4, 100, |_id, job: u32| job).unwrap();
        for job in 0..100 {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        join_all(workers);
        assert_eq!(results.iter().sum::<u32>(), 4950);
        assert_eq!(results.recv(), None);
        assert_eq!(results.recv(), None);
    });
}

#[test]
fn all_jobs_may_be_sent_before_the_first_result_is_read() {
    watchdog(|| {
        // 5 + 5 places and 3 workers: the Go program hangs at the 14th job.
        let (jobs, results, workers) =
            start(3, 5, |_id, job: u32| job).unwrap();
        for job in 0..10_000 {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        assert_eq!(results.iter().count(), 10_000);
        join_all(workers);
    });
}

#[test]
fn a_source_may_be_empty() {
    watchdog(|| {
        let (jobs, results, workers) =
            start(2, 100, |_id, job: u32| job).unwrap();
        let no_more_jobs = || None::<u32>;
        while let Some(job) = no_more_jobs() {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        assert_eq!(results.recv(), None);
        join_all(workers);
    });
}

#[test]
fn a_reader_that_stops_early_strands_no_worker() {
    watchdog(|| {
        // In Go, with unbuffered results, every abandoned pool leaks its workers.
        let (jobs, results, workers) =
            start(3, 10, |_id, job: u32| job).unwrap();
        for job in 0..10 {
            jobs.send(job).unwrap();
        }
        assert!(results.recv().is_some());
        drop(results);
        drop(jobs);
        join_all(workers);
    });
}

#[test]
fn a_worker_runs_on_any_thread() {
    watchdog(|| {
        let (jobs, queued) = bounded(3);
        let (results, collected) = results::channel();
        for job in [1, 2, 3] {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        worker(7, queued, results, |id, job| id * 10 + job);
        assert_eq!(collected.iter().collect::<Vec<_>>(), [71, 72, 73]);
    });
}

#[test]
fn scoped_workers_borrow_and_are_gone_afterwards() {
    watchdog(|| {
        let text = String::from("a b c d");
        let seen = Mutex::new(Vec::new());
        let count = scope(
            3,
            1,
            |_id, word: &str| seen.lock().unwrap().push(word),
            |jobs, results| {
                for word in text.split(' ') {
                    jobs.send(word).unwrap();
                }
                drop(jobs);
                results.iter().count()
            },
        );
        assert_eq!(count, 4);
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, ["a", "b", "c", "d"]);
    });
}
