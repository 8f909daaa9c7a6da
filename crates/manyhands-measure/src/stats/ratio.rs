//! How many times as fast one is as another.

use super::{bootstrap, median, sign, student};

/// The fewest rounds that have an interval. In one process even the whole
/// range of 5 misses the true median once in 16 times; and from fewer, in
/// several processes, nobody should conclude anything either.
pub const FEWEST: usize = 6;

/// How many times as fast one contender is as another, over the rounds in
/// which both ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median of the rounds' ratios.
    pub estimate: f64,
    /// The 95 % interval of that median; `None` below [`FEWEST`] rounds.
    pub interval: Option<(f64, f64)>,
    /// How likely it is to be as far from 1, or further, if both are equally
    /// fast: for Holm's correction.
    pub(crate) chance: f64,
}

impl Ratio {
    /// Takes the logarithm of each round's ratio, by process. `None` without
    /// a round.
    ///
    /// The logarithms make a round in which A took twice as long as B and
    /// one in which B took twice as long as A cancel out.
    pub(crate) fn of_logs(processes: &[Vec<f64>]) -> Option<Self> {
        let some = processes.iter().filter(|rounds| !rounds.is_empty());
        let processes: Vec<&[f64]> = some.map(Vec::as_slice).collect();
        let mut all = processes.concat();
        let estimate = median(&mut all)?.exp();
        let none = Self { estimate, interval: None, chance: 1.0 };
        if all.len() < FEWEST {
            return Some(none);
        }
        let (interval, chance) = match processes[..] {
            [_] => (sign::interval(&all), sign::chance(&all)),
            _ => of_several(&processes),
        };
        let interval = interval.map(|(low, high)| {
            (low.exp().min(estimate), high.exp().max(estimate))
        });
        Some(Self { interval, chance, ..none })
    }

    /// How far from 1, in either direction, the interval reaches: 1.05 for
    /// one from 0.98 to 1.05, and for one from 0.952 to 1.02 as well.
    pub fn reach(&self) -> Option<f64> {
        self.interval.map(|(low, high)| high.max(1.0 / low))
    }

    /// True if the interval lies above 1 as a whole.
    pub fn is_above_one(&self) -> bool {
        self.interval.is_some_and(|(low, _)| low > 1.0)
    }

    /// True if the interval lies below 1 as a whole.
    pub fn is_below_one(&self) -> bool {
        self.interval.is_some_and(|(_, high)| high < 1.0)
    }
}

/// The interval over several processes, and the chance of being so far from 0.
///
/// The wider of two, at either end: the bootstrap over processes and rounds,
/// and Student's interval of the processes' medians. By itself the bootstrap
/// is too narrow with few processes, since the ones there are cannot show how
/// far others might be; the tests below say by how much.
fn of_several(processes: &[&[f64]]) -> (Option<(f64, f64)>, f64) {
    let medians = processes.iter().map(|rounds| median(&mut rounds.to_vec()));
    let medians: Vec<f64> = medians.flatten().collect();
    let drawn = bootstrap::interval(processes);
    let interval = student::interval(&medians).zip(drawn);
    let interval = interval.map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
    (interval, student::chance(&medians).unwrap_or(1.0))
}
