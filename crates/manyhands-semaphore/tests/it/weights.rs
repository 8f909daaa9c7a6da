//! Jobs that weigh more than one permit.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{Outcome, WorkerPool, WorkerPoolExt};
use manyhands_semaphore::{SemaphorePool, WeightedError};

type Work = Box<dyn FnOnce() + Send>;
type Pool = SemaphorePool<Work>;

fn pool(permits: usize) -> Pool {
    SemaphorePool::builder().workers(permits).build().unwrap()
}

fn nothing() -> Work {
    Box::new(|| ())
}

/// A job that ends when it is told, or nobody is left to tell it.
fn held() -> (Sender<()>, Work) {
    let (release, gate): (_, Receiver<()>) = channel();
    let work = move || {
        let _ = gate.recv();
    };
    (release, Box::new(work))
}

/// Waits until so many submitters wait for permits.
fn until_waiting(pool: &Pool, count: usize) {
    let waiting = format!("waiting: {count}");
    while !format!("{pool:?}").contains(&waiting) {
        thread::yield_now();
    }
}

fn is_whole(pool: &Pool, permits: usize) -> bool {
    format!("{pool:?}").contains(&format!("available: {permits}"))
}

#[test]
fn a_job_takes_the_permits_it_weighs_and_gives_them_back() {
    watchdog(|| {
        let pool = pool(3);
        let (release, two) = held();
        pool.submit_weighted(two, 2).unwrap();
        let refused = pool.try_submit_weighted(nothing(), 2).unwrap_err();
        assert!(refused.is_full() && !refused.is_closed());
        let (light, one) = held();
        pool.try_submit(one).unwrap();
        assert!(pool.try_submit(nothing()).unwrap_err().is_full());
        drop((release, light));
        assert_eq!(
            (pool.recv().is_some(), pool.recv().is_some()),
            (true, true)
        );
        pool.try_submit_weighted(nothing(), 3).unwrap();
    });
}

#[test]
fn a_weight_that_can_never_be_met_is_an_error_that_says_what_can() {
    watchdog(|| {
        let pool = pool(3);
        for permits in [0, 4, usize::MAX] {
            let line = format!("permits is {permits}, allowed is 1 to 3");
            let errors = [
                pool.submit_weighted(nothing(), permits).unwrap_err(),
                pool.try_submit_weighted(nothing(), permits).unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.to_string(), line);
                assert!(!error.is_full() && !error.is_closed());
                let weight =
                    WeightedError::Weight { job: (), permits, most: 3 };
                assert_eq!(format!("{error:?}"), format!("{weight:?}"));
                error.into_inner()();
            }
        }
        assert!(is_whole(&pool, 3));
        pool.submit_weighted(nothing(), 3).unwrap();
    });
}

#[test]
fn a_heavy_job_is_let_in_before_light_ones_that_came_later() {
    watchdog(|| {
        let pool = pool(2);
        let (release, light) = held();
        pool.submit(light).unwrap();
        thread::scope(|scope| {
            let heavy = scope.spawn(|| pool.submit_weighted(nothing(), 2));
            until_waiting(&pool, 1);
            // A permit is free, and is not for those who come later.
            assert!(pool.try_submit(nothing()).unwrap_err().is_full());
            let later = scope.spawn(|| pool.submit(nothing()));
            until_waiting(&pool, 2);
            drop(release);
            let heavy = heavy.join().unwrap().unwrap();
            assert!(heavy < later.join().unwrap().unwrap());
        });
    });
}

#[test]
fn never_more_weight_at_once_than_there_are_permits() {
    watchdog(|| {
        const PERMITS: usize = 3;
        let pool = pool(PERMITS);
        let running = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            for submitter in 0..3 {
                let (pool, running) = (&pool, &running);
                scope.spawn(move || {
                    for number in 0..100 {
                        let weight = (submitter + number) % PERMITS + 1;
                        let running = Arc::clone(running);
                        let job = move || {
                            let now =
                                running.fetch_add(weight, Ordering::SeqCst);
                            assert!(now + weight <= PERMITS);
                            thread::yield_now();
                            running.fetch_sub(weight, Ordering::SeqCst);
                        };
                        pool.submit_weighted(Box::new(job), weight).unwrap();
                    }
                });
            }
        });
        pool.close();
        let done = pool.completions().filter(|it| it.outcome.is_done());
        assert_eq!(done.count(), 300);
        assert!(is_whole(&pool, PERMITS));
    });
}

#[test]
fn a_panic_gives_all_permits_back() {
    watchdog(|| {
        let pool = pool(3);
        let panics = || resume_unwind(Box::new("too heavy"));
        pool.submit_weighted(Box::new(panics), 3).unwrap();
        assert!(pool.recv().unwrap().outcome.is_panicked());
        pool.try_submit_weighted(nothing(), 3).unwrap();
    });
}

#[test]
fn a_job_that_cancel_gives_back_gives_all_permits_back() {
    watchdog(|| {
        let begins = Arc::new(Barrier::new(2));
        let begin = Arc::clone(&begins);
        // Its thread is started, and does not come to it before the cancel.
        let builder = SemaphorePool::<Work>::builder().workers(3);
        let pool = builder.on_start(move |_| {
            begin.wait();
        });
        let pool = pool.build().unwrap();
        pool.submit_weighted(nothing(), 3).unwrap();
        pool.cancel();
        begins.wait();
        let outcome = pool.recv().unwrap().outcome;
        assert!(matches!(outcome, Outcome::Cancelled(_)));
        assert!(is_whole(&pool, 3));
    });
}

#[test]
fn a_closed_pool_gives_a_heavy_job_back_also_one_that_waits() {
    watchdog(|| {
        let pool = pool(2);
        let (release, light) = held();
        pool.submit(light).unwrap();
        thread::scope(|scope| {
            let heavy = scope.spawn(|| pool.submit_weighted(nothing(), 2));
            until_waiting(&pool, 1);
            pool.close();
            let refused = heavy.join().unwrap().unwrap_err();
            assert!(refused.is_closed());
            assert_eq!(refused.to_string(), "the pool is closed");
        });
        let refused = pool.try_submit_weighted(nothing(), 2).unwrap_err();
        assert!(refused.is_closed());
        drop(release);
    });
}
