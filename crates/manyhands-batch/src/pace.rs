//! How many jobs a worker takes at once.

use manyhands_core::sync::Duration;

/// A worker's share of what is queued: what it takes leaves as much for each
/// of the others.
pub(crate) fn share(queued: usize, workers: usize) -> usize {
    queued.div_ceil(workers)
}

/// Most jobs that a worker claims, by how long its last ones took.
#[derive(Debug)]
pub(crate) struct Pace {
    most: usize,
}

impl Pace {
    /// However brief jobs are, no worker claims more. A lock among so many is
    /// nothing.
    const MOST: usize = 64;

    /// How long a batch may be expected to take.
    const TIME: Duration = Duration::from_micros(10);

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many jobs are worth a claim; fewer, and it may wait a moment. A tenth
    /// of what it may claim is a microsecond's work.
    pub(crate) fn worth(&self) -> usize {
        self.most.div_ceil(10)
    }

    /// A batch of `jobs` took so long.
    pub(crate) fn ran(&mut self, jobs: usize, time: Duration) {
        let batches = Self::TIME.as_nanos() / time.as_nanos().max(1);
        let batches = usize::try_from(batches).unwrap_or(usize::MAX);
        // Not much more than there was to learn from.
        let most = jobs.saturating_mul(batches.min(4));
        self.most = most.clamp(1, Self::MOST);
    }
}

impl Default for Pace {
    /// Nothing is known: one at a time.
    fn default() -> Self {
        Self { most: 1 }
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
        assert_eq!(pace.most(), 1);
        for expected in [4, 16, 64, 64] {
            pace.ran(pace.most(), Duration::from_nanos(100));
            assert_eq!(pace.most(), expected);
        }
        pace.ran(64, Duration::from_millis(1));
        assert_eq!(pace.most(), 1);
        // Three of 3 µs are within 10 µs, six are not.
        pace.ran(3, Duration::from_micros(9));
        assert_eq!(pace.most(), 3);
        pace.ran(1, Duration::ZERO);
        assert_eq!(pace.most(), 4);
    }
}
