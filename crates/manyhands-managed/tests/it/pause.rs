//! Pause and resume.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError::Timeout, channel};
use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::WorkerPool;
use manyhands_managed::{TryRecvError, WhenFull};

use crate::support::{Count, Held, Work, over_each, pool};

#[test]
fn a_paused_pool_accepts_up_to_its_bound_and_starts_nothing() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(2).queue(1),
            |pool| {
                pool.pause();
                for n in 0..3 {
                    pool.try_submit(Work::says(n)).unwrap();
                }
                let full = pool.try_submit(Work::says(3)).unwrap_err();
                assert!(full.is_full());
                let counts = pool.snapshot();
                assert_eq!((counts.queued, counts.running), (3, 0));
                assert!(counts.is_paused && counts.is_open);
                pool.resume();
                pool.close();
                let done: u32 = std::iter::from_fn(|| pool.recv())
                    .map(|c| c.done().unwrap().unwrap())
                    .sum();
                assert_eq!(done, 3);
            },
        );
    });
}

#[test]
fn a_job_that_runs_goes_on_to_its_end_and_the_next_waits() {
    watchdog(|| {
        let pool = pool(1, 1, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        pool.submit(Work::says(2)).unwrap();
        pool.pause();
        held.let_go();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
        assert_eq!(pool.snapshot().queued, 1);
        assert_eq!(pool.try_recv().unwrap_err(), TryRecvError::Empty);
        pool.resume();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(2)));
    });
}

#[test]
fn a_paused_pool_that_is_dropped_runs_what_it_accepted() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(4),
            |pool| {
                let (tell, told) = std::sync::mpsc::channel();
                pool.pause();
                for n in 0..4 {
                    let tell = tell.clone();
                    let work = Work::new(move || {
                        tell.send(n).unwrap();
                        Ok(n)
                    });
                    pool.submit(work).unwrap();
                }
                drop((pool, tell));
                assert_eq!(told.iter().sum::<u32>(), 6);
            },
        );
    });
}

#[test]
fn a_cancel_gives_back_what_a_paused_pool_holds() {
    watchdog(|| {
        let pool = pool(1, 3, |builder| builder);
        pool.pause();
        for n in 0..3 {
            pool.submit(Work::says(n)).unwrap();
        }
        pool.cancel();
        let cancelled = std::iter::from_fn(|| pool.recv())
            .filter(|c| c.outcome.is_cancelled());
        assert_eq!(cancelled.count(), 3);
    });
}

#[test]
fn a_caller_runs_nothing_while_the_pool_is_paused() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        pool.pause();
        pool.submit(Work::says(1)).unwrap();
        thread::scope(|scope| {
            let policy = WhenFull::CallerRuns;
            let (tell, told) = channel();
            let work = Work::new(move || {
                tell.send(()).unwrap();
                Ok(2)
            });
            let pool = &pool;
            scope.spawn(move || pool.offer(work, policy).unwrap());
            let short = Duration::from_millis(20);
            assert_eq!(told.recv_timeout(short), Err(Timeout));
            pool.resume();
            told.recv().unwrap();
        });
    });
}

/// Else it would be taken and given back, again and again.
#[test]
fn a_paused_pool_gives_the_pool_below_nothing_to_do() {
    watchdog(|| {
        let count = Count::default();
        let pool = count.pool(1);
        pool.pause();
        pool.submit(Work::says(1)).unwrap();
        assert_eq!(count.given.load(Ordering::SeqCst), 0);
        pool.resume();
        assert_eq!(count.given.load(Ordering::SeqCst), 1);
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
    });
}
