//! Jobs that wait, as for a network: a hundred at once, and a thousand.

use criterion::Criterion;
use manyhands_benches::contenders::{BASELINE, Sizes, Way, of};

use crate::measure;

pub(crate) fn define(criterion: &mut Criterion) {
    let mut contenders = of(Way::Single);
    // One after the other: it would take seconds, and everybody knows.
    contenders.retain(|it| it.name != BASELINE);
    // The ideal is 10 rounds of 10 ms: tokio rounds up to a millisecond, of
    // which such a sleep has enough. A pool without workers holds to the
    // length of the queue.
    for at_once in [100, 1000] {
        let sizes = Sizes { workers: at_once, queue: at_once };
        let mut group =
            measure::group(criterion, &format!("sleep/at-once-{at_once}"));
        let jobs = 10 * at_once as u64;
        measure::jobs(&mut group, &contenders, sizes, "sleep:10ms", jobs);
        group.finish();
    }
}
