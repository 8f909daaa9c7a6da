//! Jobs in jobs in jobs.

use std::num::NonZeroU32;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::CancelToken;
use manyhands_jobs::governor::clock::FakeRelativeClock;
use manyhands_jobs::{
    Cancellable, Caught, Expiring, Keyed, RetryPolicy, StartRate, Timeout,
};

use crate::support::{Both, Count, HOUR, on_each};

/// A rate with twenty turns at hand and none to come, and how many were taken.
fn twenty() -> (StartRate<FakeRelativeClock>, impl Fn() -> usize) {
    let rate = StartRate::every(HOUR)
        .burst(NonZeroU32::new(20).unwrap())
        .clock(FakeRelativeClock::default());
    let left = rate.clone();
    (rate, move || 20 - std::iter::from_fn(|| left.try_start().ok()).count())
}

/// Fails twice.
fn flaky() -> Both<impl FnOnce() -> Result<u32, u32> + Clone + Send> {
    let tried = Count::default();
    Both(move || match tried.add() {
        now @ (0 | 1) => Err(now),
        now => Ok(now),
    })
}

fn quick<E>() -> RetryPolicy<E> {
    RetryPolicy::new().first(Duration::ZERO)
}

#[test]
fn a_retried_job_in_a_rate_takes_one_turn() {
    watchdog(|| {
        on_each(
            || {
                let (rate, taken) = twenty();
                let job = rate.job(quick().job(flaky()));
                vec![Keyed::new(taken, job)]
            },
            |name, mut answers| {
                let (taken, answer) = answers.remove(0).unwrap();
                assert_eq!((answer, taken()), (Ok(2), 1), "{name}");
            },
        );
    });
}

#[test]
fn a_rate_in_a_retried_job_is_a_turn_an_attempt() {
    watchdog(|| {
        on_each(
            || {
                let (rate, taken) = twenty();
                let job = quick().job(rate.job(flaky()));
                vec![Keyed::new(taken, job)]
            },
            |name, mut answers| {
                let (taken, answer) = answers.remove(0).unwrap();
                assert_eq!((answer, taken()), (Ok(2), 3), "{name}");
            },
        );
    });
}

#[test]
fn all_of_them_nest() {
    watchdog(|| {
        let token = CancelToken::new();
        let policy = quick();
        on_each(
            || {
                let (rate, _) = twenty();
                let job = |key: u32| {
                    let job = policy.job(rate.job(flaky())).token(&token);
                    let job = Caught::new(Timeout::new(HOUR, job));
                    let job = Cancellable::new(&token, job);
                    Keyed::new(key, Expiring::new(HOUR, job))
                };
                (0..5).map(job).collect()
            },
            |name, answers| {
                for (n, answer) in (0..).zip(answers) {
                    let (key, answer) = answer.unwrap();
                    let answer = answer.unwrap().unwrap().unwrap();
                    assert_eq!((key, answer), (n, Ok(Ok(2))), "{name}");
                }
            },
        );
    });
}
