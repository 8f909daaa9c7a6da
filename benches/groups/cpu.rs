//! What two workers gain on arithmetic, by the size of a job: the loop's time
//! over the pool's is the speed-up, of which 2 is possible.

use criterion::Criterion;
use manyhands_benches::contenders::{Way, all};

use crate::{SIZES, measure};

pub(crate) fn define(criterion: &mut Criterion) {
    let mut contenders = all();
    contenders.retain(|it| it.way != Way::Handle);
    let mut group = measure::group(criterion, "cpu");
    // Enough for the first and the last job not to count; some milliseconds.
    for (work, jobs) in [
        ("spin:100ns", 10_000),
        ("spin:1us", 5_000),
        ("spin:10us", 500),
        ("spin:100us", 100),
        ("spin:1ms", 20),
        ("skew:10us", 512),
    ] {
        measure::jobs(&mut group, &contenders, SIZES, work, jobs);
    }
    group.finish();
}
