//! Several comparisons at once.

/// Which of the comparisons, by the chance that each would come out so if
/// there were no difference, can be believed together: that even one of them
/// is wrong has a chance of at most 5 %.
///
/// Holm's way: the smallest chance must be below 5 % over their number, the
/// next over one less, and so on, until one is not.
pub(crate) fn holm(chances: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]));
    let mut believed = vec![false; chances.len()];
    for (place, &which) in order.iter().enumerate() {
        let left = chances.len() - place;
        if chances[which] * left as f64 > 0.05 {
            break;
        }
        believed[which] = true;
    }
    believed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comparison_must_pass_for_itself_and_those_before_it() {
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.05]), [true]);
        assert_eq!(holm(&[0.051]), [false]);
        // 0.01 × 3, 0.02 × 2, 0.04 × 1.
        assert_eq!(holm(&[0.04, 0.01, 0.02]), [true; 3]);
        // 0.03 × 2 is too much, so 0.04 × 1 is not asked any more.
        assert_eq!(holm(&[0.04, 0.01, 0.03]), [false, true, false]);
    }
}
