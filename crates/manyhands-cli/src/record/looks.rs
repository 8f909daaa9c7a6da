//! What is looked at beside the rounds, to be drawn: some runs job by job,
//! how long the slowest jobs took, and pools of other sizes.

use manyhands_measure::record::Runs;
use manyhands_trace::Trace;

/// Pictures' own figures. They were looked at after the rounds, once or a
/// few times, and nothing is concluded from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Looks {
    /// A run of each, job by job.
    pub(crate) traces: Vec<(String, Trace)>,
    /// How long jobs took, whose, and under which load.
    pub(crate) tails: Vec<Tail>,
    /// The same work, or the first part of it, on so many workers as each
    /// says.
    pub(crate) sizes: Vec<Runs>,
}

/// How long the jobs of a pool took, as a distribution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tail {
    /// Whose.
    pub(crate) name: String,
    pub(crate) load: Load,
    /// How many jobs.
    pub(crate) jobs: u64,
    /// Within how many nanoseconds so many percent of them were done, of
    /// those [`PERCENTS`] for which there are enough jobs.
    pub(crate) points: [Option<u64>; PERCENTS.len()],
}

/// When the jobs of a run were submitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    /// Each as soon as there was a place for it.
    Closed,
    /// At random times, which do not wait for the pool: so many jobs a
    /// second, which is so many percent of what the middle one of the
    /// variants does at most.
    Open { percent: u64, per_second: u64 },
}

/// Of how many percent of the jobs a tail tells.
pub(crate) const PERCENTS: [f64; 8] =
    [0.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0];

impl Tail {
    /// That one.
    pub(crate) fn at(&self, percent: f64) -> Option<u64> {
        let place = PERCENTS.iter().position(|it| *it == percent)?;
        self.points[place]
    }
}

impl Load {
    /// In a few words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Closed => "closed".to_owned(),
            Self::Open { percent, .. } => format!("open {percent} %"),
        }
    }
}
