//! Keys, and panics that are answers.

use std::task::Poll;

use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, Job, Outcome, Task, WorkerPool};
use manyhands_jobs::{
    Cancellable, Caught, Expiring, Keyed, RateLimited, RateLimitedUntil,
    Retry, Timeout,
};

use crate::support::{Both, Held, on_each};

#[test]
fn the_key_comes_back_with_the_answer() {
    watchdog(|| {
        on_each(
            || {
                let job = |n: u32| Keyed::new(n.to_string(), Both(move || n));
                (0..20).map(job).collect()
            },
            |name, answers| {
                let expected: Vec<_> =
                    (0..20).map(|n: u32| Some((n.to_string(), n))).collect();
                assert_eq!(answers, expected, "{name}");
            },
        );
    });
}

#[test]
fn a_job_that_comes_back_unrun_has_its_key() {
    watchdog(|| {
        let held = Held::new(|work| Keyed::new("held", work));
        held.pool.submit(Keyed::new("queued", Box::new(|| ()))).unwrap();
        held.pool.cancel();
        let late = Keyed::new("late", Box::new(|| ()) as Box<_>);
        let refused = held.pool.submit(late).unwrap_err();
        assert_eq!(refused.into_inner().key, "late");
        let pool = held.let_go();
        let Outcome::Cancelled(job) = pool.recv().unwrap().outcome else {
            panic!("it was run")
        };
        assert_eq!(job.key, "queued");
    });
}

#[test]
fn the_key_outlives_a_panic_that_is_caught_within() {
    watchdog(|| {
        on_each(
            || {
                let job = |n: u32| {
                    let job = Both(move || assert_ne!(n, 3, "not three"));
                    Keyed::new(n, Caught::new(job))
                };
                (0..6).map(job).collect()
            },
            |name, answers| {
                for (n, answer) in (0..).zip(answers) {
                    let (key, answer) = answer.unwrap();
                    assert_eq!(key, n, "{name}");
                    let panic = answer.err();
                    assert_eq!(panic.is_some(), n == 3, "{name}");
                    assert!(panic.is_none_or(|panic| {
                        panic.message().contains("not three")
                    }));
                }
            },
        );
    });
}

/// Panics after its future has been polled once.
struct Later;

impl Job for Later {
    type Output = ();

    fn run(self) {
        panic!("later");
    }
}

impl AsyncJob for Later {
    async fn run_async(self) {
        let mut polled = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        panic!("later");
    }
}

#[test]
fn a_panic_after_an_await_is_caught_as_well() {
    watchdog(|| {
        on_each(
            || vec![Caught::new(Later)],
            |name, mut answers| {
                let panic = answers.remove(0).unwrap().unwrap_err();
                assert_eq!(panic.message(), "later", "{name}");
            },
        );
    });
}

#[derive(Clone)]
struct Quiet;

impl Job for Quiet {
    type Output = Result<(), ()>;

    const DETACHED: bool = true;

    fn run(self) -> Self::Output {
        Ok(())
    }
}

impl AsyncJob for Quiet {
    async fn run_async(self) -> Self::Output {
        Ok(())
    }
}

const fn is_detached<J: Job>() -> bool {
    J::DETACHED
}

#[test]
fn a_job_around_a_detached_one_is_detached() {
    assert!(is_detached::<Keyed<u32, Task<'static>>>());
    assert!(is_detached::<Caught<Quiet>>());
    assert!(is_detached::<Cancellable<Quiet>>());
    assert!(is_detached::<Expiring<Quiet>>());
    assert!(is_detached::<Timeout<Quiet>>());
    assert!(is_detached::<Retry<Quiet, ()>>());
    assert!(is_detached::<manyhands_jobs::Counted<Quiet, ()>>());
    assert!(is_detached::<RateLimited<Quiet>>());
    assert!(is_detached::<RateLimitedUntil<Quiet>>());
    assert!(!is_detached::<Keyed<u32, fn()>>());
}
