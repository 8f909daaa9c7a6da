//! More workers, and fewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{BuildError, WorkerPool, WorkerPoolExt};
use manyhands_managed::ManagedPool;

use crate::support::{Count, Held, Woken, Work, over_each, pool};

/// As many jobs as that run at once.
fn assert_all_meet(pool: &ManagedPool<Work>, count: usize) {
    let here = Arc::new(AtomicUsize::new(0));
    for _ in 0..count {
        let here = Arc::clone(&here);
        let mut came = false;
        let work = Work::until(move || {
            if !came {
                here.fetch_add(1, Ordering::SeqCst);
                came = true;
            }
            (here.load(Ordering::SeqCst) == count).then_some(Ok(0))
        });
        pool.submit(work).unwrap();
    }
    for _ in 0..count {
        assert!(pool.recv().unwrap().outcome.is_done());
    }
}

#[test]
fn a_pool_that_grows_runs_as_many_at_once() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(8),
            |pool| {
                assert_all_meet(&pool, 1);
                pool.resize(4).unwrap();
                assert_eq!(pool.workers().get(), 4);
                assert_eq!(pool.bound().get(), 12);
                assert_all_meet(&pool, 4);
            },
        );
    });
}

#[test]
fn a_pool_that_grows_beside_a_job_that_takes_long_does_not_wait_for_it() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(8),
            |pool| {
                let (work, held) = Held::work(0);
                pool.submit(work).unwrap();
                held.wait_until_started();
                pool.submit(Work::says(1)).unwrap();
                pool.resize(3).unwrap();
                // On the new pool, beside the job on the old one.
                assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
                assert_all_meet(&pool, 2);
                held.let_go();
                assert_eq!(pool.recv().unwrap().done(), Some(Ok(0)));
                assert_all_meet(&pool, 3);
            },
        );
    });
}

#[test]
fn a_pool_that_shrinks_takes_up_no_more_than_its_new_size() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(3).queue(8),
            |pool| {
                let held: Vec<_> = (0..3)
                    .map(|n| {
                        let (work, held) = Held::work(n);
                        pool.submit(work).unwrap();
                        held
                    })
                    .collect();
                held.iter().for_each(Held::wait_until_started);
                pool.resize(1).unwrap();
                let (next, next_held) = Held::work(3);
                let (last, last_held) = Held::work(4);
                pool.submit(next).unwrap();
                pool.submit(last).unwrap();
                // Two end, and one still runs: as many as there may be.
                let mut held = held.into_iter();
                held.by_ref().take(2).for_each(Held::let_go);
                (0..2).for_each(|_| drop(pool.recv().unwrap()));
                assert_eq!(pool.snapshot().running, 1);
                assert!(!next_held.has_started());
                held.for_each(Held::let_go);
                pool.recv().unwrap();
                next_held.wait_until_started();
                assert_eq!(pool.snapshot().running, 1);
                assert!(!last_held.has_started());
                next_held.let_go();
                last_held.let_go();
                (0..2).for_each(|_| drop(pool.recv().unwrap()));
            },
        );
    });
}

#[test]
fn a_pool_that_is_resized_again_and_again_under_load_loses_nothing() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(2).queue(16),
            |pool| {
                const JOBS: u32 = 2_000;
                let over = AtomicBool::new(false);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        let mut sizes = [1, 4, 2, 3].into_iter().cycle();
                        while !over.load(Ordering::SeqCst) {
                            pool.resize(sizes.next().unwrap()).unwrap();
                            thread::yield_now();
                        }
                    });
                    let mut sum = 0;
                    let jobs = (0..JOBS).map(Work::says);
                    let fed = pool.run_all(jobs, |completion| {
                        sum += completion.done().unwrap().unwrap();
                    });
                    over.store(true, Ordering::SeqCst);
                    assert_eq!(fed.unwrap(), u64::from(JOBS));
                    assert_eq!(sum, (0..JOBS).sum::<u32>());
                });
                let counts = pool.snapshot();
                assert_eq!(counts.done, u64::from(JOBS));
                assert!(counts.most_running <= 4);
            },
        );
    });
}

#[test]
fn a_size_that_is_not_allowed_changes_nothing() {
    watchdog(|| {
        let pool = pool(2, 3, |builder| builder);
        let Err(BuildError::Config(error)) = pool.resize(0) else {
            panic!("it was resized to 0")
        };
        let said = "workers is 0, allowed is 1 to 1024";
        assert_eq!(error.to_string(), said);
        assert_eq!((pool.workers().get(), pool.bound().get()), (2, 5));
        assert_all_meet(&pool, 2);
    });
}

#[test]
fn a_job_may_resize_its_own_pool() {
    watchdog(|| {
        let pool = Arc::new(pool(1, 3, |builder| builder));
        let inner = Arc::downgrade(&pool);
        let work = Work::new(move || {
            inner.upgrade().unwrap().resize(2).unwrap();
            Ok(1)
        });
        pool.submit(work).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
        assert_all_meet(&pool, 2);
    });
}

#[test]
fn who_waits_for_a_place_is_called_when_a_pool_grows() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let mut waits = woken.clone().map(|woken| {
            let mut submits = Box::pin(pool.submit_async(Work::says(2)));
            let waker = Waker::from(woken);
            let mut context = Context::from_waker(&waker);
            assert!(submits.as_mut().poll(&mut context).is_pending());
            submits
        });
        pool.resize(3).unwrap();
        assert_eq!(woken.map(|woken| woken.times()), [1, 1]);
        let mut context = Context::from_waker(Waker::noop());
        for submits in &mut waits {
            assert!(submits.as_mut().poll(&mut context).is_ready());
        }
        held.let_go();
    });
}

#[test]
fn a_pool_that_is_resized_twice_beside_a_job_waits_for_it_neither_time() {
    watchdog(|| {
        let pool = pool(1, 3, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        pool.resize(2).unwrap();
        pool.resize(3).unwrap();
        pool.resize(2).unwrap();
        held.let_go();
    });
}

#[test]
fn a_job_that_starts_after_a_resize_starts_on_the_new_pool() {
    watchdog(|| {
        let pool = pool(2, 3, |builder| builder);
        let held = [(); 2].map(|()| {
            let (here, name) = channel();
            let (go, gone) = channel();
            let work = Work::new(move || {
                here.send(thread::current().id()).unwrap();
                gone.recv().unwrap();
                Ok(0)
            });
            pool.submit(work).unwrap();
            (name.recv().unwrap(), go)
        });
        let (here, name) = channel();
        let next = Work::new(move || {
            here.send(thread::current().id()).unwrap();
            Ok(1)
        });
        pool.submit(next).unwrap();
        pool.resize(1).unwrap();
        held.iter().for_each(|(_, go)| go.send(()).unwrap());
        let name = name.recv().unwrap();
        assert!(held.iter().all(|(old, _)| *old != name));
    });
}

#[test]
fn a_pool_that_is_no_longer_in_use_is_closed_at_once_and_gone_at_the_next() {
    watchdog(|| {
        let count = Count::default();
        let pool = count.pool(1);
        for resized in 1..10 {
            pool.resize(1 + resized % 2).unwrap();
            assert_eq!(count.closed.load(Ordering::SeqCst), resized);
            // The one in use, and the last before it.
            assert_eq!(count.alive.load(Ordering::SeqCst), 2);
        }
        drop(pool);
        assert_eq!(count.alive.load(Ordering::SeqCst), 0);
    });
}
