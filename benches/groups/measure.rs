//! What the groups that criterion measures have in common.

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput,
};
use manyhands_benches::contenders::{Contender, Sizes, Way, of};
use manyhands_benches::work::Work;

/// A group in which every sample has as many iterations: one of them takes
/// long.
pub(crate) fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    group
}

/// Measures so many jobs on each contender, under `group/work/contender`:
/// from the first submit to the last result, on a pool that was started
/// before.
pub(crate) fn jobs(
    group: &mut BenchmarkGroup<'_, WallTime>,
    contenders: &[Contender],
    sizes: Sizes,
    work: &str,
    jobs: u64,
) {
    let work = Work::parse(work).expect("a workload");
    for contender in contenders {
        let jobs = jobs.min(contender.most_jobs / 10);
        let expected = work.expected(jobs);
        group.throughput(Throughput::Elements(jobs));
        let id = BenchmarkId::new(work.name(), &contender.name);
        group.bench_function(id, |bencher| {
            let mut running = contender.start(sizes);
            bencher.iter(|| running.run(&work, jobs, expected));
        });
    }
}

/// Those that any thread may feed and read.
pub(crate) fn feeds(sizes: Sizes) -> Vec<Contender> {
    let mut contenders = of(Way::Single);
    contenders.retain(|it| it.start(sizes).pool.feed().is_some());
    contenders
}
