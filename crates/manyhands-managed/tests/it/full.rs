//! What becomes of a job for which there is no place.

use std::sync::Arc;
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{JobId, Outcome, TrySubmitError, WorkerPool};
use manyhands_managed::{ManagedPool, WhenFull};

use crate::support::{Held, Work, pool};

/// One job runs, one is queued, and there is no place for a third.
fn full() -> (ManagedPool<Work>, Held, JobId) {
    let pool = pool(1, 1, |builder| builder);
    let (work, held) = Held::work(1);
    pool.submit(work).unwrap();
    held.wait_until_started();
    let queued = pool.submit(Work::says(2)).unwrap();
    (pool, held, queued)
}

/// What is still to be received, once the held job is let go.
fn rest(pool: &ManagedPool<Work>, held: Held) -> Vec<Option<u32>> {
    held.let_go();
    pool.close();
    let answer = |outcome: Outcome<Work>| match outcome {
        Outcome::Done(answer) => Some(answer.unwrap()),
        Outcome::Cancelled(_) => None,
        Outcome::Panicked(panic) => panic.resume(),
    };
    std::iter::from_fn(|| pool.recv()).map(|c| answer(c.outcome)).collect()
}

#[test]
fn with_a_place_every_policy_is_a_submit() {
    watchdog(|| {
        for policy in [
            WhenFull::Wait,
            WhenFull::Refuse,
            WhenFull::CallerRuns,
            WhenFull::DropNewest,
            WhenFull::DropOldest,
        ] {
            let pool = pool(1, 1, |builder| builder);
            let here = thread::current().id();
            let work = Work::new(move || {
                Ok(u32::from(thread::current().id() == here))
            });
            pool.offer(work, policy).unwrap();
            assert_eq!(pool.recv().unwrap().done(), Some(Ok(0)));
            pool.close();
            let refused = pool.offer(Work::says(1), policy);
            assert!(refused.unwrap_err().is_closed(), "{policy:?}");
        }
    });
}

#[test]
fn wait_waits_for_a_place() {
    watchdog(|| {
        let (pool, held, _) = full();
        thread::scope(|scope| {
            scope.spawn(|| pool.offer(Work::says(3), WhenFull::Wait).unwrap());
            held.let_go();
            let answers: u32 = (0..3)
                .map(|_| pool.recv().unwrap().done().unwrap().unwrap())
                .sum();
            assert_eq!(answers, 6);
        });
    });
}

#[test]
fn refuse_gives_the_job_back() {
    watchdog(|| {
        let (pool, held, _) = full();
        let refused = pool.offer(Work::says(3), WhenFull::Refuse);
        assert!(matches!(refused, Err(TrySubmitError::Full(_))));
        assert_eq!(rest(&pool, held), [Some(1), Some(2)]);
        assert_eq!(pool.snapshot().accepted, 2);
    });
}

#[test]
fn caller_runs_runs_it_here_and_now_and_answers_like_any_other() {
    watchdog(|| {
        let (pool, held, _) = full();
        let here = thread::current().id();
        let work =
            Work::new(move || Ok(u32::from(thread::current().id() == here)));
        let id = pool.offer(work, WhenFull::CallerRuns).unwrap();
        let completion = pool.try_recv().unwrap();
        assert_eq!((completion.id, completion.done()), (id, Some(Ok(1))));
        let panics = Work::new(|| panic!("contained"));
        pool.offer(panics, WhenFull::CallerRuns).unwrap();
        assert!(pool.try_recv().unwrap().outcome.is_panicked());
        assert_eq!(rest(&pool, held), [Some(1), Some(2)]);
    });
}

#[test]
fn drop_newest_gives_up_the_one_that_came() {
    watchdog(|| {
        let (pool, held, _) = full();
        let id = pool.offer(Work::says(3), WhenFull::DropNewest).unwrap();
        let completion = pool.try_recv().unwrap();
        assert!(completion.id == id && completion.outcome.is_cancelled());
        assert_eq!(rest(&pool, held), [Some(1), Some(2)]);
        let counts = pool.snapshot();
        assert_eq!((counts.done, counts.dropped), (2, 1));
    });
}

#[test]
fn drop_oldest_gives_up_the_one_that_waits_longest() {
    watchdog(|| {
        let (pool, held, queued) = full();
        pool.offer(Work::says(3), WhenFull::DropOldest).unwrap();
        let completion = pool.try_recv().unwrap();
        assert!(completion.id == queued && completion.outcome.is_cancelled());
        assert_eq!(rest(&pool, held), [Some(1), Some(3)]);
        assert_eq!(pool.snapshot().dropped, 1);
    });
}

#[test]
fn drop_oldest_gives_up_the_one_that_came_if_none_is_queued() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        let id = pool.offer(Work::says(2), WhenFull::DropOldest).unwrap();
        let completion = pool.try_recv().unwrap();
        assert!(completion.id == id && completion.outcome.is_cancelled());
        assert_eq!(rest(&pool, held), [Some(1)]);
    });
}

#[test]
fn drop_oldest_gives_up_one_for_one_also_beyond_the_bound() {
    watchdog(|| {
        let pool = Arc::new(pool(1, 1, |builder| builder));
        let inner = Arc::downgrade(&pool);
        let (held_work, held) = Held::work(100);
        let parent = Work::new(move || {
            let pool = inner.upgrade().unwrap();
            pool.submit(held_work).unwrap();
            for n in 0..10 {
                pool.submit(Work::says(n)).unwrap();
            }
            Ok(0)
        });
        pool.submit(parent).unwrap();
        held.wait_until_started();
        pool.offer(Work::says(11), WhenFull::DropOldest).unwrap();
        let counts = pool.snapshot();
        assert_eq!((counts.queued, counts.dropped), (10, 1));
        held.let_go();
    });
}
