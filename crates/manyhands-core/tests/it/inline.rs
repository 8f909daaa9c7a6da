use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};

use manyhands_conformance::watchdog;
use manyhands_core::{InlinePool, Outcome, WorkerPool, WorkerPoolExt};

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
