//! What handing a job over costs: jobs that do nothing.

use criterion::Criterion;

pub(crate) fn define(criterion: &mut Criterion) {
    crate::pool::measure(criterion, "dispatch", "noop", 1000);
}
