//! The sign test: whether a value falls below the true median is the toss of
//! a coin, whatever the distribution. It asks that the values be independent,
//! so it is for those of one process.

/// The 95 % interval of the median that the values were drawn around, from
/// the `k`-th lowest to the `k`-th highest: `k` is the greatest for which a
/// fair coin shows fewer than `k` heads with a chance of at most 2.5 %. `None`
/// of fewer than six values.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let fewer = |k: usize| chance_of_at_most(k, n);
    let k = (0..n).take_while(|&k| fewer(k) <= 0.025).count();
    (k > 0).then(|| (sorted[k - 1], sorted[n - k]))
}

/// How likely it is that so many or more of the values, or so many or more
/// beyond the other side, would be beyond 0 if 0 were their median.
pub(super) fn chance(values: &[f64]) -> f64 {
    // What is 0 speaks for neither side.
    let below = values.iter().filter(|value| **value < 0.0).count();
    let above = values.iter().filter(|value| **value > 0.0).count();
    let less = values.len() - below.max(above);
    (2.0 * chance_of_at_most(less, values.len())).min(1.0)
}

/// Of so many heads, or fewer, in `n` throws of a fair coin.
fn chance_of_at_most(most: usize, n: usize) -> f64 {
    // Logarithms, since the chance of a thousand heads is no `f64`.
    let mut log = n as f64 * 0.5f64.ln();
    let mut sum = 0.0;
    for heads in 0..=most.min(n) {
        sum += log.exp();
        log += ((n - heads) as f64 / (heads + 1) as f64).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(n: usize) -> Vec<f64> {
        (1..=n).map(|rank| rank as f64).collect()
    }

    /// The ranks stand in tables of the sign test.
    #[test]
    fn the_interval_takes_the_ranks_of_the_sign_test() {
        assert_eq!(interval(&ranks(0)), None);
        assert_eq!(interval(&ranks(5)), None);
        assert_eq!(interval(&ranks(6)), Some((1.0, 6.0)));
        assert_eq!(interval(&ranks(8)), Some((1.0, 8.0)));
        assert_eq!(interval(&ranks(9)), Some((2.0, 8.0)));
        assert_eq!(interval(&ranks(20)), Some((6.0, 15.0)));
        assert_eq!(interval(&ranks(100)), Some((40.0, 61.0)));
        assert_eq!(interval(&ranks(1000)), Some((469.0, 532.0)));
    }

    #[test]
    fn the_chance_is_that_of_a_coin() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(chance(&ranks(6)), 2.0 / 64.0));
        assert!(close(chance(&[-1.0, 1.0, 1.0, 1.0]), 10.0 / 16.0));
        assert!(close(chance(&[-1.0, 1.0]), 1.0));
        assert!(close(chance(&[0.0, 0.0]), 1.0));
        assert!(close(chance(&[]), 1.0));
    }
}
