//! The bootstrap over two levels: what would have been found with other
//! processes, and with other rounds in each of them.

use super::median;
use crate::random::Random;

/// From the 25th lowest to the 25th highest of a thousand medians, each of as
/// many processes, drawn from those there are, with as many rounds drawn from
/// each process.
///
/// The draws are the same for the same numbers of processes and rounds, so
/// that a record shows the same interval each time.
pub(super) fn interval(processes: &[&[f64]]) -> Option<(f64, f64)> {
    const DRAWS: usize = 1000;
    const OUTSIDE: usize = 25;
    if processes.iter().all(|rounds| rounds.is_empty()) {
        return None;
    }
    let mut random = Random::with_seed(1);
    let mut drawn = Vec::new();
    let mut medians = Vec::with_capacity(DRAWS);
    while medians.len() < DRAWS {
        drawn.clear();
        for _ in processes {
            let rounds = processes[random.below(processes.len())];
            let draw = |_| rounds[random.below(rounds.len())];
            drawn.extend((0..rounds.len()).map(draw));
        }
        // Nothing, if all that were drawn are empty.
        medians.extend(median(&mut drawn));
    }
    medians.sort_by(f64::total_cmp);
    Some((medians[OUTSIDE - 1], medians[DRAWS - OUTSIDE]))
}
