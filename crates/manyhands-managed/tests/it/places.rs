//! Places that are reserved.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use manyhands_conformance::watchdog;
use manyhands_core::WorkerPool;

use crate::support::{Woken, Work, pool};

#[test]
fn a_place_counts_until_it_is_used_or_dropped() {
    watchdog(|| {
        let pool = pool(1, 1, |builder| builder);
        let first = pool.try_reserve().unwrap();
        let second = pool.try_reserve().unwrap();
        assert!(pool.try_reserve().unwrap_err().is_full());
        assert!(pool.try_submit(Work::says(0)).unwrap_err().is_full());
        assert_eq!(pool.unfinished(), Some(0));
        drop(first);
        pool.pause();
        second.submit(Work::says(1)).unwrap();
        pool.try_submit(Work::says(2)).unwrap();
        assert!(pool.try_submit(Work::says(3)).unwrap_err().is_full());
        pool.resume();
        let answers = [pool.recv(), pool.recv()].map(|c| c.unwrap().done());
        assert_eq!(answers, [Some(Ok(1)), Some(Ok(2))]);
    });
}

#[test]
fn who_waits_for_a_place_gets_the_one_that_is_given_back() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let held = pool.try_reserve().unwrap();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut waits = pin!(pool.reserve_async());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(held);
        assert_eq!(woken.times(), 1);
        let Poll::Ready(Ok(place)) = waits.poll(&mut context) else {
            panic!("there is a place")
        };
        place.submit(Work::says(1)).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
    });
}

#[test]
fn a_close_refuses_what_has_a_place_and_who_waits_for_one() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let place = pool.try_reserve().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut waits = pin!(pool.reserve_async());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        pool.close();
        assert!(matches!(waits.poll(&mut context), Poll::Ready(Err(_))));
        let job = place.submit(Work::says(1)).unwrap_err().into_inner();
        drop(job);
        assert!(pool.try_reserve().unwrap_err().is_closed());
        assert!(pool.recv().is_none());
    });
}
