//! How many jobs a worker takes at once.

use manyhands_core::sync::Duration;

/// A worker's share of what is queued: what it takes leaves as much for each
/// of the others.
pub(crate) fn share(queued: usize, workers: usize) -> usize {
    queued.div_ceil(workers)
}

/// How many jobs a worker claims, by how long its last ones took.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How many take [`BATCH`](Self::BATCH) together.
    most: usize,
    /// How many take [`WORTH`](Self::WORTH).
    worth: usize,
}

impl Pace {
    /// However brief jobs are, no worker claims more. A lock among so many is
    /// nothing.
    const MOST: usize = 128;

    /// How long a batch may be expected to take.
    const BATCH: Duration = Duration::from_micros(10);

    /// How long what is claimed should take at least, if more is to come.
    const WORTH: Duration = Duration::from_micros(1);

    /// Most jobs that may be claimed at once.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many jobs are worth a claim; for fewer, wait a moment.
    pub(crate) fn worth(&self) -> usize {
        self.worth
    }

    /// A batch of `jobs` took so long.
    pub(crate) fn ran(&mut self, jobs: usize, time: Duration) {
        let within = |limit: Duration| {
            let scaled = limit.as_nanos() * jobs as u128;
            let within = scaled / time.as_nanos().max(1);
            usize::try_from(within).unwrap_or(usize::MAX)
        };
        // Not much more than there was to learn from.
        let known = jobs.saturating_mul(4).min(Self::MOST);
        self.most = within(Self::BATCH).clamp(1, known.max(1));
        self.worth = within(Self::WORTH).clamp(1, known.max(2) / 2);
    }
}

impl Default for Pace {
    /// Nothing is known: one at a time.
    fn default() -> Self {
        Self { most: 1, worth: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_leave_none_behind() {
        for (queued, workers, expected) in
            [(1, 3, 1), (3, 3, 1), (4, 3, 2), (100, 8, 13), (7, 1, 7)]
        {
            assert_eq!(share(queued, workers), expected);
        }
    }

    #[test]
    fn brief_jobs_are_claimed_by_the_batch_and_slow_ones_one_by_one() {
        let mut pace = Pace::default();
        assert_eq!((pace.most(), pace.worth()), (1, 1));
        for expected in [(4, 2), (16, 8), (64, 32), (128, 64), (128, 64)] {
            pace.ran(pace.most(), Duration::from_nanos(100));
            assert_eq!((pace.most(), pace.worth()), expected);
        }
        pace.ran(128, Duration::from_millis(3));
        assert_eq!((pace.most(), pace.worth()), (1, 1));
        // Three of 3 µs are within 10 µs, four are not.
        pace.ran(3, Duration::from_micros(9));
        assert_eq!((pace.most(), pace.worth()), (3, 1));
        pace.ran(100, Duration::from_micros(20));
        assert_eq!((pace.most(), pace.worth()), (50, 5));
        pace.ran(1, Duration::ZERO);
        assert_eq!((pace.most(), pace.worth()), (4, 2));
    }
}
