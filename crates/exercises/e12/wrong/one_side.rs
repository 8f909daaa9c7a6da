//! It counts one side of the coin. Which of the two would come out faster was
//! not known before, so both count: one in twenty would else be one in ten.

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

pub fn latencies(requests: &[Request]) -> Vec<u64> {
    requests.iter().map(|it| it.answered - it.intended).collect()
}

pub fn percentile(times: &[u64], percent: f64) -> Option<u64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = (percent * times.len() as f64 / 100.0).ceil() as usize;
    times.get(rank.checked_sub(1)?).copied()
}

// ANCHOR: wrong
pub fn by_chance(rounds: usize, most: usize) -> f64 {
    let mut one = 0.5f64.powi(rounds as i32);
    let mut tail = 0.0;
    for heads in 0..=rounds {
        if heads >= most {
            tail += one;
        }
        one *= (rounds - heads) as f64 / (heads + 1) as f64;
    }
    tail
}
// ANCHOR_END: wrong

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
