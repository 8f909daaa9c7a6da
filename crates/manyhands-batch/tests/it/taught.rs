//! The queue and its workers, without a pool.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use manyhands_batch::{Queue, worker};
use manyhands_conformance::watchdog;
use manyhands_core::results;

/// The jobs of each claim, in the order of the claims, with so many workers
/// to share.
fn claims(jobs: u32, workers: usize, most: usize) -> Vec<Vec<u32>> {
    let queue = Queue::new(workers);
    (0..jobs).for_each(|job| queue.send(job));
    queue.close();
    let mut claims = Vec::new();
    let mut batch = Vec::new();
    while queue.claim(&mut batch, most) {
        claims.push(std::mem::take(&mut batch));
    }
    claims
}

#[test]
fn a_claim_leaves_as_much_for_each_of_the_others() {
    watchdog(|| {
        let sizes = |jobs, workers| {
            let claims = claims(jobs, workers, usize::MAX);
            assert!(claims.concat().into_iter().eq(0..jobs), "in their order");
            claims.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(12, 3), [4, 3, 2, 1, 1, 1]);
        assert_eq!(sizes(5, 1), [5]);
        assert_eq!(sizes(2, 8), [1, 1]);
        assert_eq!(sizes(0, 3), []);
    });
}

#[test]
fn no_claim_is_larger_than_it_may_be() {
    watchdog(|| {
        let claims = claims(100, 2, 7);
        assert!(claims.iter().all(|batch| batch.len() <= 7));
        assert!(claims.concat().into_iter().eq(0..100));
    });
}

#[test]
fn a_claim_waits_for_a_job_and_a_close_ends_it() {
    watchdog(|| {
        let queue = Queue::new(1);
        thread::scope(|scope| {
            let claimer = scope.spawn(|| {
                let mut batch = Vec::new();
                assert!(queue.claim(&mut batch, 4));
                assert_eq!(batch, [7]);
                assert!(!queue.claim(&mut batch, 4), "the close is the end");
                assert_eq!(batch, [7]);
            });
            queue.send(7);
            // The job may be claimed after the close: it is not lost.
            queue.close();
            claimer.join().unwrap();
        });
    });
}

#[test]
fn workers_run_each_job_once_and_end_with_the_queue() {
    watchdog(|| {
        const JOBS: u64 = 10_000;
        let queue = Queue::new(3);
        let (sender, results) = results::channel();
        thread::scope(|scope| {
            for _ in 0..3 {
                let sender = sender.clone();
                scope.spawn(|| worker(&queue, sender, |job: u64| job));
            }
            drop(sender);
            (0..JOBS).for_each(|job| queue.send(job));
            queue.close();
            let mut received: Vec<_> = results.iter().collect();
            received.sort_unstable();
            assert!(received.into_iter().eq(0..JOBS));
        });
    });
}

#[test]
fn one_worker_runs_the_jobs_in_their_order() {
    watchdog(|| {
        let queue = Queue::new(1);
        let (sender, results) = results::channel();
        (0..1000).for_each(|job| queue.send(job));
        queue.close();
        let started = Mutex::new(Vec::new());
        worker(&queue, sender, |job: u32| started.lock().unwrap().push(job));
        assert!(started.into_inner().unwrap().into_iter().eq(0..1000));
        assert_eq!(results.iter().count(), 1000);
    });
}

#[test]
fn a_queue_shows_how_many_jobs_it_has() {
    let queue = Queue::new(1);
    queue.send(fastest());
    assert_eq!(
        format!("{queue:?}"),
        "Queue { jobs: 1, closed: false, .. }",
        "a job need not be Debug"
    );
}

/// A job that is not `Debug`.
fn fastest() -> impl FnOnce() {
    || {}
}

/// How many jobs each claim of a single worker took, seen from its jobs: what
/// is no longer in the queue is claimed. `work` is what each job does.
fn claimed(jobs: u32, work: impl Fn(u32)) -> Vec<usize> {
    let queue = Queue::new(1);
    (0..jobs).for_each(|job| queue.send(job));
    queue.close();
    let (sender, results) = results::channel();
    worker(&queue, sender, |job: u32| {
        work(job);
        let shown = format!("{queue:?}");
        let left = shown.strip_prefix("Queue { jobs: ").unwrap();
        left.split(',').next().unwrap().parse::<usize>().unwrap()
    });
    let mut left: Vec<usize> = results.iter().collect();
    left.dedup();
    let before = [jobs as usize].into_iter().chain(left.iter().copied());
    before.zip(&left).map(|(before, after)| before - after).collect()
}

#[test]
fn claims_of_brief_jobs_grow() {
    watchdog(|| {
        let claims = claimed(10_000, |_| ());
        assert_eq!(claims.iter().sum::<usize>(), 10_000);
        assert_eq!(claims[0], 1, "nothing was known");
        let most = *claims.iter().max().unwrap();
        assert!((2..=128).contains(&most), "{most} jobs in a claim");
    });
}

#[test]
fn slow_jobs_are_claimed_one_by_one_also_after_brief_ones() {
    watchdog(|| {
        // The time is what the job takes, not what is waited for.
        let slow = |job| match job < 1000 {
            true => {}
            false => thread::sleep(Duration::from_micros(200)),
        };
        let claims = claimed(1400, slow);
        // One that still went by the brief ones, at most, and then ones.
        let after = claims.iter().rposition(|&claim| claim > 1).unwrap();
        let singles = claims.len() - 1 - after;
        assert!(singles >= 400 - 128 - 1, "{singles} in a row: {claims:?}");
    });
}
