//! One run of each contender.

use std::time::Duration;

use crate::Spent;

/// One run of each contender, in random order, in one process. Everything is
/// compared within rounds only.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Which process ran it, from 1.
    pub process: usize,
    /// The contenders in the order in which they ran: all of them, unless the
    /// round was interrupted.
    pub order: Vec<usize>,
    /// What each contender's run took, if it ran.
    pub runs: Vec<Option<Spent>>,
    /// How long a [cache line](crate::cache_line) took from core to core,
    /// before the round and after it.
    pub cache_line: Option<(f64, f64)>,
    /// The machine's [load](crate::load) before it.
    pub load: Option<f64>,
}

impl Round {
    /// True if every contender ran.
    pub fn is_complete(&self) -> bool {
        self.order.len() == self.runs.len()
    }

    /// The logarithm of how many times as fast one was as another, if both
    /// ran.
    pub(crate) fn log_ratio(&self, who: usize, than: usize) -> Option<f64> {
        let (who, than) = (self.runs[who]?, self.runs[than]?);
        Some((nanos(than.wall) / nanos(who.wall)).ln())
    }
}

/// A time as a number to calculate with; never 0, so that ratios stay finite.
pub(crate) fn nanos(time: Duration) -> f64 {
    time.as_nanos().max(1) as f64
}
