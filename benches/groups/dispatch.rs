//! What handing a job over costs: jobs that do nothing, one submit each.

use criterion::Criterion;
use manyhands_benches::contenders::{Way, of};

use crate::{SIZES, measure};

pub(crate) fn define(criterion: &mut Criterion) {
    let mut group = measure::group(criterion, "dispatch");
    measure::jobs(&mut group, &of(Way::Single), SIZES, "noop", 10_000);
    group.finish();
}
