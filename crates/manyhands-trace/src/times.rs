//! How long jobs waited and ran: the distribution.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::trace::Record;

/// A part of a job's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// From when it was made to its start, or to its end without.
    Waiting,
    /// From its start to its end; not for one that was never started.
    Running,
    /// Both.
    Whole,
}

impl Phase {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Whole];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Whole => "in all",
        }
    }

    pub(crate) fn of(self, job: &Record) -> Option<Duration> {
        match self {
            Self::Waiting => Some(job.waited()),
            Self::Running => job.ran(),
            Self::Whole => Some(job.took()),
        }
    }
}

/// How long jobs took, to a thousandth of each time.
pub struct Times {
    histogram: Histogram<u64>,
}

impl Times {
    /// How many jobs.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// What so many percent of the jobs did not exceed, 0 to 100.
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.histogram.value_at_percentile(percent))
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.histogram.max())
    }

    /// The average.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.histogram.mean() as u64)
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut histogram = Histogram::new(3).expect("3 digits can be had");
        for time in times {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            histogram.record(nanos).expect("it grows as it has to");
        }
        Self { histogram }
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times")
            .field("count", &self.count())
            .field("p50", &self.percentile(50.0))
            .field("p99", &self.percentile(99.0))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}
