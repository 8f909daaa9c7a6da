//! Student's distribution: how far the mean of a few values may be off.

use std::f64::consts::FRAC_2_PI;

/// The 95 % interval of the mean that the values were drawn around. `None` of
/// fewer than two values.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let (mean, error, freedom) = mean(values)?;
    let reach = quantile(0.05, freedom) * error;
    Some((mean - reach, mean + reach))
}

/// How likely it is that the mean would be as far from 0, or further, if 0
/// were the true one.
pub(super) fn chance(values: &[f64]) -> Option<f64> {
    let (mean, error, freedom) = mean(values)?;
    Some(match mean == 0.0 {
        true => 1.0,
        false => beyond((mean / error).abs(), freedom),
    })
}

/// The mean, its standard error, and the degrees of freedom of that.
fn mean(values: &[f64]) -> Option<(f64, f64, u32)> {
    let n = values.len();
    let freedom = u32::try_from(n).ok()?.checked_sub(1).filter(|n| *n > 0)?;
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let variance = squares.sum::<f64>() / f64::from(freedom);
    Some((mean, (variance / n as f64).sqrt(), freedom))
}

/// How likely it is to be further from 0 than `t`, in either direction.
///
/// The exact sum that there is for whole degrees of freedom.
fn beyond(t: f64, freedom: u32) -> f64 {
    let angle = (t / f64::from(freedom).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let mut term = if is_odd { cos } else { 1.0 };
    let mut sum = 0.0;
    for n in (if is_odd { 3 } else { 2 }..=freedom).step_by(2) {
        sum += term;
        term *= cos * cos * f64::from(n - 1) / f64::from(n);
    }
    let within = match is_odd {
        true => FRAC_2_PI * (angle + sin * sum),
        false => sin * sum,
    };
    (1.0 - within).clamp(0.0, 1.0)
}

/// The `t` that is passed, in either direction, with that chance.
fn quantile(chance: f64, freedom: u32) -> f64 {
    let (mut low, mut high) = (0.0, 1e3);
    // Until there is no number between them.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        match beyond(middle, freedom) > chance {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it stands in tables.
    #[test]
    fn the_quantiles_are_those_of_the_tables() {
        for (freedom, chance, t) in [
            (1, 0.05, 12.706),
            (2, 0.05, 4.303),
            (3, 0.05, 3.182),
            (4, 0.05, 2.776),
            (4, 0.01, 4.604),
            (5, 0.05, 2.571),
            (7, 0.001, 5.408),
            (30, 0.05, 2.042),
        ] {
            let found = quantile(chance, freedom);
            assert!((found - t).abs() < 6e-4, "{freedom}, {chance}: {found}");
        }
    }

    #[test]
    fn values_that_agree_leave_no_doubt() {
        assert_eq!(interval(&[0.5, 0.5]), Some((0.5, 0.5)));
        assert_eq!(chance(&[0.5, 0.5]), Some(0.0));
        assert_eq!(chance(&[0.0, 0.0]), Some(1.0));
        assert_eq!(interval(&[0.5]), None);
        assert_eq!(chance(&[]), None);
    }
}
