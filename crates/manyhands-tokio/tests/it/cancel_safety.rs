//! Futures that are dropped before they are ready.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use manyhands_conformance::watchdog;
use manyhands_core::{Closed, WorkerPool};

use crate::{for_both_pools, waits, work, workers};

/// Knows whether it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn is_woken(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls a future once.
fn poll<F: Future>(future: Pin<&mut F>, flag: &Arc<Flag>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Arc::clone(flag).into()))
}

for_both_pools! {
    fn a_waiting_submit_that_is_dropped_takes_no_place() {
        let pool = Pool::new(workers(1)).unwrap();
        let (release, job) = waits(1);
        pool.submit(job).unwrap();
        {
            let waiting = pin!(pool.submit_async(work(async { 2 })));
            assert!(poll(waiting, &Flag::new()).is_pending());
        }
        release.send(()).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(1));
        assert_eq!(pool.try_submit(work(async { 3 })).unwrap().get(), 1);
        pool.close();
        assert_eq!(pool.recv().unwrap().done(), Some(3));
        assert!(pool.recv().is_none());
    }

    fn a_place_that_a_dropped_submit_was_told_of_goes_to_the_next() {
        let pool = Pool::new(workers(1)).unwrap();
        let (release, job) = waits(1);
        pool.submit(job).unwrap();
        let [first, second] = [(); 2].map(|()| Flag::new());
        let mut next = pin!(pool.submit_async(work(async { 3 })));
        {
            let waiting = pin!(pool.submit_async(work(async { 2 })));
            assert!(poll(waiting, &first).is_pending());
            // `waiting` lives to the end of this block.
            assert!(poll(next.as_mut(), &second).is_pending());
            release.send(()).unwrap();
            assert_eq!(pool.recv().unwrap().done(), Some(1));
            assert!(first.is_woken() && !second.is_woken());
        }
        assert!(second.is_woken());
        let Poll::Ready(Ok(id)) = poll(next, &second) else {
            panic!("the place was lost")
        };
        assert_eq!(id.get(), 1);
        assert_eq!(pool.recv().unwrap().done(), Some(3));
    }

    fn a_receive_that_is_dropped_takes_no_completion() {
        let pool = Pool::new(workers(1)).unwrap();
        let (release, job) = waits(1);
        pool.submit(job).unwrap();
        let [first, second] = [(); 2].map(|()| Flag::new());
        let mut next = pin!(pool.recv_async());
        {
            let waiting = pin!(pool.recv_async());
            assert!(poll(waiting, &first).is_pending());
            assert!(poll(next.as_mut(), &second).is_pending());
            release.send(()).unwrap();
            while !first.is_woken() {
                std::thread::yield_now();
            }
            assert!(!second.is_woken());
        }
        assert!(second.is_woken());
        let Poll::Ready(Some(completion)) = poll(next, &second) else {
            panic!("the completion was lost")
        };
        assert_eq!(completion.done(), Some(1));
    }

    fn close_and_cancel_give_a_waiting_submit_its_job_back() {
        for end in [WorkerPool::close, WorkerPool::cancel] {
            let pool = Pool::new(workers(1)).unwrap();
            let (_release, job) = waits(1);
            pool.submit(job).unwrap();
            let flag = Flag::new();
            let mut waiting = pin!(pool.submit_async(work(async { 2 })));
            assert!(poll(waiting.as_mut(), &flag).is_pending());
            end(&pool);
            assert!(flag.is_woken());
            let Poll::Ready(Err(Closed(job))) = poll(waiting, &flag) else {
                panic!("a closed pool accepted a job, or waits still")
            };
            let other = Pool::new(workers(1)).unwrap();
            other.submit(job).unwrap();
            assert_eq!(other.recv().unwrap().done(), Some(2));
        }
    }
}

#[test]
fn a_place_is_free_for_whoever_is_there_first() {
    watchdog(|| {
        let pool = manyhands_tokio::TaskPool::new(workers(1)).unwrap();
        let (release, job) = waits(1);
        pool.submit(job).unwrap();
        // Told of the place, it is in no hurry.
        let flag = Flag::new();
        let mut slow = pin!(pool.submit_async(work(async { 2 })));
        assert!(poll(slow.as_mut(), &flag).is_pending());
        release.send(()).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(1));
        assert!(flag.is_woken());

        // Every completion was received, so the pool is not full.
        let (release, job) = waits(3);
        assert!(pool.try_submit(job).is_ok());
        assert!(poll(slow.as_mut(), &flag).is_pending());
        release.send(()).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(3));
        assert!(poll(slow, &flag).is_ready());
        assert_eq!(pool.recv().unwrap().done(), Some(2));
    });
}
