//! The same in batches, or all jobs in one call.

use criterion::Criterion;
use manyhands_benches::contenders::{Way, of};

use crate::{SIZES, measure};

pub(crate) fn define(criterion: &mut Criterion) {
    let mut group = measure::group(criterion, "batch");
    measure::jobs(&mut group, &of(Way::Batch), SIZES, "noop", 10_000);
    group.finish();
}
