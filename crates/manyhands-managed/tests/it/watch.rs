//! Counters and hooks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use manyhands_channel::ChannelPool;
use manyhands_conformance::watchdog;
use manyhands_core::{Job, WorkerPool, WorkerPoolExt};
use manyhands_managed::ManagedPool;

use crate::support::{Held, Work, over_each, pool};

#[test]
fn every_accepted_job_is_counted_in_one_place_at_any_moment() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(2).queue(8).fails_if(Result::is_err),
            |pool| {
                const JOBS: u32 = 2_000;
                let over = AtomicBool::new(false);
                thread::scope(|scope| {
                    let watcher = scope.spawn(|| {
                        let mut last = pool.snapshot();
                        let mut looks = 0_u32;
                        loop {
                            let now = pool.snapshot();
                            let (queued, running) =
                                (now.queued as u64, now.running as u64);
                            let ends = now.done
                                + now.failed
                                + now.panicked
                                + now.cancelled
                                + now.dropped;
                            assert_eq!(now.accepted, queued + running + ends);
                            assert!(now.running <= 2 && now.queued <= 10);
                            assert!(now.running <= now.most_running);
                            assert!(now.queued <= now.most_queued);
                            assert!(last.accepted <= now.accepted);
                            assert!(last.done <= now.done);
                            assert_eq!(now.oldest.is_some(), now.queued > 0);
                            (last, looks) = (now, looks + 1);
                            if over.load(Ordering::SeqCst) {
                                return looks;
                            }
                            thread::yield_now();
                        }
                    });
                    let kind = |n| match n % 4 {
                        0 => Work::new(move || Err(n)),
                        1 => Work::new(|| {
                            std::panic::resume_unwind(Box::new("quietly"))
                        }),
                        _ => Work::says(n),
                    };
                    pool.run_all((0..JOBS).map(kind), drop).unwrap();
                    over.store(true, Ordering::SeqCst);
                    assert!(watcher.join().unwrap() > 0);
                });
                let end = pool.snapshot();
                assert_eq!((end.done, end.failed), (1_000, 500));
                assert_eq!((end.panicked, end.unread), (500, 0));
            },
        );
    });
}

#[test]
fn the_oldest_job_is_the_one_that_waits_longest() {
    watchdog(|| {
        let pool = pool(1, 5, |builder| builder);
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        assert_eq!(pool.snapshot().oldest, None);
        pool.submit(Work::says(2)).unwrap();
        let little = Duration::from_millis(1);
        while pool.snapshot().oldest.unwrap() < little {
            thread::yield_now();
        }
        pool.submit(Work::says(3)).unwrap();
        assert!(pool.snapshot().oldest.unwrap() >= little);
        held.let_go();
    });
}

#[test]
fn who_wants_to_know_of_panics_is_told_of_each() {
    watchdog(|| {
        let (tell, told) = channel();
        let pool = pool(2, 5, |builder| {
            builder.on_panic(move |id, panic| {
                tell.send((id, panic.message().to_owned())).unwrap();
                panic!("contained as well");
            })
        });
        let first = pool.submit(Work::new(|| panic!("one"))).unwrap();
        assert_eq!(told.recv().unwrap(), (first, "one".to_owned()));
        assert!(pool.recv().unwrap().outcome.is_panicked());
        pool.submit(Work::says(2)).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(2)));
    });
}

/// Nobody receives what becomes of it.
struct Forgotten;

impl Job for Forgotten {
    type Output = ();
    const DETACHED: bool = true;
    fn run(self) {
        panic!("and not unheard");
    }
}

#[test]
fn a_panic_that_nobody_waits_for_is_told_and_counted() {
    watchdog(|| {
        let (tell, told) = channel();
        let pool = ManagedPool::<Forgotten>::builder()
            .workers(1)
            .on_panic(move |_, panic| {
                tell.send(panic.message().to_owned()).unwrap();
            })
            .over(ChannelPool::new)
            .unwrap();
        pool.submit(Forgotten).unwrap();
        assert_eq!(told.recv().unwrap(), "and not unheard");
        pool.close();
        assert!(pool.recv().is_none());
        let counts = pool.snapshot();
        assert_eq!((counts.panicked, counts.unread), (1, 0));
    });
}

#[test]
fn a_question_that_panics_counts_as_done() {
    watchdog(|| {
        let pool =
            pool(1, 5, |builder| builder.fails_if(|_| panic!("who knows")));
        pool.submit(Work::says(1)).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
        assert_eq!(pool.snapshot().done, 1);
    });
}

#[test]
fn the_most_that_there_was_at_once_is_kept() {
    watchdog(|| {
        let pool = pool(1, 5, |builder| builder);
        pool.pause();
        for n in 0..3 {
            pool.submit(Work::says(n)).unwrap();
        }
        pool.resume();
        (0..3).for_each(|_| drop(pool.recv().unwrap()));
        pool.submit(Work::says(3)).unwrap();
        drop(pool.recv().unwrap());
        let counts = pool.snapshot();
        assert_eq!((counts.most_queued, counts.most_running), (3, 1));
    });
}
