//! What a pool costs before and after its jobs: its start, its start and
//! first job, its end.

use criterion::{BatchSize, BenchmarkId, Criterion};
use manyhands_benches::contenders::{BASELINE, Way, of};
use manyhands_benches::work::Work;

use crate::{SIZES, measure};

pub(crate) fn define(criterion: &mut Criterion) {
    let work = Work::parse("noop").expect("a workload");
    let expected = work.expected(1);
    let mut contenders = of(Way::Single);
    contenders.retain(|it| it.name != BASELINE);
    let mut group = measure::group(criterion, "lifecycle");
    for contender in &contenders {
        let name = &contender.name;
        let start = || contender.start(SIZES);
        // What a routine returns is dropped when the clock has stopped.
        group.bench_function(BenchmarkId::new("start", name), |bencher| {
            bencher.iter_batched(|| (), |()| start(), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("first-job", name), |bencher| {
            bencher.iter_batched(
                || (),
                |()| {
                    let mut running = start();
                    running.run(&work, 1, expected);
                    running
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("stop", name), |bencher| {
            let started = || {
                let mut running = start();
                running.run(&work, 1, expected);
                running
            };
            bencher.iter_batched(started, drop, BatchSize::PerIteration);
        });
    }
    group.finish();
}
