//! Attempts, pauses, and what ends them.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{
    AsyncJob, CancelToken, InlinePool, Job, Outcome, WorkerPool,
};
use manyhands_jobs::{Caught, RetryPolicy};
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::support::{Both, Count, HOUR, on_each, on_each_beside};

/// Without a pause.
fn quick<E>() -> RetryPolicy<E> {
    RetryPolicy::new().first(Duration::ZERO)
}

#[test]
fn a_job_is_tried_until_it_succeeds() {
    watchdog(|| {
        let policy = quick();
        let flaky = |fails: u32| {
            let tried = Count::default();
            Both(move || match tried.add() {
                now if now < fails => Err(now),
                now => Ok(now),
            })
        };
        on_each(
            || (0..4).map(|n| policy.job(flaky(n)).counted()).collect(),
            |name, answers| {
                let expected: Vec<_> =
                    (0..4).map(|n| Some((Ok(n), n + 1))).collect();
                assert_eq!(answers, expected, "{name}");
            },
        );
    });
}

#[test]
fn the_last_error_is_the_answer_when_no_attempts_are_left() {
    watchdog(|| {
        let failing = || {
            let tried = Count::default();
            Both(move || Err::<(), _>(tried.add()))
        };
        on_each(
            || {
                let job = |n| quick().attempts(n).job(failing());
                vec![job(0), job(1), job(5)]
            },
            |name, answers| {
                let last = [Some(Err(0)), Some(Err(0)), Some(Err(4))];
                assert_eq!(answers, last, "{name}");
            },
        );
    });
}

#[test]
fn an_error_that_is_not_worth_it_is_the_answer_at_once() {
    watchdog(|| {
        let policy = quick().attempts(9).when(|error: &u32| *error < 2);
        on_each(
            || {
                let tried = Count::default();
                let job = Both(move || Err::<(), _>(tried.add()));
                vec![policy.job(job).counted()]
            },
            |name, answers| {
                assert_eq!(answers, [Some((Err(2), 3))], "{name}");
            },
        );
    });
}

/// Collects what a policy tells, for each variant anew.
type Told = Arc<Mutex<Vec<(u32, u32, Duration)>>>;

fn told() -> (Told, RetryPolicy<u32>) {
    let told = Told::default();
    let teller = Arc::clone(&told);
    let policy =
        RetryPolicy::new().notify(move |error: &u32, attempt, time| {
            teller.lock().unwrap().push((*error, attempt, time));
        });
    (told, policy)
}

#[test]
fn it_is_told_what_failed_and_how_long_the_pause_is() {
    watchdog(|| {
        let (told, policy) = told();
        let policy = policy
            .attempts(5)
            .first(Duration::from_micros(10))
            .factor(3.0)
            .longest(Duration::from_micros(70))
            .without_jitter();
        on_each(
            || {
                let tried = Count::default();
                vec![policy.job(Both(move || Err::<(), _>(tried.add())))]
            },
            |name, _| {
                let told = std::mem::take(&mut *told.lock().unwrap());
                let micros = Duration::from_micros;
                let expected = [
                    (0, 1, micros(10)),
                    (1, 2, micros(30)),
                    (2, 3, micros(70)),
                    (3, 4, micros(70)),
                ];
                assert_eq!(told, expected, "{name}");
            },
        );
    });
}

#[test]
fn jitter_makes_a_pause_longer_and_at_most_twice_as_long() {
    watchdog(|| {
        let (told, policy) = told();
        let pause = Duration::from_micros(20);
        let policy = policy.attempts(200).first(pause).factor(0.1);
        policy.job(|| Err::<(), _>(0)).run().unwrap_err();
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 199);
        assert!(told.iter().all(|it| (pause..=pause * 2).contains(&it.2)));
        assert!(told.iter().any(|it| it.2 != told[0].2), "all are the same");
    });
}

#[test]
fn the_first_pause_is_no_longer_than_the_longest() {
    watchdog(|| {
        let (told, policy) = told();
        let policy = policy.attempts(2).first(HOUR).longest(Duration::ZERO);
        policy.job(|| Err::<(), _>(0)).run().unwrap_err();
        assert_eq!(*told.lock().unwrap(), [(0, 1, Duration::ZERO)]);
    });
}

#[test]
fn what_is_changed_of_a_clone_leaves_the_policy_as_it_was() {
    let policy = quick::<u32>().attempts(2);
    let other = policy.clone().attempts(3);
    let attempts = |policy: &RetryPolicy<_>| {
        policy.job(|| Err::<(), _>(0)).counted().run().1
    };
    assert_eq!([attempts(&policy), attempts(&other)], [2, 3]);
}

/// A policy with pauses of an hour, that says when one begins.
fn patient(paused: Sender<()>) -> RetryPolicy<u32> {
    RetryPolicy::new().first(HOUR).longest(HOUR).notify(move |_, _, _| {
        paused.send(()).unwrap();
    })
}

#[test]
fn a_token_that_is_cancelled_ends_the_pause_with_the_last_error() {
    watchdog(|| {
        on_each_beside(
            || {
                let (paused, pauses) = channel();
                let token = CancelToken::new();
                let job = Both(|| Err::<(), _>(7));
                let job = patient(paused).job(job).token(&token).counted();
                (vec![job], (pauses, token))
            },
            |(pauses, token)| {
                pauses.recv().unwrap();
                token.cancel();
            },
            |name, answers| {
                assert_eq!(answers, [Some((Err(7), 1))], "{name}");
            },
        );
    });
}

#[test]
fn a_deadline_ends_the_pause_with_the_last_error() {
    watchdog(|| {
        on_each(
            || {
                let limit = Duration::from_millis(5);
                let token = CancelToken::new().child_for(limit);
                let policy = RetryPolicy::new().first(HOUR).longest(HOUR);
                let job = policy.job(Both(|| Err::<(), _>(7)));
                vec![job.token(&token).counted()]
            },
            |name, answers| {
                assert_eq!(answers, [Some((Err(7), 1))], "{name}");
            },
        );
    });
}

#[test]
fn a_token_that_is_cancelled_already_leaves_one_attempt_and_no_more() {
    watchdog(|| {
        let token = CancelToken::new();
        token.cancel();
        let (told, policy) = told();
        on_each(
            || vec![policy.job(Both(|| Err::<(), _>(7))).token(&token)],
            |name, answers| assert_eq!(answers, [Some(Err(7))], "{name}"),
        );
        assert!(told.lock().unwrap().is_empty(), "no attempt followed");
    });
}

#[test]
fn a_panic_is_not_tried_again() {
    watchdog(|| {
        let policy = quick::<u32>();
        let tried = Count::default();
        let job = {
            let tried = tried.clone();
            move || -> Result<(), u32> {
                tried.add();
                panic!("on purpose")
            }
        };
        let mut before = 0;
        on_each(
            || vec![policy.job(Both(job.clone()))],
            |name, answers| {
                assert_eq!(answers, [None], "{name}");
                assert_eq!(tried.get() - before, 1, "{name}");
                before = tried.get();
            },
        );

        let pool = InlinePool::new();
        pool.submit(policy.job(job)).unwrap();
        let Outcome::Panicked(panic) = pool.recv().unwrap().outcome else {
            panic!("it was caught")
        };
        assert_eq!(panic.message(), "on purpose");
    });
}

#[test]
fn a_panic_that_is_caught_within_is_tried_again() {
    watchdog(|| {
        on_each(
            || {
                let tried = Count::default();
                let job = Both(move || assert_eq!(tried.add(), 2));
                vec![quick().job(Caught::new(job)).counted()]
            },
            |name, mut answers| {
                let (result, attempts) = answers.remove(0).unwrap();
                assert!(result.is_ok(), "{name}");
                assert_eq!(attempts, 3, "{name}");
            },
        );
    });
}

/// A job that counts its clones.
struct Cloned(Count);

impl Clone for Cloned {
    fn clone(&self) -> Self {
        self.0.add();
        Self(self.0.clone())
    }
}

impl Job for Cloned {
    type Output = Result<(), u32>;

    fn run(self) -> Self::Output {
        Err(0)
    }
}

impl AsyncJob for Cloned {
    async fn run_async(self) -> Self::Output {
        Err(0)
    }
}

#[test]
fn the_last_attempt_needs_no_clone() {
    watchdog(|| {
        for attempts in 1..4 {
            let clones = Count::default();
            let mut before = 0;
            on_each(
                || {
                    vec![
                        quick().attempts(attempts).job(Cloned(clones.clone())),
                    ]
                },
                |name, _| {
                    assert_eq!(clones.get() - before, attempts - 1, "{name}");
                    before = clones.get();
                },
            );
        }
    });
}

#[test]
fn a_task_pauses_by_the_timer_of_its_runtime() {
    watchdog(|| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            let policy = RetryPolicy::new().first(HOUR).longest(HOUR * 4);
            let job = policy.without_jitter().job(Both(|| Err::<(), _>(0)));
            assert_eq!(job.run_async().await, Err(0));
            assert_eq!(start.elapsed(), HOUR * (1 + 2 + 4));
        });
    });
}
