//! The same with a handle a job, each waited for.

use criterion::Criterion;
use manyhands_benches::contenders::{Way, of};

use crate::{SIZES, measure};

pub(crate) fn define(criterion: &mut Criterion) {
    let mut group = measure::group(criterion, "handles");
    measure::jobs(&mut group, &of(Way::Handle), SIZES, "noop", 10_000);
    group.finish();
}
