//! Which rounds are looked at together.

use crate::stats::median;
use crate::{FEWEST, Round};

/// How fast a [cache line](crate::cache_line) was during the rounds from which
/// everything follows. Whoever hands over jobs goes by it, and on a virtual
/// machine it jumps from one level to another; so only rounds of one level
/// are looked at together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// The least and the most, in nanoseconds; `None` if it is not known.
    pub cache_line: Option<(f64, f64)>,
    /// How many rounds were looked at.
    pub used: usize,
    /// How many were left out, since the cache line was at another level
    /// before or after them.
    pub left_out: usize,
    /// True if the levels changed so often that no half of the rounds has
    /// one: then all are looked at, and mixed.
    pub is_mixed: bool,
}

/// The rounds that are looked at together: those before and after which the
/// cache line was within a factor of 1.5 of what it was mostly.
pub(super) fn of_one_state(rounds: &[Round]) -> (Vec<&Round>, State) {
    const APART: f64 = 1.5;
    let lines = |rounds: &[&Round]| -> Vec<f64> {
        let lines = rounds.iter().filter_map(|round| round.cache_line);
        lines.flat_map(|(before, after)| [before, after]).collect()
    };
    let all: Vec<&Round> = rounds.iter().collect();
    let mostly = median(&mut lines(&all));
    let is_near = |line: f64| {
        mostly.is_none_or(|it| it / APART <= line && line <= it * APART)
    };
    let is_steady = |round: &Round| {
        round.cache_line.is_none_or(|(a, b)| is_near(a) && is_near(b))
    };
    let steady = all.iter().copied().filter(|round| is_steady(round));
    let steady: Vec<&Round> = steady.collect();
    // Never fewer than an interval needs, if there are as many.
    let fewest = all.len().div_ceil(2).max(FEWEST.min(all.len()));
    let is_mixed = steady.len() < fewest;
    let used = if is_mixed { all } else { steady };
    let lines = lines(&used);
    let least = lines.iter().copied().min_by(f64::total_cmp);
    let most = lines.iter().copied().max_by(f64::total_cmp);
    let state = State {
        cache_line: least.zip(most),
        used: used.len(),
        left_out: rounds.len() - used.len(),
        is_mixed,
    };
    (used, state)
}
