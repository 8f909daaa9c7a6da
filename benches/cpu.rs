//! What two workers gain on arithmetic, by the size of a job.

use criterion::Criterion;

pub(crate) fn define(criterion: &mut Criterion) {
    for (work, jobs) in [("spin:1us", 1000), ("spin:10us", 200)] {
        crate::pool::measure(criterion, "cpu", work, jobs);
    }
}
