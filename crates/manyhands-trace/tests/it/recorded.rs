//! What is recorded of runs.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use manyhands::{AsyncJob, Config, Job, WorkerPool, WorkerPoolExt, variants};
use manyhands_conformance::watchdog;
use manyhands_trace::{Ended, Observe, Phase, Recorder, Trace, Traced};

use crate::support::Work;

const JOBS: u64 = 300;
const WORKERS: usize = 3;

/// Runs jobs on every variant, and looks at what was recorded.
fn on_every_variant(work: fn(u64) -> Work, look: fn(&str, &Trace)) {
    for variant in variants::<Traced<Work, Recorder>, _, _>() {
        let name = variant.name;
        let trace = watchdog(move || {
            let pool = variant.make(Config::new(WORKERS, 8).unwrap()).unwrap();
            let recorder = Recorder::new(1000);
            let jobs =
                (1..=JOBS).map(|n| Traced::fallible(n, work(n), &recorder));
            // The error group refuses what comes after the first error.
            drop(pool.run_all(jobs, drop));
            drop(pool);
            recorder.trace(WORKERS)
        });
        look(name, &trace);
    }
}

#[test]
fn each_job_is_recorded_once_and_in_a_lane_of_its_own() {
    on_every_variant(
        |_| Work::Return,
        |name, trace| {
            let numbers: BTreeSet<u64> =
                trace.records().iter().map(|record| record.number).collect();
            assert_eq!(numbers, (1..=JOBS).collect(), "{name}");
            assert_eq!(trace.records().len() as u64, JOBS, "{name}");
            assert_eq!(trace.count(Ended::Done) as u64, JOBS, "{name}");
            assert_eq!(trace.lanes(), WORKERS, "{name}");
            for lane in 0..trace.lanes() {
                let mut free_at = None;
                for job in trace.records() {
                    assert!(
                        job.made <= job.started.unwrap(),
                        "{name}: {job:?}"
                    );
                    if job.lane == Some(lane) {
                        assert!(free_at <= job.started, "{name}: {job:?}");
                        free_at = Some(job.ended);
                    }
                }
            }
            let most = trace.steps().iter().map(|step| step.running).max();
            assert!(most.unwrap() <= WORKERS, "{name}: {most:?} at once");
            assert_eq!(trace.times(Phase::Waiting).count(), JOBS, "{name}");
            assert_eq!(trace.warning(), None, "{name}");
        },
    );
}

#[test]
fn littles_law_holds_on_every_run() {
    let mixed = |n| match n % 7 {
        0 => Work::Panic,
        _ => Work::Return,
    };
    on_every_variant(mixed, |name, trace| {
        let little = trace.little().unwrap();
        assert!(little.error() < 1e-6, "{name}: {little:?}");
        assert!(little.in_flight > 0.0, "{name}: {little:?}");
        let last = trace.steps().pop().unwrap();
        assert_eq!(last.in_flight(), 0, "{name}");
    });
}

#[test]
fn it_is_recorded_how_a_job_ended() {
    let each = |n| match n {
        1 => Work::Panic,
        JOBS => Work::Fail,
        _ => Work::Return,
    };
    on_every_variant(each, |name, trace| {
        let count = |how| trace.count(how) as u64;
        assert_eq!(count(Ended::Panicked), 1, "{name}");
        assert_eq!(count(Ended::Failed), 1, "{name}");
        assert_eq!(count(Ended::Done), JOBS - 2, "{name}");
    });
}

#[test]
fn what_is_cancelled_has_no_lane_and_has_waited() {
    watchdog(|| {
        let recorder = Recorder::new(10);
        let pool =
            manyhands::channel::ChannelPool::new(Config::new(1, 4).unwrap())
                .unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let first: Box<dyn FnOnce() + Send> = Box::new(move || {
            let _ = held.recv();
        });
        let idle: Box<dyn FnOnce() + Send> = Box::new(|| {});
        pool.submit(Traced::new(1, first, &recorder)).unwrap();
        pool.submit(Traced::new(2, idle, &recorder)).unwrap();
        pool.cancel();
        drop(release);
        assert_eq!(pool.completions().count(), 2);
        let trace = recorder.trace(1);
        let second = trace.records().iter().find(|r| r.number == 2).unwrap();
        assert_eq!(second.how, Ended::Cancelled);
        assert_eq!((second.started, second.lane), (None, None));
        assert_eq!(second.waited(), second.took());
        assert_eq!(second.ran(), None);
    });
}

#[test]
fn a_future_that_is_dropped_is_abandoned() {
    struct Never;
    impl Job for Never {
        type Output = ();
        fn run(self) {}
    }
    impl AsyncJob for Never {
        async fn run_async(self) {
            std::future::pending().await
        }
    }
    let recorder = Recorder::new(10);
    {
        let mut run = pin!(Traced::new(1, Never, &recorder).run_async());
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
        assert!(recorder.trace(1).records().is_empty());
    }
    assert_eq!(recorder.trace(1).count(Ended::Abandoned), 1);
}

#[test]
fn a_recorder_that_is_full_counts_what_it_drops() {
    for room in [0, 1, 10, 100] {
        let recorder = Recorder::new(room);
        for number in 1..=1000 {
            Traced::new(number, || {}, &recorder).run();
        }
        let trace = recorder.trace(1);
        let kept = trace.records().len();
        assert_eq!(kept, room);
        assert_eq!(trace.dropped(), 1000 - kept as u64);
        let warning = trace.warning().unwrap();
        assert!(warning.starts_with(&format!("{} of 1000", 1000 - kept)));
    }
}

#[test]
fn threads_run_out_of_room_together() {
    let recorder = Recorder::new(1000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || {
                for number in 0..1000 {
                    Traced::new(thread * 1000 + number, || {}, recorder).run();
                }
            });
        }
    });
    let trace = recorder.trace(4);
    let kept = trace.records().len();
    assert!(kept <= 1000, "{kept}");
    assert_eq!(kept as u64 + trace.dropped(), 4000);
    assert!(kept > 900, "{kept} of 1000 were used");
}

#[test]
fn two_observers_are_told_the_same() {
    let (one, other) = (Recorder::new(10), Recorder::new(10));
    let both = Arc::new((Arc::clone(&one), Arc::clone(&other)));
    Traced::new(5, || {}, &both).run();
    for recorder in [one, other] {
        let trace = recorder.trace(1);
        assert_eq!(trace.records()[0].number, 5);
        assert_eq!(trace.count(Ended::Done), 1);
    }
}

#[test]
fn a_job_taken_out_again_was_cancelled() {
    let recorder = Recorder::new(10);
    let job = Traced::new(1, || 7, &recorder).into_inner();
    assert_eq!(job.run(), 7);
    assert_eq!(recorder.trace(1).count(Ended::Cancelled), 1);
}

/// The recorder is used as any observer is.
#[test]
fn an_observer_can_be_told_without_a_job() {
    let recorder = Recorder::new(1);
    let mut job = recorder.made(1);
    recorder.started(&mut job);
    recorder.ended(job, Ended::Failed);
    assert_eq!(recorder.trace(1).count(Ended::Failed), 1);
}
