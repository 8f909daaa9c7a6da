//! The contenders, and one run of a workload on one of them.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use manyhands::{Config, InlinePool, WorkerPool, WorkerPoolExt, variants};
use manyhands_workloads::{Settings, WorkJob, Workload};

type Pool = Box<dyn WorkerPool<WorkJob>>;

/// A name, and what makes a pool of two workers.
type Contender = (&'static str, Box<dyn Fn() -> Pool>);

/// The baseline and every variant.
fn contenders() -> Vec<Contender> {
    let inline = || Box::new(InlinePool::new()) as Pool;
    let baseline: Contender = ("inline", Box::new(inline));
    let config = Config::new(2, 1024).expect("sizes within range");
    let pools = variants::<WorkJob, _, _>().into_iter().map(|variant| {
        let name = variant.name;
        let make = move || variant.make(config).expect("two threads");
        (name, Box::new(make) as Box<dyn Fn() -> Pool>)
    });
    std::iter::once(baseline).chain(pools).collect()
}

/// Measures a workload on every contender, under `group/workload/contender`:
/// from the first submit to the last completion, on a pool that was built
/// before and is dropped after.
pub(crate) fn measure(
    criterion: &mut Criterion,
    group: &str,
    work: &str,
    jobs: usize,
) {
    let settings = Settings { jobs: Some(jobs), ..Settings::default() };
    let workload = Workload::parse(work, &settings).expect("a workload");
    workload.prepare();

    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(jobs as u64));
    for (name, make) in contenders() {
        group.bench_function(BenchmarkId::new(work, name), |bencher| {
            bencher.iter_batched(
                &make,
                |pool| run(pool, &workload),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Runs all jobs, one submit each, and checks every answer. Returns the pool,
/// to be dropped outside of the measurement.
fn run(pool: Pool, workload: &Workload) -> Pool {
    let mut tally = workload.tally();
    let add = |c: manyhands::Completion<_>| tally.add(c.id, c.outcome);
    pool.run_all(workload.jobs(), add).expect("nobody closes it");
    tally.check(false).expect("the answers are right");
    pool
}
