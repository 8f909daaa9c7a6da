//! Futures that are dropped at their limit.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use manyhands::tokio::Async;
use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, InlinePool, WorkerPool};
use manyhands_jobs::{Elapsed, Timeout};
use tokio::runtime::{Builder, Runtime};

use crate::support::{HOUR, on_each};

const SOON: Duration = Duration::from_millis(1);

/// Says that it is gone.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_future_is_dropped_at_the_limit_before_the_answer() {
    watchdog(|| {
        let gone = Arc::new(AtomicBool::new(false));
        on_each(
            || {
                gone.store(false, Ordering::SeqCst);
                let gone = Gone(Arc::clone(&gone));
                let never = Async(move || async move {
                    let _gone = gone;
                    pending::<()>().await;
                });
                vec![Timeout::new(SOON, never)]
            },
            |name, answers| {
                assert_eq!(answers, [Some(Err(Elapsed))], "{name}");
                assert!(gone.load(Ordering::SeqCst), "{name}");
            },
        );
    });
}

#[test]
fn a_future_that_is_done_in_time_answers() {
    watchdog(|| {
        on_each(
            || {
                [Duration::ZERO, HOUR, Duration::MAX]
                    .map(|limit| Timeout::new(limit, Async(|| ready(42))))
                    .into()
            },
            |name, answers| {
                assert_eq!(answers, [Some(Ok(42)); 3], "{name}");
            },
        );
    });
}

#[test]
fn a_moment_that_is_over_ends_what_is_not_ready() {
    watchdog(|| {
        on_each(
            || vec![Timeout::until(Instant::now(), Async(pending::<()>))],
            |name, answers| {
                assert_eq!(answers, [Some(Err(Elapsed))], "{name}");
            },
        );
    });
}

#[test]
fn a_panic_of_the_job_goes_on() {
    watchdog(|| {
        on_each(
            || {
                let job = Async(|| async { panic!("on purpose") });
                vec![Timeout::<Async<_>>::new(HOUR, job)]
            },
            |name, answers: Vec<Option<Result<(), _>>>| {
                assert_eq!(answers, [None], "{name}");
            },
        );
    });
}

#[test]
fn the_limit_counts_from_the_start_of_the_job() {
    watchdog(|| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let sleep = |time| Async(move || tokio::time::sleep(time));
            let in_time = Timeout::new(HOUR, sleep(HOUR / 2));
            let late = Timeout::new(HOUR, sleep(HOUR * 2));
            tokio::time::advance(HOUR * 3).await;
            let start = tokio::time::Instant::now();
            assert_eq!(in_time.run_async().await, Ok(()));
            assert_eq!(start.elapsed(), HOUR / 2);
            assert_eq!(late.run_async().await, Err(Elapsed));
        });
    });
}

#[test]
fn the_blocking_face_works_within_async_code() {
    watchdog(|| {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let pool = InlinePool::new();
            let never = Async(pending::<()>);
            pool.submit(Timeout::new(SOON, never)).unwrap();
            let answer = pool.recv().unwrap().done();
            assert_eq!(answer, Some(Err(Elapsed)));
        });
    });
}
