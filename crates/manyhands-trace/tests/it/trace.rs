//! What is made of records: lanes, steps, percentiles.

use manyhands_trace::{Ended, Phase, Record, Trace};
use proptest::prelude::*;

use crate::support::{done, five_jobs, millis};

#[test]
fn five_jobs_on_three_workers() {
    let trace = Trace::new(five_jobs(), 3, 0);
    let lanes: Vec<_> = trace
        .records()
        .iter()
        .map(|record| (record.number, record.lane.unwrap()))
        .collect();
    assert_eq!(lanes, [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1)]);
    let steps: Vec<_> = trace
        .steps()
        .iter()
        .map(|step| (step.at, step.waiting, step.running))
        .collect();
    assert_eq!(
        steps,
        [(millis(0), 2, 3), (millis(1000), 0, 2), (millis(2000), 0, 0)]
    );
    let little = trace.little().unwrap();
    assert_eq!(little.in_flight, 3.5);
    assert_eq!(little.per_second, 2.5);
    assert_eq!(little.seconds, 1.4);
    assert_eq!((trace.busy(0), trace.busy(2)), (1.0, 0.5));
    assert_eq!((trace.start(), trace.end()), (millis(0), millis(2000)));
}

#[test]
fn a_lane_is_kept_by_its_thread_and_shared_by_tasks() {
    // Two tasks at once on one thread, then one on another.
    let records = vec![
        done(1, 1, [0, 0, 10]),
        done(2, 1, [0, 5, 20]),
        done(3, 2, [0, 12, 15]),
    ];
    let lanes = |workers| {
        let trace = Trace::new(records.clone(), workers, 0);
        let lane = |record: &Record| record.lane.unwrap();
        let used: Vec<_> = trace.records().iter().map(lane).collect();
        (used, trace.lanes())
    };
    assert_eq!(lanes(2), (vec![0, 1, 0], 2));
    assert_eq!(lanes(3), (vec![0, 1, 2], 3));
    assert_eq!(lanes(1), (vec![0, 1, 0], 2));
}

#[test]
fn percentiles_are_those_of_the_phase() {
    let records = (1..=100).map(|n| {
        let made = 1000 * n;
        done(n, 0, [made, made + n, made + n + 10])
    });
    let trace = Trace::new(records.collect(), 1, 0);
    let close = |phase, percent, expected: u64| {
        let time = trace.times(phase).percentile(percent).as_micros() as f64;
        let expected = 1000.0 * expected as f64;
        assert!((time / expected - 1.0).abs() < 0.002, "{time} {expected}");
    };
    close(Phase::Waiting, 50.0, 50);
    close(Phase::Waiting, 99.0, 99);
    close(Phase::Running, 50.0, 10);
    close(Phase::Whole, 100.0, 110);
    assert!(trace.times(Phase::Waiting).max() >= millis(100));
    assert!(trace.times(Phase::Running).mean() > millis(9));
}

#[test]
fn an_empty_trace_is_one() {
    let trace = Trace::new(Vec::new(), 2, 0);
    assert_eq!(trace.lanes(), 2);
    assert_eq!(trace.steps(), []);
    assert_eq!(trace.little(), None);
    assert_eq!(trace.busy(0), 0.0);
    assert_eq!(trace.times(Phase::Whole).count(), 0);
}

/// Jobs of all kinds, as they might be recorded.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let job = (0_u64..50, 0_u64..20, 0_u64..20, 0_usize..4, any::<bool>());
    proptest::collection::vec(job, 0..60).prop_map(|jobs| {
        (1..)
            .zip(jobs)
            .map(|(number, (made, wait, run, thread, ran))| {
                let record = done(
                    number,
                    thread,
                    [made, made + wait, made + wait + run],
                );
                match ran {
                    true => record,
                    false => Record {
                        started: None,
                        ended: millis(made + wait),
                        how: Ended::Cancelled,
                        ..record
                    },
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_two_jobs_are_in_a_lane_at_once(
        records in records(),
        workers in 1_usize..6,
    ) {
        let count = records.len();
        let trace = Trace::new(records, workers, 0);
        prop_assert_eq!(trace.records().len(), count);
        let ran: Vec<_> =
            trace.records().iter().filter(|job| job.ran().is_some()).collect();
        for (at, one) in ran.iter().enumerate() {
            prop_assert!(one.lane.unwrap() < trace.lanes());
            for other in &ran[at + 1..] {
                let apart = one.ended <= other.started.unwrap()
                    || other.ended <= one.started.unwrap();
                prop_assert!(one.lane != other.lane || apart);
            }
        }
        // No more lanes than are needed.
        let at_once = |at: &Record| {
            let there = |job: &&&Record| {
                job.started <= at.started && at.started < Some(job.ended)
                    || job.number == at.number
            };
            ran.iter().filter(there).count()
        };
        let most = ran.iter().map(|job| at_once(job)).max().unwrap_or(0);
        prop_assert!(trace.lanes() <= workers.max(most));
    }

    #[test]
    fn steps_end_empty_and_keep_littles_law(records in records()) {
        let trace = Trace::new(records, 3, 0);
        for pair in trace.steps().windows(2) {
            prop_assert!(pair[0].at < pair[1].at);
        }
        if let Some(last) = trace.steps().last() {
            prop_assert_eq!(last.in_flight(), 0);
        }
        if let Some(little) = trace.little() {
            prop_assert!(little.error() < 1e-6, "{:?}", little);
        }
    }
}
