//! How many jobs wait and run, as time goes on.

use std::time::Duration;

use crate::trace::Record;

/// From this time on, and up to that of the next step, so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Since the recorder began.
    pub at: Duration,
    /// Jobs that were made and not started: the depth of the queue, with
    /// those that were about to enter it.
    pub waiting: usize,
    /// Jobs that were started and have not ended.
    pub running: usize,
}

impl Step {
    /// Jobs in flight: both.
    pub fn in_flight(&self) -> usize {
        self.waiting + self.running
    }
}

/// From the first change, where somebody waits, to the last, after which
/// nobody does.
pub(crate) fn steps(records: &[Record]) -> Vec<Step> {
    // What changes, and by how much. At one time, comings before goings: a
    // job that took no time was there.
    let mut changes: Vec<(Duration, i64, i64)> = Vec::new();
    for record in records {
        changes.push((record.made, 1, 0));
        match record.started {
            Some(started) => {
                changes.push((started, -1, 1));
                changes.push((record.ended, 0, -1));
            }
            None => changes.push((record.ended, -1, 0)),
        }
    }
    changes.sort_by_key(|&(at, ..)| at);
    let (mut waiting, mut running) = (0_i64, 0_i64);
    let mut steps: Vec<Step> = Vec::new();
    for row in changes.chunk_by(|a, b| a.0 == b.0) {
        waiting += row.iter().map(|change| change.1).sum::<i64>();
        running += row.iter().map(|change| change.2).sum::<i64>();
        let (waiting, running) = (waiting as usize, running as usize);
        steps.push(Step { at: row[0].0, waiting, running });
    }
    steps
}

/// Little's law: on the average there are as many jobs in a system as come
/// in a unit of time, times how long each stays.
///
/// The left side is added up from how many were there at each time, the right
/// one job by job. It holds for every run that begins and ends empty, so
/// where it does not, the record is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Little {
    /// L: jobs in flight, on the average over the run.
    pub in_flight: f64,
    /// λ: jobs a second.
    pub per_second: f64,
    /// W: seconds that a job took, waiting and running, on the average.
    pub seconds: f64,
}

impl Little {
    // ANCHOR: little
    pub(crate) fn of(records: &[Record]) -> Option<Self> {
        let steps = steps(records);
        let (first, last) = (steps.first()?, steps.last()?);
        let whole = last.at.saturating_sub(first.at).as_secs_f64();
        if whole <= 0.0 {
            return None;
        }
        let area: f64 = steps
            .windows(2)
            .map(|pair| {
                let time = pair[1].at.saturating_sub(pair[0].at);
                time.as_secs_f64() * pair[0].in_flight() as f64
            })
            .sum();
        let jobs = records.len() as f64;
        let took: f64 =
            records.iter().map(|job| job.took().as_secs_f64()).sum();
        Some(Self {
            in_flight: area / whole,
            per_second: jobs / whole,
            seconds: took / jobs,
        })
    }
    // ANCHOR_END: little

    /// By how much the two sides differ, as a part of the left one. What
    /// rounding leaves is under a millionth.
    pub fn error(&self) -> f64 {
        let product = self.per_second * self.seconds;
        (self.in_flight - product).abs()
            / self.in_flight.max(f64::MIN_POSITIVE)
    }
}
