//! Medians, and how sure they are.

/// The fewest values that have a 95 % interval: with 5, even the whole range
/// misses the true median once in 16 times.
pub(crate) const FEWEST: usize = 6;

/// How many times as fast one contender is as another, over the rounds in
/// which both ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio {
    /// The median of the rounds' ratios.
    pub(crate) estimate: f64,
    /// The 95 % interval of that median; `None` below [`FEWEST`] rounds.
    pub(crate) interval: Option<(f64, f64)>,
}

impl Ratio {
    /// Takes the logarithm of each round's ratio. `None` without a round.
    ///
    /// The logarithms make a round in which A took twice as long as B and
    /// one in which B took twice as long as A cancel out.
    pub(crate) fn of_logs(mut logs: Vec<f64>) -> Option<Self> {
        logs.sort_by(f64::total_cmp);
        let estimate = median(&logs)?.exp();
        let interval = interval(&logs).map(|(a, b)| (a.exp(), b.exp()));
        Some(Self { estimate, interval })
    }

    /// How far from 1, in either direction, the interval reaches: 1.05 for
    /// one from 0.98 to 1.05, and for one from 0.952 to 1.02 as well.
    pub(crate) fn reach(&self) -> Option<f64> {
        self.interval.map(|(low, high)| high.max(1.0 / low))
    }

    /// True if the interval lies above 1 as a whole.
    pub(crate) fn is_above_one(&self) -> bool {
        self.interval.is_some_and(|(low, _)| low > 1.0)
    }

    /// True if the interval lies below 1 as a whole.
    pub(crate) fn is_below_one(&self) -> bool {
        self.interval.is_some_and(|(_, high)| high < 1.0)
    }
}

/// The middle of sorted values: the mean of the middle two where there is no
/// one middle. `None` of nothing.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted {
        [] => None,
        _ if sorted.len() % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The 95 % interval of the median that the sorted values were drawn around.
///
/// From the `k`-th lowest value to the `k`-th highest. Whether a value falls
/// below the true median is the toss of a coin, whatever the distribution; so
/// the chance that fewer than `k` of `n` do is known, and `k` is the greatest
/// for which it is no more than 2.5 %. The same holds above.
fn interval(sorted: &[f64]) -> Option<(f64, f64)> {
    let n = sorted.len();
    // Most rounds that can be asked for are far below 1022, from which on the
    // chance of n heads is no longer a normal `f64`.
    let mut heads = 0.5f64.powi(i32::try_from(n).ok()?);
    let mut missed = 0.0;
    let mut k = 0;
    while missed + heads <= 0.025 && k < n {
        missed += heads;
        heads *= (n - k) as f64 / (k + 1) as f64;
        k += 1;
    }
    (k > 0).then(|| (sorted[k - 1], sorted[n - k]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(n: usize) -> Vec<f64> {
        (1..=n).map(|rank| rank as f64).collect()
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_middle_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }

    /// The ranks stand in tables of the sign test.
    #[test]
    fn the_interval_takes_the_ranks_of_the_sign_test() {
        assert_eq!(interval(&ranks(0)), None);
        assert_eq!(interval(&ranks(FEWEST - 1)), None);
        assert_eq!(interval(&ranks(FEWEST)), Some((1.0, 6.0)));
        assert_eq!(interval(&ranks(8)), Some((1.0, 8.0)));
        assert_eq!(interval(&ranks(9)), Some((2.0, 8.0)));
        assert_eq!(interval(&ranks(20)), Some((6.0, 15.0)));
        assert_eq!(interval(&ranks(100)), Some((40.0, 61.0)));
        assert_eq!(interval(&ranks(1000)), Some((469.0, 532.0)));
    }

    /// Not at 95 exactly: ranks are whole numbers, so it is at least that.
    #[test]
    fn the_interval_holds_the_true_median_95_times_in_100() {
        let mut random = fastrand::Rng::with_seed(7);
        for n in [6, 7, 9, 15, 40, 200] {
            let trials = 2000;
            let held = (0..trials).filter(|_| {
                // Skewed, and with the hiccups that machines have.
                let mut values: Vec<f64> = (0..n)
                    .map(|_| {
                        let hiccup =
                            if random.u8(..) < 25 { 50.0 } else { 1.0 };
                        (random.f64() - 0.5).powi(3) * hiccup
                    })
                    .collect();
                values.sort_by(f64::total_cmp);
                let (low, high) = interval(&values).unwrap();
                low <= 0.0 && 0.0 <= high
            });
            let held = held.count();
            assert!(held * 100 >= trials * 94, "{held} of {trials} at {n}");
        }
    }

    #[test]
    fn a_ratio_and_its_inverse_say_the_same() {
        let logs = vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let inverse = logs.iter().map(|log| -log).collect();
        let ratio = Ratio::of_logs(logs).unwrap();
        let inverse = Ratio::of_logs(inverse).unwrap();
        assert!((ratio.estimate - 0.35f64.exp()).abs() < 1e-12);
        assert!((ratio.estimate * inverse.estimate - 1.0).abs() < 1e-12);
        assert!(ratio.is_above_one() && !ratio.is_below_one());
        assert!(inverse.is_below_one() && !inverse.is_above_one());
        let reaches = (ratio.reach().unwrap(), inverse.reach().unwrap());
        assert!((reaches.0 - reaches.1).abs() < 1e-12);
    }

    #[test]
    fn few_rounds_have_an_estimate_and_no_interval() {
        let ratio = Ratio::of_logs(vec![0.7; FEWEST - 1]).unwrap();
        assert!((ratio.estimate - 0.7f64.exp()).abs() < 1e-12);
        assert_eq!(ratio.interval, None);
        assert!(!ratio.is_above_one() && !ratio.is_below_one());
        assert_eq!(Ratio::of_logs(Vec::new()), None);
    }
}
