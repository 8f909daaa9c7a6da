//! The end of a pool, and its report.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use manyhands::tokio::TaskPool;
use manyhands_conformance::watchdog;
use manyhands_core::WorkerPool;
use manyhands_managed::{ManagedBuilder, ManagedPool, Stop};
use tokio::runtime::Builder;

use crate::support::{Held, Work, over_each, pool};

fn failing(builder: ManagedBuilder<Work>) -> ManagedBuilder<Work> {
    builder.fails_if(Result::is_err)
}

#[test]
fn a_drain_runs_everything_and_says_what_became_of_it() {
    watchdog(|| {
        over_each(
            |builder| failing(builder.workers(2).queue(10)),
            |pool| {
                pool.submit(Work::says(1)).unwrap();
                pool.submit(Work::new(|| Err(2))).unwrap();
                pool.submit(Work::new(|| panic!("three"))).unwrap();
                let end = pool.stop(Stop::Drain);
                assert!(end.is_complete());
                assert_eq!((end.accepted, end.unread), (3, 3));
                assert_eq!((end.done, end.failed, end.panicked), (1, 1, 1));
                assert_eq!((end.cancelled, end.abandoned), (0, 0));
                assert!(pool.submit(Work::says(4)).is_err());
                let all = std::iter::from_fn(|| pool.recv()).count();
                assert_eq!(all, 3);
            },
        );
    });
}

#[test]
fn a_deadline_gives_back_what_is_queued_and_leaves_behind_what_runs() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(10),
            |pool| {
                let (work, held) = Held::work(1);
                pool.submit(work).unwrap();
                held.wait_until_started();
                for n in 0..3 {
                    pool.submit(Work::says(n)).unwrap();
                }
                let end = pool.stop(Stop::DrainFor(Duration::from_millis(5)));
                assert!(!end.is_complete());
                assert_eq!((end.accepted, end.done), (4, 0));
                assert_eq!((end.cancelled, end.abandoned), (3, 1));
                let back = (0..3).map(|_| pool.recv().unwrap());
                assert!(back.into_iter().all(|c| c.outcome.is_cancelled()));
                // Does not wait for the one that is held.
                drop(pool);
                held.let_go();
            },
        );
    });
}

#[test]
fn an_abort_starts_nothing_more_and_waits_for_what_is_about_to_end() {
    watchdog(|| {
        let pool = pool(1, 10, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        pool.submit(Work::says(2)).unwrap();
        held.let_go();
        let end = pool.stop(Stop::Abort);
        assert!(end.is_complete());
        assert_eq!(end.done + end.cancelled, 2);
    });
}

#[test]
fn a_paused_pool_is_drained() {
    watchdog(|| {
        let pool = pool(1, 3, |builder| builder);
        pool.pause();
        pool.submit(Work::says(1)).unwrap();
        assert_eq!(pool.stop(Stop::Drain).done, 1);
    });
}

#[test]
fn a_job_that_stops_its_own_pool_does_not_wait_for_itself() {
    watchdog(|| {
        let pool = Arc::new(pool(1, 3, |builder| builder));
        let inner = Arc::downgrade(&pool);
        let (tell, told) = channel();
        let work = Work::new(move || {
            let end = inner.upgrade().unwrap().stop(Stop::Drain);
            tell.send(end.abandoned).unwrap();
            Ok(1)
        });
        pool.submit(work).unwrap();
        assert_eq!(told.recv().unwrap(), 1);
        assert_eq!(pool.stop(Stop::Drain).done, 1);
    });
}

#[test]
fn a_failure_stops_a_pool_that_is_to_stop_at_one() {
    watchdog(|| {
        let first: [fn() -> Result<u32, u32>; 2] =
            [|| Err(0), || panic!("as good as an error")];
        for fails in first {
            let pool =
                pool(1, 10, |builder| failing(builder).stop_on_failure());
            pool.pause();
            pool.submit(Work::says(1)).unwrap();
            pool.submit(Work::new(fails)).unwrap();
            for n in 0..3 {
                pool.submit(Work::says(n)).unwrap();
            }
            let end = pool.stop(Stop::Drain);
            assert_eq!((end.done, end.cancelled), (1, 3));
            assert_eq!(end.failed + end.panicked, 1);
        }
    });
}

/// To block its one thread would be to wait for what only that thread can run.
#[test]
fn a_runtime_with_one_thread_drains_the_pool_that_runs_on_it() {
    watchdog(|| {
        let runtime = Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        runtime.block_on(async move {
            let pool = ManagedPool::<Work>::builder()
                .workers(1)
                .queue(3)
                .over_tasks(move |config| Ok(TaskPool::on(&handle, config)))
                .unwrap();
            pool.pause();
            for n in 0..3 {
                pool.submit_async(Work::says(n)).await.unwrap();
            }
            let end = pool.drain_async().await;
            assert!(end.is_complete());
            assert_eq!((end.done, end.unread), (3, 3));
            assert!(pool.submit_async(Work::says(3)).await.is_err());
        });
    });
}
