//! Exercise 12: a solution.

/// One request; times in microseconds, from the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub intended: u64,
    pub sent: u64,
    pub answered: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Faster,
    Slower,
    CannotTell,
}

// ANCHOR: latency
pub fn latencies(requests: &[Request]) -> Vec<u64> {
    requests.iter().map(|it| it.answered - it.intended).collect()
}

pub fn percentile(times: &[u64], percent: f64) -> Option<u64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    // 7.0 / 100.0 * 100.0 is a little more than 7; 7.0 * 100.0 / 100.0 is 7.
    let rank = (percent * times.len() as f64 / 100.0).ceil() as usize;
    times.get(rank.checked_sub(1)?).copied()
}
// ANCHOR_END: latency

// ANCHOR: verdict
pub fn by_chance(rounds: usize, most: usize) -> f64 {
    // Each number of heads has a probability; from one to the next it is
    // multiplied, in logarithms, so that a thousand rounds are no problem.
    let mut one = -(rounds as f64) * 2f64.ln();
    let mut tail = 0.0;
    for heads in 0..=rounds {
        if heads >= most {
            tail += one.exp();
        }
        one += ((rounds - heads) as f64).ln() - ((heads + 1) as f64).ln();
    }
    // The other side of the coin is as probable.
    f64::min(1.0, 2.0 * tail)
}

pub fn verdict(ratios: &[f64]) -> Verdict {
    let above = ratios.iter().filter(|&&ratio| ratio > 1.0).count();
    let below = ratios.iter().filter(|&&ratio| ratio < 1.0).count();
    if by_chance(above + below, above.max(below)) > 0.05 {
        return Verdict::CannotTell;
    }
    match above > below {
        true => Verdict::Faster,
        false => Verdict::Slower,
    }
}
// ANCHOR_END: verdict
