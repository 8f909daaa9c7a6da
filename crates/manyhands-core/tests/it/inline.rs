use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};

use manyhands_conformance::watchdog;
use manyhands_core::{InlinePool, Outcome, WorkerPool, WorkerPoolExt};

use crate::often;

#[test]
fn a_job_runs_on_the_submitter_before_submit_returns() {
    watchdog(|| {
        let pool = InlinePool::new();
        let ran = Arc::new(AtomicUsize::new(0));
        let inside = Arc::clone(&ran);
        pool.submit(move || {
            inside.fetch_add(1, Ordering::SeqCst);
            thread::current().id()
        })
        .unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        let on: Option<ThreadId> = pool.recv().and_then(|c| c.done());
        assert_eq!(on, Some(thread::current().id()));
    });
}

#[test]
fn one_job_runs_at_a_time_and_others_are_told_full() {
    watchdog(|| {
        type Work = Box<dyn FnOnce() + Send>;
        let pool = Arc::new(InlinePool::<Work>::new());
        let (started, running) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let first = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let work: Work = Box::new(move || {
                    started.send(()).unwrap();
                    let _ = gate.recv();
                });
                pool.submit(work).is_ok()
            })
        };
        running.recv().unwrap();
        assert!(pool.try_submit(Box::new(|| ())).unwrap_err().is_full());
        drop(open);
        assert!(first.join().unwrap());
        assert!(pool.recv().is_some());
        assert!(pool.try_submit(Box::new(|| ())).is_ok());
    });
}

#[test]
fn panics_are_outcomes_and_close_ends_the_stream() {
    watchdog(|| {
        let pool = InlinePool::new();
        for n in 0..4 {
            pool.submit(move || {
                if n % 2 == 0 {
                    std::panic::resume_unwind(Box::new("even"));
                }
            })
            .unwrap();
        }
        pool.close();
        let panicked = |c: manyhands_core::Completion<_>| {
            matches!(c.outcome, Outcome::Panicked(_))
        };
        let seen: Vec<_> = pool.completions().map(panicked).collect();
        assert_eq!(seen, [true, false, true, false]);
    });
}

#[test]
fn who_waits_while_a_job_runs_goes_on_when_it_ends() {
    // Nobody can see from outside that a thread waits already. In a hundred
    // rounds most do.
    for round in 0..often(100) {
        watchdog(move || {
            type Work = Box<dyn FnOnce() + Send>;
            let pool = Arc::new(InlinePool::<Work>::new());
            let (started, running) = mpsc::channel();
            let (open, gate) = mpsc::channel::<()>();
            let begin = |wait: fn(&InlinePool<Work>) -> usize| {
                let (pool, started) = (Arc::clone(&pool), started.clone());
                thread::spawn(move || {
                    started.send(()).unwrap();
                    wait(&pool)
                })
            };
            let work: Work = {
                let started = started.clone();
                Box::new(move || {
                    started.send(()).unwrap();
                    let _ = gate.recv();
                })
            };
            let runs = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || pool.submit(work).is_ok())
            };
            running.recv().unwrap();
            let submits =
                begin(|pool| pool.submit(Box::new(|| ())).is_ok().into());
            let reads = begin(|pool| pool.recv_many(&mut Vec::new(), 1));
            let closes = round % 2 == 0;
            if closes {
                pool.close();
            }
            (0..2).for_each(|_| running.recv().unwrap());
            (0..20).for_each(|_| thread::yield_now());
            drop(open);
            assert!(runs.join().unwrap());
            assert_eq!(reads.join().unwrap(), 1);
            assert_eq!(submits.join().unwrap(), usize::from(!closes));
        });
    }
}

#[test]
fn a_read_of_an_idle_pool_waits_for_the_next_job() {
    type Read = fn(&InlinePool<fn()>) -> usize;
    let reads: [Read; 2] = [
        |pool| pool.recv().into_iter().count(),
        |pool| pool.recv_many(&mut Vec::new(), 9),
    ];
    for round in 0..often(100) {
        watchdog(move || {
            let pool = Arc::new(InlinePool::<fn()>::new());
            let (begin, begun) = mpsc::channel();
            let reads = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || {
                    begin.send(()).unwrap();
                    reads[round % 2](&pool)
                })
            };
            begun.recv().unwrap();
            (0..20).for_each(|_| thread::yield_now());
            assert!(pool.submit(|| ()).is_ok());
            assert_eq!(reads.join().unwrap(), 1);
        });
    }
}

#[test]
fn the_job_that_runs_is_the_one_that_is_unfinished() {
    watchdog(|| {
        let pool = Arc::new(InlinePool::new());
        assert_eq!(pool.unfinished(), Some(0));
        let inside = Arc::clone(&pool);
        let job: Box<dyn FnOnce() -> Option<usize> + Send> =
            Box::new(move || inside.unfinished());
        pool.submit(job).unwrap();
        assert_eq!(pool.recv().and_then(|c| c.done()), Some(Some(1)));
        assert_eq!(pool.unfinished(), Some(0));
    });
}

#[test]
fn cancel_closes_and_what_has_run_can_be_read() {
    watchdog(|| {
        let pool = InlinePool::<fn() -> u32>::new();
        pool.submit(|| 1).unwrap();
        pool.cancel();
        assert!(pool.try_submit(|| 2).unwrap_err().is_closed());
        assert_eq!(pool.recv().and_then(|c| c.done()), Some(1));
        assert!(pool.recv().is_none());
    });
}

#[test]
fn unread_results_are_dropped_with_the_pool_each_contained() {
    /// Counts its drops, and panics in each.
    struct Hostile(Arc<AtomicUsize>);

    impl Drop for Hostile {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }

    watchdog(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let pool = InlinePool::new();
        for _ in 0..3 {
            let drops = Arc::clone(&drops);
            assert!(pool.submit(|| Hostile(drops)).is_ok());
        }
        drop(pool);
        assert_eq!(drops.load(Ordering::SeqCst), 3);
    });
}
