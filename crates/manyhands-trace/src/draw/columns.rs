//! Steps that lie closer together than can be drawn.

use crate::flow::Step;

/// From where on which step is drawn. Of steps that fall into one column, of
/// that width, the highest is drawn there, and the last from the next column
/// on, unless that has a step of its own.
pub(super) fn columns(
    steps: &[Step],
    at: impl Fn(&Step) -> f64,
    height: impl Fn(&Step) -> usize,
    width: f64,
) -> Vec<(f64, Step)> {
    let column = |step: &Step| (at(step) / width).floor();
    let mut columns: Vec<(f64, Step)> = Vec::new();
    for row in steps.chunk_by(|a, b| column(a) == column(b)) {
        let highest = row.iter().max_by_key(|step| height(step));
        // A chunk has a step at least.
        let (Some(&highest), Some(&last)) = (highest, row.last()) else {
            continue;
        };
        let here = column(&highest) * width;
        if columns.last().is_some_and(|(next, _)| *next >= here) {
            columns.pop();
        }
        columns.push((here, highest));
        if height(&last) != height(&highest) {
            columns.push((here + width, last));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_column_is_as_high_as_its_highest_step_and_then_as_its_last() {
        let steps = [(0, 1), (1, 7), (2, 2), (12, 3), (35, 9), (36, 0)];
        let steps = steps.map(|(at, waiting)| Step {
            at: Duration::from_secs(at),
            waiting,
            running: 0,
        });
        let at = |step: &Step| step.at.as_secs_f64();
        let drawn = columns(&steps, at, |step| step.waiting, 10.0);
        let drawn: Vec<(f64, usize)> =
            drawn.iter().map(|(x, step)| (*x, step.waiting)).collect();
        // The 2 lasts until 10, where the 3 is.
        assert_eq!(drawn, [(0.0, 7), (10.0, 3), (30.0, 9), (40.0, 0)]);
    }
}
