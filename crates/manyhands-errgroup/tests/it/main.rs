//! The behaviour of Go's `golang.org/x/sync/errgroup`, after its own tests
//! (`errgroup_test.go`, The Go Authors, BSD licence), and a defined answer
//! wherever Go waits for ever, panics, or ends the process.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{Outcome, TrySubmitError, WorkerPool, WorkerPoolExt};
use manyhands_errgroup::{Context, ErrGroupPool, Group, SetLimitError};

// TestZeroGroup
#[test]
fn wait_returns_the_first_error_whatever_comes_after() {
    watchdog(|| {
        let cases: [&[Result<(), u32>]; 5] =
            [&[], &[Ok(())], &[Err(1)], &[Err(1), Ok(())], &[Err(1), Err(2)]];
        for case in cases {
            // One at a time, so that "first" has a meaning.
            let group = Group::with_limit(1).unwrap();
            for &result in case {
                let _ = group.go(move |_ctx| result);
            }
            let first = case.iter().find(|r| r.is_err()).copied();
            assert_eq!(group.wait(), first.unwrap_or(Ok(())));
        }
    });
}

// TestWithContext
#[test]
fn the_first_error_cancels_the_context_that_others_look_at() {
    watchdog(|| {
        let group = Group::new();
        let until_cancelled = |ctx: &Context| {
            let _ended = ctx.done().recv();
            assert!(ctx.is_cancelled());
            Ok(())
        };
        group.go(until_cancelled).unwrap();
        group.go(until_cancelled).unwrap();
        group.go(|_ctx| Err("third")).unwrap();
        assert_eq!(group.wait(), Err("third"));
    });
}

// TestTryGo
#[test]
fn try_go_says_full_at_the_limit_and_only_there() {
    watchdog(|| {
        let group = Group::<()>::with_limit(2).unwrap();
        let gate = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let gate = Arc::clone(&gate);
            let wait = move |_: &Context| {
                gate.wait();
                Ok(())
            };
            assert!(group.try_go(wait).is_ok());
        }
        let refused = group.try_go(|_ctx| Ok(())).unwrap_err();
        assert!(refused.is_full());
        gate.wait();
        // Once there is a token again.
        group.go(|_ctx| Ok(())).unwrap();
        assert_eq!(group.wait(), Ok(()));
    });
}

// TestGoLimit
#[test]
fn never_more_run_at_once_than_the_limit() {
    watchdog(|| {
        const LIMIT: usize = 3;
        let group = Group::with_limit(LIMIT).unwrap();
        let running = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            let running = Arc::clone(&running);
            let count = move |_: &Context| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                if now > LIMIT { Err(now) } else { Ok(()) }
            };
            group.go(count).unwrap();
        }
        assert_eq!(group.wait(), Ok(()));
    });
}

#[test]
fn after_the_first_error_functions_are_refused() {
    watchdog(|| {
        let group = Group::with_limit(1).unwrap();
        group.go(|_ctx| Err("first")).unwrap();
        let started = Arc::new(AtomicUsize::new(0));
        // The limit is 1, so this waits until the first has ended.
        for _ in 0..100 {
            let started = Arc::clone(&started);
            let count = move |_: &Context| {
                started.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            assert!(group.go(count).is_err());
        }
        assert!(group.try_go(|_ctx| Ok(())).unwrap_err().is_closed());
        assert_eq!(started.load(Ordering::SeqCst), 0);
        assert_eq!(group.wait(), Err("first"));
    });
}

#[test]
fn who_waits_at_the_limit_is_freed_by_the_first_error() {
    watchdog(|| {
        let group = Arc::new(Group::with_limit(2).unwrap());
        let (fail, told) = mpsc::channel::<()>();
        let hold = Arc::new(Barrier::new(2));
        let held = Arc::clone(&hold);
        group
            .go(move |_ctx| {
                held.wait();
                Ok(())
            })
            .unwrap();
        group
            .go(move |_ctx| {
                let _ = told.recv();
                Err("failed")
            })
            .unwrap();
        let waiting = {
            let group = Arc::clone(&group);
            thread::spawn(move || group.go(|_ctx| Ok(())).is_err())
        };
        drop(fail);
        assert!(waiting.join().unwrap(), "accepted by a group that failed");
        hold.wait();
    });
}

#[test]
fn a_limit_of_0_is_refused() {
    let error = Group::<()>::with_limit(0).unwrap_err();
    assert_eq!(error.to_string(), "limit is 0, allowed is 1 to 1024");
}

#[test]
fn the_limit_cannot_change_while_functions_run() {
    watchdog(|| {
        let mut group = Group::<()>::with_limit(1).unwrap();
        group.set_limit(2).unwrap();
        let both = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let both = Arc::clone(&both);
            group
                .go(move |_ctx| {
                    both.wait();
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(group.set_limit(3), Err(SetLimitError::Active));
        both.wait();
        assert_eq!(group.wait(), Ok(()));
        group.set_limit(3).unwrap();
    });
}

#[test]
fn jobs_of_the_pool_see_the_first_err_in_its_context() {
    watchdog(|| {
        let pool = pool(2);
        let ctx = pool.context();
        let (running, started) = mpsc::channel();
        let until_failed = {
            let ctx = ctx.clone();
            move || {
                running.send(()).unwrap();
                let _ended = ctx.done().recv();
                Ok(u32::from(ctx.is_cancelled()))
            }
        };
        pool.submit(Box::new(until_failed)).unwrap();
        started.recv().unwrap();
        assert!(!ctx.is_cancelled());
        pool.submit(Box::new(|| Err("no".into()))).unwrap();
        let sum: u32 = pool.completions().filter_map(|c| c.done()?.ok()).sum();
        assert_eq!(sum, 1);
    });
}

#[test]
fn closing_the_pool_does_not_cancel_what_runs() {
    let pool = pool(1);
    pool.close();
    assert!(!pool.context().is_cancelled());
    pool.cancel();
    assert!(pool.context().is_cancelled());
}

#[test]
fn a_panic_stops_the_rest_and_goes_on_at_wait() {
    watchdog(|| {
        let group = Group::<()>::new();
        group
            .go(|ctx| {
                let _ended = ctx.done().recv();
                Ok(())
            })
            .unwrap();
        group.go(|_ctx| std::panic::resume_unwind(Box::new("boom"))).unwrap();
        let waited = catch_unwind(AssertUnwindSafe(|| group.wait()));
        let payload = waited.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"boom"));
    });
}

#[test]
fn try_go_inside_a_function_at_the_limit_says_full() {
    // In Go, `Go` there waits for itself.
    watchdog(|| {
        let group = Arc::new(Group::<bool>::with_limit(1).unwrap());
        let inside = Arc::clone(&group);
        let (said, full) = mpsc::channel();
        group
            .go(move |_ctx| {
                let nested = inside.try_go(|_ctx| Ok(()));
                let _ =
                    said.send(matches!(nested, Err(TrySubmitError::Full(_))));
                drop(inside);
                Ok(())
            })
            .unwrap();
        assert_eq!(full.recv(), Ok(true));
    });
}

type Fallible = Box<dyn FnOnce() -> Result<u32, String> + Send>;

fn pool(limit: usize) -> ErrGroupPool<Fallible> {
    ErrGroupPool::builder().workers(limit).build().unwrap()
}

#[test]
fn after_an_err_no_further_job_starts_and_submit_is_refused() {
    watchdog(|| {
        let pool = pool(1);
        let fail: Fallible = Box::new(|| Err("no".into()));
        pool.submit(fail).unwrap();
        // Waits for the permit, which comes back after the failure.
        assert!(pool.submit(Box::new(|| Ok(1))).is_err());
        let first = pool.recv().unwrap();
        assert!(matches!(first.outcome, Outcome::Done(Err(e)) if e == "no"));
        assert!(pool.recv().is_none(), "closed by its first error");
    });
}

#[test]
fn jobs_that_run_at_the_first_err_keep_their_answers() {
    watchdog(|| {
        let pool = pool(2);
        let (failed, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let (running, started) = mpsc::channel();
        pool.submit(Box::new(move || {
            running.send(()).unwrap();
            let _ = wait.lock().unwrap().recv();
            Ok(7)
        }))
        .unwrap();
        started.recv().unwrap();
        pool.submit(Box::new(|| Err("no".into()))).unwrap();
        let first = pool.recv().unwrap();
        assert!(matches!(first.outcome, Outcome::Done(Err(_))));
        drop(failed);
        let second = pool.recv().unwrap();
        assert!(matches!(second.outcome, Outcome::Done(Ok(7))));
        assert!(pool.recv().is_none());
    });
}

#[test]
fn a_panic_is_a_completion_and_stops_nothing() {
    watchdog(|| {
        let pool = pool(1);
        let boom = || std::panic::resume_unwind(Box::new("boom"));
        pool.submit(Box::new(boom)).unwrap();
        assert!(pool.recv().unwrap().outcome.is_panicked());
        pool.submit(Box::new(|| Ok(1))).unwrap();
        pool.close();
        assert!(pool.recv().unwrap().outcome.is_done());
    });
}

#[test]
fn dropping_the_group_or_the_pool_waits_for_what_runs() {
    watchdog(|| {
        let ended = Arc::new(AtomicUsize::new(0));
        let long = || {
            let ended = Arc::clone(&ended);
            move || {
                // Long enough for a drop that does not wait to be over first.
                (0..1000).for_each(|_| thread::yield_now());
                ended.fetch_add(1, Ordering::SeqCst);
            }
        };
        let group = Group::<()>::new();
        for _ in 0..2 {
            let work = long();
            let work = move |_: &Context| {
                work();
                Ok(())
            };
            group.go(work).unwrap();
        }
        drop(group);
        assert_eq!(ended.load(Ordering::SeqCst), 2);

        let pool = pool(2);
        for _ in 0..2 {
            let work = long();
            let work = move || {
                work();
                Ok(0)
            };
            pool.submit(Box::new(work)).unwrap();
        }
        drop(pool);
        assert_eq!(ended.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn the_pool_keeps_its_threads_and_has_no_more_than_it_may() {
    watchdog(|| {
        let pool = pool(2);
        let threads = Arc::new(Mutex::new(HashSet::new()));
        for _ in 0..1000 {
            let seen = Arc::clone(&threads);
            pool.submit(Box::new(move || {
                seen.lock().unwrap().insert(thread::current().id());
                Ok(0)
            }))
            .unwrap();
        }
        pool.close();
        assert_eq!(pool.completions().count(), 1000);
        assert!(threads.lock().unwrap().len() <= 2);
    });
}
