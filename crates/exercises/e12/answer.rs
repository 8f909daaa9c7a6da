//! Exercise 12: measure, and say what can be said.
//!
//! 1. A client sends a request every so often. If the server stands still, a
//!    client that waits for each answer sends late, and measures only from when
//!    it sent: the wait of all that should have been sent is omitted
//!    (coordinated omission). A latency counts from the *intended* start.
//! 2. A percentile by nearest rank: of n times in order, the p-th percentile is
//!    the one at rank ceil(p/100 × n), counted from 1.
//! 3. Two variants were run in turn, many times. Each round has a ratio, the
//!    time of the first by the time of the second: above 1, the second was
//!    faster. If neither is faster, above and below are equally probable, as the
//!    sides of a coin. The sign test asks how probable it is that a fair coin
//!    falls at least that much to one side *or the other*; above 0.05 it cannot
//!    tell. A ratio of exactly 1 is no side, and is left out.
//!
//! Chapter: docs/course/12-measure-and-choose.md. Checks: `manyhands learn check
//! 12`.

/// One request; times in microseconds, from the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// When it was to be sent.
    pub intended: u64,
    /// When it was sent.
    pub sent: u64,
    /// When the answer was there.
    pub answered: u64,
}

/// What many rounds say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The second is faster.
    Faster,
    /// The second is slower.
    Slower,
    /// It may be chance.
    CannotTell,
}

/// How long each took, for whoever wanted it sent.
pub fn latencies(requests: &[Request]) -> Vec<u64> {
    todo!("exercise 12")
}

/// A percentile by nearest rank, of times in any order. `None` for no times.
/// `percent` is above 0 and at most 100.
pub fn percentile(times: &[u64], percent: f64) -> Option<u64> {
    todo!("exercise 12")
}

/// How probable it is that of `rounds` throws of a fair coin at least `most`
/// fall to the same side. `most` is at least half of them.
pub fn by_chance(rounds: usize, most: usize) -> f64 {
    todo!("exercise 12")
}

/// What the ratios of many rounds say.
pub fn verdict(ratios: &[f64]) -> Verdict {
    todo!("exercise 12")
}
