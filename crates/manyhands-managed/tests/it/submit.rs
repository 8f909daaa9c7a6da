//! Deadlines, futures, and submitting from inside.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{TrySubmitError, WorkerPool};
use manyhands_managed::{ManagedPool, TryRecvError};

use crate::support::{Held, Woken, Work, over_each, pool};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_submit_with_a_deadline_gives_the_job_back_when_there_is_no_place() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(0),
            |pool| {
                let (work, held) = Held::work(1);
                pool.submit(work).unwrap();
                let limit = Duration::from_millis(20);
                let before = Instant::now();
                let refused = pool.submit_timeout(Work::says(2), limit);
                assert!(before.elapsed() >= limit);
                let Err(TrySubmitError::Full(work)) = refused else {
                    panic!("{refused:?}")
                };
                let refused = pool.submit_until(work, Instant::now() + limit);
                assert!(before.elapsed() >= 2 * limit);
                let Err(TrySubmitError::Full(work)) = refused else {
                    panic!("{refused:?}")
                };
                held.let_go();
                // There is a place before the completion can be read.
                pool.recv().unwrap();
                pool.submit_timeout(work, Duration::ZERO).unwrap();
                assert_eq!(pool.recv().unwrap().done(), Some(Ok(2)));
            },
        );
    });
}

#[test]
fn a_submit_with_a_deadline_gets_the_place_that_comes_in_time() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        thread::scope(|scope| {
            let submitter =
                scope.spawn(|| pool.submit_timeout(Work::says(2), HOUR));
            held.let_go();
            submitter.join().unwrap().unwrap();
        });
    });
}

#[test]
fn a_submit_with_a_deadline_is_freed_by_a_close() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        thread::scope(|scope| {
            let submitter =
                scope.spawn(|| pool.submit_timeout(Work::says(2), HOUR));
            pool.close();
            assert!(submitter.join().unwrap().unwrap_err().is_closed());
        });
        held.let_go();
    });
}

#[test]
fn a_future_that_waits_for_a_place_is_woken_for_it() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut submit = pin!(pool.submit_async(Work::says(2)));
        assert!(submit.as_mut().poll(&mut context).is_pending());
        held.let_go();
        pool.recv().unwrap();
        assert_eq!(woken.times(), 1);
        assert!(matches!(submit.poll(&mut context), Poll::Ready(Ok(_))));
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(2)));
    });
}

#[test]
fn a_future_that_is_dropped_has_taken_no_place_and_no_turn() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let wakers = woken.clone().map(Waker::from);
        let mut first = Box::pin(pool.submit_async(Work::says(2)));
        let mut second = Box::pin(pool.submit_async(Work::says(3)));
        let mut poll_first =
            || first.as_mut().poll(&mut Context::from_waker(&wakers[0]));
        let mut poll_second =
            || second.as_mut().poll(&mut Context::from_waker(&wakers[1]));
        assert!(poll_first().is_pending());
        assert!(poll_second().is_pending());
        held.let_go();
        pool.recv().unwrap();
        // The first was called, and goes: its call is the second's now.
        assert_eq!([woken[0].times(), woken[1].times()], [1, 0]);
        drop(first);
        assert_eq!([woken[0].times(), woken[1].times()], [1, 1]);
        assert!(matches!(poll_second(), Poll::Ready(Ok(_))));
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(3)));
        assert_eq!(pool.snapshot().accepted, 2);
    });
}

#[test]
fn a_reader_that_is_dropped_hands_on_its_call() {
    watchdog(|| {
        let pool = pool(1, 1, |builder| builder);
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let wakers = woken.clone().map(Waker::from);
        let mut first = Box::pin(pool.recv_async());
        let mut second = Box::pin(pool.recv_async());
        let [mut one, mut two] =
            [&wakers[0], &wakers[1]].map(Context::from_waker);
        assert!(first.as_mut().poll(&mut one).is_pending());
        assert!(second.as_mut().poll(&mut two).is_pending());
        pool.submit(Work::says(1)).unwrap();
        while woken[0].times() == 0 {
            thread::yield_now();
        }
        drop(first);
        assert_eq!(woken[1].times(), 1);
        let Poll::Ready(Some(completion)) = second.as_mut().poll(&mut two)
        else {
            panic!("it was called for nothing")
        };
        assert_eq!(completion.done(), Some(Ok(1)));
    });
}

/// On a bare pool this hangs: the worker waits for a place that only it can
/// make free.
#[test]
fn a_job_that_submits_to_its_own_full_pool_does_not_wait() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(1).queue(1),
            |pool| {
                let pool = Arc::new(pool);
                let inner: Weak<ManagedPool<Work>> = Arc::downgrade(&pool);
                let (said, says) = channel();
                let parent = Work::new(move || {
                    let pool = inner.upgrade().unwrap();
                    // A queue of one: with these it is far beyond the bound.
                    for child in 1..=5 {
                        pool.submit(Work::says(child)).unwrap();
                    }
                    let refused = pool.try_submit(Work::says(6));
                    said.send(refused.unwrap_err().is_full()).unwrap();
                    Ok(0)
                });
                pool.submit(parent).unwrap();
                assert!(says.recv().unwrap(), "try_submit keeps to the bound");
                let answers: Vec<_> =
                    (0..6).map(|_| pool.recv().unwrap().done()).collect();
                let expected: Vec<_> = (0..6).map(|n| Some(Ok(n))).collect();
                assert_eq!(answers, expected);
            },
        );
    });
}

#[test]
fn who_waits_for_a_place_is_called_by_a_close_and_by_a_cancel() {
    watchdog(|| {
        let ends: [fn(&ManagedPool<Work>); 2] =
            [|pool| pool.close(), |pool| pool.cancel()];
        for end in ends {
            let pool = pool(1, 0, |builder| builder);
            let (work, held) = Held::work(1);
            pool.submit(work).unwrap();
            held.wait_until_started();
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let mut context = Context::from_waker(&waker);
            let mut submit = pin!(pool.submit_async(Work::says(2)));
            assert!(submit.as_mut().poll(&mut context).is_pending());
            end(&pool);
            assert_eq!(woken.times(), 1);
            let polled = submit.as_mut().poll(&mut context);
            assert!(matches!(polled, Poll::Ready(Err(_))));
            held.let_go();
        }
    });
}

#[test]
fn a_reader_with_a_deadline_waits_no_longer_and_says_when_it_is_the_end() {
    watchdog(|| {
        let pool = pool(1, 0, |builder| builder);
        let limit = Duration::from_millis(20);
        let before = Instant::now();
        let read = pool.recv_timeout(limit);
        assert_eq!(read.unwrap_err(), TryRecvError::Empty);
        assert!(before.elapsed() >= limit);
        pool.submit(Work::says(1)).unwrap();
        let read = pool.recv_timeout(HOUR);
        assert_eq!(read.unwrap().done(), Some(Ok(1)));
        pool.close();
        let read = pool.recv_timeout(HOUR);
        assert_eq!(read.unwrap_err(), TryRecvError::Ended);
        assert_eq!(pool.try_recv().unwrap_err(), TryRecvError::Ended);
    });
}
