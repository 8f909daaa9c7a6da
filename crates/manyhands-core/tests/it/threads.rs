use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use manyhands_conformance::watchdog;
use manyhands_core::Threads;

use crate::often;

#[test]
fn join_waits_also_for_threads_that_threads_have_started() {
    watchdog(|| {
        for _ in 0..often(50) {
            let threads = Arc::new(Threads::new());
            let inner = Arc::clone(&threads);
            let ended = Arc::new(AtomicBool::new(false));
            let end = Arc::clone(&ended);
            let begun = Arc::new(Barrier::new(2));
            let begin = Arc::clone(&begun);
            let outer = move || {
                begin.wait();
                let inside = move || {
                    std::thread::yield_now();
                    end.store(true, Ordering::SeqCst);
                };
                assert!(inner.spawn("inner", inside).is_ok());
            };
            assert!(threads.spawn("outer", outer).is_ok());
            begun.wait();
            threads.join();
            assert!(ended.load(Ordering::SeqCst));
        }
    });
}

#[test]
fn dropping_threads_waits_for_them() {
    watchdog(|| {
        let threads = Threads::new();
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let work = move || {
            // Long enough for a drop that does not wait to be over first.
            (0..1000).for_each(|_| std::thread::yield_now());
            end.store(true, Ordering::SeqCst);
        };
        assert!(threads.spawn("one", work).is_ok());
        drop(threads);
        assert!(ended.load(Ordering::SeqCst));
    });
}

#[test]
fn starting_a_thread_waits_for_no_other() {
    watchdog(|| {
        let threads = Threads::new();
        let all = Arc::new(Barrier::new(3));
        for _ in 0..3 {
            let all = Arc::clone(&all);
            let work = move || {
                all.wait();
            };
            assert!(threads.spawn("one of three", work).is_ok());
        }
        threads.join();
    });
}

#[test]
fn threads_that_have_ended_are_forgotten() {
    watchdog(|| {
        let threads = Threads::new();
        // At the second most often: the one before it has ended by then.
        let forgets = |started: u32| {
            let (end, ended) = channel::<()>();
            assert!(threads.spawn("short", move || drop(end)).is_ok());
            assert!(ended.recv().is_err());
            std::thread::yield_now();
            let all = format!("running: {started}");
            !format!("{threads:?}").contains(&all)
        };
        assert!((1..=1000).any(forgets));
    });
}
