use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{
    Closed, InlinePool, Job, JobError, JobId, Outcome, Panic, Spawn, Task,
    Ticket, WorkerPool, run_one, run_one_async,
};

use crate::held::Held;
use crate::often;

#[test]
fn join_waits_for_the_answer() {
    watchdog(|| {
        for _ in 0..often(200) {
            let pool = Arc::new(Held::default());
            let handle = pool.spawn(|| 42).unwrap();
            assert!(!handle.is_finished());
            let runner = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || pool.run())
            };
            assert_eq!(handle.join().unwrap(), 42);
            runner.join().unwrap();
        }
    });
}

#[test]
fn a_panic_comes_to_the_handle_with_its_message() {
    watchdog(|| {
        let pool = InlinePool::<Task<'_>>::new();
        let boom = || -> u32 { std::panic::resume_unwind(Box::new("boom")) };
        let handle = pool.spawn(boom).unwrap();
        assert!(handle.is_finished());
        let Err(JobError::Panicked(panic)) = handle.join() else {
            panic!("no panic");
        };
        assert_eq!(panic.message(), "boom");
    });
}

#[test]
fn a_closure_that_is_dropped_unrun_cancels_its_handle() {
    watchdog(|| {
        let pool = Held::default();
        let handle = pool.spawn(|| 1).unwrap();
        pool.jobs.lock().unwrap().clear();
        assert!(matches!(handle.join(), Err(JobError::Cancelled)));
    });
}

#[test]
fn a_refused_closure_comes_back() {
    watchdog(|| {
        let pool = Held { refuse: true, ..Held::default() };
        let word = String::from("mine");
        let refused = pool.spawn(move || word).unwrap_err();
        let word = (refused.0)();
        let refused = pool.try_spawn(move || word).unwrap_err();
        assert!(refused.is_full());
        assert_eq!((refused.into_inner())(), "mine");

        let pool = InlinePool::<Task<'_>>::new();
        pool.close();
        assert!(pool.try_spawn(|| ()).unwrap_err().is_closed());
    });
}

#[test]
fn closures_may_borrow_as_long_as_the_pool_lives() {
    watchdog(|| {
        let words = [String::from("many"), String::from("hands")];
        let pool = InlinePool::<Task<'_>>::new();
        let count =
            pool.spawn(|| words.iter().map(String::len).sum::<usize>());
        assert_eq!(count.unwrap().join().unwrap(), 9);
    });
}

#[test]
fn nothing_is_left_to_be_read_from_the_pool() {
    watchdog(|| {
        let pool = InlinePool::<Task<'_>>::new();
        pool.spawn(|| 1).unwrap().join().unwrap();
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_handle_is_a_future_that_wakes_who_polled_it_last() {
    watchdog(|| {
        let pool = Held::default();
        let mut handle = pin!(pool.spawn(|| 42).unwrap());
        let (first, last) =
            (Arc::new(CountWakes::default()), Arc::new(CountWakes::default()));
        for wakes in [&first, &last] {
            let waker = Waker::from(Arc::clone(wakes));
            let mut context = Context::from_waker(&waker);
            assert!(handle.as_mut().poll(&mut context).is_pending());
        }
        pool.run();
        assert_eq!(first.0.load(Ordering::SeqCst), 0);
        assert_eq!(last.0.load(Ordering::SeqCst), 1);
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(42)) = handle.as_mut().poll(&mut context) else {
            panic!("not ready");
        };
        let again = catch_unwind(AssertUnwindSafe(|| {
            handle.as_mut().poll(&mut context).is_pending()
        }));
        assert!(again.is_err(), "its answer was taken, so it would wait");
    });
}

#[test]
fn the_async_face_of_a_task_runs_the_closure() {
    watchdog(|| {
        let pool = Held::default();
        let handle = pool.spawn(|| 42).unwrap();
        let job = pool.jobs.lock().unwrap().pop().unwrap();
        let ticket = Ticket { id: JobId::new(0), job };
        let mut future = pin!(run_one_async(ticket, || false));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_ready());
        assert_eq!(handle.join().unwrap(), 42);
    });
}

#[test]
fn the_error_of_a_handle_says_what_became_of_the_closure() {
    watchdog(|| {
        let said = JobError::Cancelled.to_string();
        assert_eq!(said, "the job was cancelled, not run");
        let panicked = JobError::Panicked(Panic::new(Box::new("no")));
        assert_eq!(panicked.to_string(), "the job panicked: no");
    });
}

#[test]
fn a_dropped_handle_lets_the_closure_run() {
    watchdog(|| {
        let pool = Held::default();
        let ran = Arc::new(AtomicUsize::new(0));
        let inside = Arc::clone(&ran);
        drop(pool.spawn(move || inside.fetch_add(1, Ordering::SeqCst)));
        pool.run();
        assert_eq!(ran.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_cancelled_task_comes_back_as_a_job_and_then_cancels_its_handle() {
    watchdog(|| {
        let pool = Held::default();
        let handle = pool.spawn(|| 1).unwrap();
        let job = pool.jobs.lock().unwrap().pop().unwrap();
        let ticket = Ticket { id: JobId::new(0), job };
        let completion = run_one(ticket, true);
        assert!(!handle.is_finished());
        assert!(matches!(completion.outcome, Outcome::Cancelled(_)));
        drop(completion);
        assert!(matches!(handle.join(), Err(JobError::Cancelled)));
    });
}

#[test]
fn a_handle_whose_answer_was_taken_panics_instead_of_waiting() {
    watchdog(|| {
        let pool = InlinePool::<Task<'static>>::new();
        let mut handle = pool.spawn(|| 42).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let polled = std::pin::Pin::new(&mut handle).poll(&mut context);
        assert!(matches!(polled, Poll::Ready(Ok(42))));
        let again = std::panic::AssertUnwindSafe(|| handle.join());
        assert!(std::panic::catch_unwind(again).is_err());
    });
}

#[test]
fn a_handle_can_be_asked_without_waiting() {
    watchdog(|| {
        let pool = Held::default();
        let mut handle = pool.spawn(|| 42).unwrap();
        assert!(handle.try_join().is_none());
        pool.run();
        assert!(matches!(handle.try_join(), Some(Ok(42))));
        let again = catch_unwind(AssertUnwindSafe(|| handle.try_join()));
        assert!(again.is_err(), "its answer was taken");
        let again = catch_unwind(AssertUnwindSafe(|| {
            handle.join_timeout(Duration::MAX)
        }));
        assert!(again.is_err(), "its answer was taken");
    });
}

#[test]
fn a_join_with_a_limit_waits_for_so_long_and_no_longer() {
    watchdog(|| {
        let pool = Arc::new(Held::default());
        let mut handle = pool.spawn(|| 42).unwrap();
        let limit = Duration::from_millis(2);
        let start = Instant::now();
        assert!(handle.join_timeout(limit).is_none());
        assert!(start.elapsed() >= limit);
        assert!(handle.join_timeout(Duration::ZERO).is_none());
        for limit in [Duration::from_secs(3600), Duration::MAX] {
            let mut handle = pool.spawn(|| 7).unwrap();
            let runner = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || pool.run())
            };
            assert!(matches!(handle.join_timeout(limit), Some(Ok(7))));
            runner.join().unwrap();
        }
        assert!(matches!(handle.join_timeout(limit), Some(Ok(42))));
    });
}

#[test]
fn an_aborted_closure_never_runs_and_drops_what_it_holds_at_once() {
    watchdog(|| {
        let pool = Held::default();
        let held = Arc::new(());
        let inside = Arc::clone(&held);
        let handle = pool
            .spawn(move || {
                drop(inside);
                panic!("it runs");
            })
            .unwrap();
        assert!(handle.abort());
        assert_eq!(Arc::strong_count(&held), 1, "it is kept");
        assert!(!handle.abort(), "a second time");
        assert!(handle.is_finished());
        pool.run();
        let answer: Result<(), _> = handle.join();
        assert!(matches!(answer, Err(JobError::Cancelled)));
    });
}

#[test]
fn what_runs_or_has_run_is_not_aborted() {
    watchdog(|| {
        let pool = Arc::new(Held::default());
        let (started, starts) = channel();
        let (release, gate) = channel();
        let work = move || {
            started.send(()).unwrap();
            gate.recv().unwrap()
        };
        let handle = pool.spawn(work).unwrap();
        let runner = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.run())
        };
        starts.recv().unwrap();
        assert!(!handle.abort());
        release.send(42).unwrap();
        runner.join().unwrap();
        assert!(!handle.abort());
        assert_eq!(handle.join().unwrap(), 42);
    });
}

#[test]
fn an_abort_wakes_who_waits_and_contains_what_is_dropped() {
    watchdog(|| {
        struct Hostile;
        impl Drop for Hostile {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("dropped"));
            }
        }
        let pool = Held::default();
        let hostile = Hostile;
        let mut handle = pin!(pool.spawn(move || drop(hostile)).unwrap());
        let wakes = Arc::new(CountWakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        assert!(handle.as_mut().poll(&mut context).is_pending());
        assert!(handle.abort());
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_closure_without_a_handle_runs() {
    watchdog(|| {
        let pool = Held::default();
        let (ran, runs) = channel();
        let again = ran.clone();
        pool.execute(move || ran.send(1).unwrap()).unwrap();
        pool.try_execute(move || again.send(2).unwrap()).unwrap();
        assert!(runs.try_recv().is_err());
        pool.run();
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_closure_without_a_handle_that_is_refused_comes_back_as_a_job() {
    watchdog(|| {
        let pool = Held { refuse: true, ..Held::default() };
        let (ran, runs) = channel();
        let again = ran.clone();
        let Closed(job) =
            pool.execute(move || ran.send(1).unwrap()).unwrap_err();
        let refused =
            pool.try_execute(move || again.send(2).unwrap()).unwrap_err();
        assert!(refused.is_full());
        assert!(runs.try_recv().is_err());
        job.run();
        refused.into_inner().run();
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_panic_of_a_closure_without_a_handle_comes_to_the_pool() {
    watchdog(|| {
        let boom = || std::panic::resume_unwind(Box::new("boom"));
        let pool = Held::default();
        pool.execute(boom).unwrap();
        let job = pool.jobs.lock().unwrap().pop().unwrap();
        let ticket = Ticket { id: JobId::new(0), job };
        let Outcome::Panicked(panic) = run_one(ticket, false).outcome else {
            panic!("the pool does not see it");
        };
        assert_eq!(panic.message(), "boom");

        // That of one with a handle is the handle's.
        let handle = pool.spawn(boom).unwrap();
        let job = pool.jobs.lock().unwrap().pop().unwrap();
        let ticket = Ticket { id: JobId::new(0), job };
        assert!(run_one(ticket, false).outcome.is_done());
        assert!(matches!(handle.join(), Err(JobError::Panicked(_))));
    });
}

#[test]
fn a_closure_without_a_handle_is_dropped_contained() {
    watchdog(|| {
        struct Hostile;
        impl Drop for Hostile {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("dropped"));
            }
        }
        let pool = Held::default();
        let hostile = Hostile;
        pool.execute(move || drop(hostile)).unwrap();
        drop(pool);
    });
}

#[test]
fn a_detached_closure_runs() {
    watchdog(|| {
        let pool = Held::default();
        let (ran, runs) = channel();
        pool.spawn(move || ran.send(42).unwrap()).unwrap().detach();
        pool.run();
        assert_eq!(runs.try_recv(), Ok(42));
    });
}
