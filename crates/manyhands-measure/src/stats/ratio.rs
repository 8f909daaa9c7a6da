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
    ///
    /// ```
    /// use manyhands_measure::Ratio;
    ///
    /// let twice = vec![2f64.ln(); 4];
    /// let ratio = Ratio::of_logs(&[twice.clone(), twice]).unwrap();
    /// assert!(ratio.is_above_one());
    /// assert!((ratio.estimate - 2.0).abs() < 1e-9);
    /// ```
    pub fn of_logs(processes: &[Vec<f64>]) -> Option<Self> {
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
/// far others might be; the example `coverage` says by how much.
fn of_several(processes: &[&[f64]]) -> (Option<(f64, f64)>, f64) {
    let medians = processes.iter().map(|rounds| median(&mut rounds.to_vec()));
    let medians: Vec<f64> = medians.flatten().collect();
    let drawn = bootstrap::interval(processes);
    let interval = student::interval(&medians).zip(drawn);
    let interval = interval.map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
    (interval, student::chance(&medians).unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_and_its_inverse_say_the_same() {
        let logs = [vec![0.1, 0.2, 0.3], vec![0.4, 0.5, 0.6], vec![0.35]];
        let inverse = logs.clone().map(|it| it.iter().map(|it| -it).collect());
        let ratio = Ratio::of_logs(&logs).unwrap();
        let inverse = Ratio::of_logs(&inverse).unwrap();
        assert!((ratio.estimate - 0.35f64.exp()).abs() < 1e-12);
        assert!((ratio.estimate * inverse.estimate - 1.0).abs() < 1e-12);
        assert!((ratio.chance - inverse.chance).abs() < 1e-12);
        assert!(inverse.estimate < 1.0 && ratio.estimate > 1.0);
        let reaches = (ratio.reach().unwrap(), inverse.reach().unwrap());
        // The bootstrap draws other rounds for the one than for the other.
        assert!((reaches.0 / reaches.1 - 1.0).abs() < 0.05, "{reaches:?}");
    }

    #[test]
    fn few_rounds_have_an_estimate_and_no_interval() {
        let few = vec![0.7; FEWEST - 1];
        for processes in
            [vec![few.clone()], few.iter().map(|it| vec![*it]).collect()]
        {
            let ratio = Ratio::of_logs(&processes).unwrap();
            assert!((ratio.estimate - 0.7f64.exp()).abs() < 1e-12);
            assert_eq!(ratio.interval, None);
            assert!(!ratio.is_above_one() && !ratio.is_below_one());
        }
        assert_eq!(Ratio::of_logs(&[]), None);
        assert_eq!(Ratio::of_logs(&[Vec::new()]), None);
    }

    #[test]
    fn one_process_has_the_interval_of_the_sign_test() {
        let logs: Vec<f64> = (1..=9).map(f64::from).collect();
        let ratio = Ratio::of_logs(&[logs, Vec::new()]).unwrap();
        let (low, high) = ratio.interval.unwrap();
        assert!((low.ln() - 2.0).abs() < 1e-12, "{low}");
        assert!((high.ln() - 8.0).abs() < 1e-12, "{high}");
        assert!((ratio.chance - 2.0 / 512.0).abs() < 1e-12);
    }

    /// Many rounds of each leave no doubt about the processes there are, but
    /// all about those there are not.
    #[test]
    fn processes_that_differ_have_a_wide_interval_however_many_the_rounds() {
        let one = vec![0.1; 100];
        let other = vec![0.2; 100];
        let ratio = Ratio::of_logs(&[one, other]).unwrap();
        let (low, high) = ratio.interval.unwrap();
        // Student's, of one degree of freedom: 12.7 times the error of 0.05.
        assert!(low.ln() < 0.15 - 0.6 && high.ln() > 0.15 + 0.6, "{ratio:?}");
    }

    #[test]
    fn the_estimate_lies_within_the_interval() {
        // Medians of processes far from that of all rounds.
        let logs = [vec![0.0; 50], vec![9.0], vec![9.0], vec![9.0]];
        let ratio = Ratio::of_logs(&logs).unwrap();
        let (low, high) = ratio.interval.unwrap();
        assert!(low <= ratio.estimate && ratio.estimate <= high, "{ratio:?}");
    }
}
