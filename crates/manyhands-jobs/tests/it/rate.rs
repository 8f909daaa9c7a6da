//! Turns, by a clock that is moved by hand.

use std::num::NonZeroU32;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, CancelToken, Job};
use manyhands_jobs::governor::clock::{Clock, FakeRelativeClock};
use manyhands_jobs::{NotBegun, StartRate};
use tokio::runtime::Builder;

use crate::support::{Both, HOUR, on_each, on_each_beside};

const MS: Duration = Duration::from_millis(1);

fn times(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn by_hand(
    rate: StartRate,
) -> (StartRate<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (rate.clock(clock.clone()), clock)
}

#[test]
fn a_turn_comes_once_in_a_period() {
    let (rate, clock) = by_hand(StartRate::per_second(times(4)));
    let period = Duration::from_millis(250);
    for _ in 0..3 {
        assert_eq!(rate.try_start(), Ok(()));
        assert_eq!(rate.try_start(), Err(period));
        clock.advance(period - MS);
        assert_eq!(rate.clone().try_start(), Err(MS), "a clone is the same");
        clock.advance(MS);
    }
}

#[test]
fn as_many_as_a_burst_start_together_after_a_rest() {
    let (rate, clock) = by_hand(StartRate::every(HOUR).burst(times(3)));
    for rest in [HOUR * 3, HOUR * 100] {
        for _ in 0..3 {
            assert_eq!(rate.try_start(), Ok(()));
        }
        assert_eq!(rate.try_start(), Err(HOUR));
        clock.advance(rest);
    }
}

#[test]
fn rates_of_any_size_are_kept() {
    for (period, next) in [
        (Duration::ZERO, Duration::from_nanos(1)),
        (Duration::from_secs(1) / u32::MAX, Duration::from_nanos(1)),
        (Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX / 8)),
        (Duration::MAX, Duration::from_nanos(u64::MAX / 8)),
    ] {
        let (rate, clock) = by_hand(StartRate::every(period));
        assert_eq!(rate.try_start(), Ok(()));
        assert_eq!(rate.try_start(), Err(next));
        clock.advance(next);
        assert_eq!(rate.try_start(), Ok(()));
        let (rate, _) =
            by_hand(StartRate::every(period).burst(NonZeroU32::MAX));
        assert_eq!(rate.try_start(), Ok(()));
    }
}

#[test]
fn jobs_start_at_the_rate_and_not_before() {
    watchdog(|| {
        const JOBS: u32 = 8;
        const BURST: u32 = 3;
        on_each_beside(
            || {
                let rate = StartRate::per_second(times(1000));
                let (rate, clock) = by_hand(rate.burst(times(BURST)));
                let (start, starts) = channel();
                let job = |n: u32| {
                    let (start, clock) = (start.clone(), clock.clone());
                    rate.job(Both(move || {
                        start.send(clock.now()).unwrap();
                        n
                    }))
                };
                ((0..JOBS).map(job).collect(), (starts, clock))
            },
            |(starts, clock)| {
                // The clock moves when a job has started: each of them reads
                // the time of its turn.
                let read: Vec<Duration> = (1..=JOBS)
                    .map(|started| {
                        let at = starts.recv().unwrap();
                        if started >= BURST {
                            clock.advance(MS);
                        }
                        at.into()
                    })
                    .collect();
                let expected: Vec<_> =
                    [0, 0, 0, 1, 2, 3, 4, 5].map(|at| MS * at).into();
                assert_eq!(read, expected);
            },
            |name, answers| {
                let all: Vec<_> = (0..JOBS).map(Some).collect();
                assert_eq!(answers, all, "{name}");
            },
        );
    });
}

#[test]
fn a_task_does_not_overtake_one_that_waits_already() {
    watchdog(|| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (rate, clock) = by_hand(StartRate::every(HOUR));
            assert_eq!(rate.try_start(), Ok(()));
            let (start, starts) = channel();
            let mut tasks = (0..3).map(|n| {
                let (start, clock) = (start.clone(), clock.clone());
                let job = rate.job(Both(move || {
                    start.send(n).unwrap();
                    clock.advance(HOUR);
                }));
                Box::pin(job.run_async())
            });
            let mut context = Context::from_waker(Waker::noop());
            let mut first = tasks.next().unwrap();
            assert!(first.as_mut().poll(&mut context).is_pending());
            // There is a turn now, and the first is still asleep.
            clock.advance(HOUR);
            let mut others: Vec<_> = tasks.collect();
            for other in &mut others {
                assert!(other.as_mut().poll(&mut context).is_pending());
            }
            first.await;
            for other in others {
                other.await;
            }
            assert_eq!(starts.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        });
    });
}

#[test]
fn a_token_ends_the_wait_and_the_job_comes_back_without_a_turn() {
    watchdog(|| {
        // One that is cancelled while the job waits, and one before.
        for limit in [MS * 5, Duration::ZERO] {
            let (rate, clock) = by_hand(StartRate::every(HOUR));
            on_each(
                || {
                    assert_eq!(rate.try_start(), Ok(()));
                    let token = CancelToken::new().child_for(limit);
                    vec![rate.job(Both(|| 42)).until(&token)]
                },
                |name, mut answers| {
                    let Some(Err(NotBegun(job))) = answers.remove(0) else {
                        panic!("{name}: it was begun")
                    };
                    assert_eq!(job.run(), 42);
                    clock.advance(HOUR);
                },
            );
        }
    });
}

#[test]
fn a_job_whose_token_is_cancelled_leaves_a_free_turn_to_others() {
    watchdog(|| {
        let token = CancelToken::new();
        token.cancel();
        let (rate, _) = by_hand(StartRate::every(HOUR));
        on_each(
            || vec![rate.job(Both(|| ())).until(&token)],
            |name, answers| {
                assert!(matches!(answers[..], [Some(Err(_))]), "{name}");
            },
        );
        assert_eq!(rate.try_start(), Ok(()));
    });
}

#[test]
fn a_cancel_ends_a_wait_of_an_hour() {
    watchdog(|| {
        on_each_beside(
            || {
                let (rate, _) = by_hand(StartRate::every(HOUR));
                assert_eq!(rate.try_start(), Ok(()));
                let token = CancelToken::new();
                (vec![rate.job(Both(|| ())).until(&token)], token)
            },
            |token| token.cancel(),
            |name, answers| {
                assert!(matches!(answers[..], [Some(Err(_))]), "{name}");
            },
        );
    });
}

#[test]
fn a_job_whose_token_is_not_cancelled_starts_in_its_turn() {
    watchdog(|| {
        let token = CancelToken::new();
        on_each(
            || {
                let rate = StartRate::per_second(times(10_000));
                let job = |n: u32| rate.job(Both(move || n)).until(&token);
                (0..6).map(job).collect()
            },
            |name, answers| {
                let answers = answers.into_iter().map(|it| it.unwrap().ok());
                let all = (0..6).map(Some);
                assert!(answers.eq(all), "{name}");
            },
        );
    });
}
