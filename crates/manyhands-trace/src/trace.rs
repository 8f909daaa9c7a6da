//! What was recorded of a run.

use std::time::Duration;

use crate::flow::{Little, Step, steps};
use crate::lanes::assign_lanes;
use crate::times::{Phase, Times};
use crate::traced::Ended;

/// What became of one job. Times are since the recorder began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is called.
    pub number: u64,
    /// When it was made, and from then on waited.
    pub made: Duration,
    /// When it was started, if it was.
    pub started: Option<Duration>,
    /// When it ended.
    pub ended: Duration,
    /// How.
    pub how: Ended,
    /// On which thread; a number of no meaning.
    pub thread: usize,
    /// The lane in which it ran, from 0: of jobs that run at once each has
    /// its own. Set by [`Trace::new`].
    pub lane: Option<usize>,
}

impl Record {
    /// How long it waited until it was started, or ended without.
    pub fn waited(&self) -> Duration {
        self.started.unwrap_or(self.ended).saturating_sub(self.made)
    }

    /// How long it ran, if it did.
    pub fn ran(&self) -> Option<Duration> {
        Some(self.ended.saturating_sub(self.started?))
    }

    /// From when it was made to its end.
    pub fn took(&self) -> Duration {
        self.ended.saturating_sub(self.made)
    }
}

/// The records of a run, of jobs that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    records: Vec<Record>,
    /// When the first was made.
    start: Duration,
    lanes: usize,
    dropped: u64,
}

impl Trace {
    /// A trace of these records, wherever they come from, with a lane for
    /// each of `workers` and more only if more jobs ran at once.
    ///
    /// A pool does not say which worker runs a job, and some have no standing
    /// workers. So a thread that runs one job after the other stays in its
    /// lane, and where it cannot, as with tasks that share a thread, any lane
    /// will do that is free.
    pub fn new(
        mut records: Vec<Record>,
        workers: usize,
        dropped: u64,
    ) -> Self {
        records.sort_by_key(|record| {
            (record.started.unwrap_or(record.ended), record.number)
        });
        let lanes = assign_lanes(&mut records, workers).max(workers);
        let made = records.iter().map(|record| record.made);
        let start = made.min().unwrap_or_default();
        Self { records, start, lanes, dropped }
    }

    /// In the order in which they started; those that never did by their end.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// How many jobs ended when there was no room for a record of them.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A word about jobs that are missing, if any are.
    pub fn warning(&self) -> Option<String> {
        let (kept, dropped) = (self.records.len(), self.dropped);
        (dropped > 0).then(|| {
            format!(
                "{dropped} of {} jobs are not in this trace: it had room for \
                 {kept}",
                kept as u64 + dropped,
            )
        })
    }

    /// When the first job was made.
    pub fn start(&self) -> Duration {
        self.start
    }

    /// How long after that.
    pub fn since_start(&self, time: Duration) -> Duration {
        time.saturating_sub(self.start())
    }

    /// When the last job ended.
    pub fn end(&self) -> Duration {
        let ended = self.records.iter().map(|record| record.ended);
        ended.max().unwrap_or_default()
    }

    /// How many jobs ended in this way.
    pub fn count(&self, how: Ended) -> usize {
        self.records.iter().filter(|record| record.how == how).count()
    }

    /// How long jobs were in this phase.
    pub fn times(&self, phase: Phase) -> Times {
        self.records.iter().filter_map(|job| phase.of(job)).collect()
    }

    /// How many jobs waited and ran, from one change to the next.
    pub fn steps(&self) -> Vec<Step> {
        steps(&self.records)
    }

    /// Little's law on this run; `None` if nothing took any time.
    pub fn little(&self) -> Option<Little> {
        Little::of(&self.records)
    }

    /// The share of the time from the first start to the last end in which
    /// the lane had a job, from 0 to 1.
    pub fn busy(&self, lane: usize) -> f64 {
        let started = self.records.iter().filter_map(|job| job.started);
        let Some(start) = started.min() else { return 0.0 };
        let whole = self.end().saturating_sub(start).as_secs_f64();
        let here = |job: &&Record| job.lane == Some(lane);
        let ran = self.records.iter().filter(here).filter_map(Record::ran);
        let ran = ran.sum::<Duration>().as_secs_f64();
        if whole > 0.0 { ran / whole } else { 0.0 }
    }
}
