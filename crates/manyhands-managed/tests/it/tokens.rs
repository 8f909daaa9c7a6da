//! Pools that are cancelled, and what hears of it.

use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{CancelToken, WorkerPool};
use manyhands_managed::Stop;

use crate::support::{Held, Work, pool};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_job_that_looks_at_the_token_ends_with_its_pool() {
    watchdog(|| {
        let pool = pool(1, 1, |builder| builder);
        let token = pool.token().clone();
        let work = Work::new(move || {
            assert!(token.wait_timeout(HOUR));
            Ok(1)
        });
        pool.submit(work).unwrap();
        while pool.snapshot().running == 0 {
            thread::yield_now();
        }
        pool.submit(Work::says(2)).unwrap();
        let end = pool.stop(Stop::DrainFor(Duration::from_millis(1)));
        assert!(end.is_complete());
        assert_eq!((end.done, end.cancelled), (1, 1));
    });
}

#[test]
fn a_pool_is_cancelled_by_the_token_that_it_was_given_and_not_the_reverse() {
    watchdog(|| {
        let service = CancelToken::new();
        let make = || pool(1, 3, |builder| builder.cancelled_by(&service));
        let (one, other) = (make(), make());
        one.cancel();
        assert!(one.token().is_cancelled());
        assert!(!service.is_cancelled() && !other.token().is_cancelled());
        let (work, held) = Held::work(1);
        other.submit(work).unwrap();
        held.wait_until_started();
        other.submit(Work::says(2)).unwrap();
        service.cancel();
        assert!(other.submit(Work::says(3)).is_err());
        assert!(other.recv().unwrap().outcome.is_cancelled());
        held.let_go();
        assert_eq!(other.recv().unwrap().done(), Some(Ok(1)));
        assert!(other.recv().is_none());
    });
}

#[test]
fn a_drain_does_not_cancel_the_token() {
    watchdog(|| {
        let pool = pool(1, 3, |builder| builder);
        pool.submit(Work::says(1)).unwrap();
        assert!(pool.stop(Stop::Drain).is_complete());
        assert!(!pool.token().is_cancelled());
    });
}
