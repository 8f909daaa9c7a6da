//! Many threads submit to one pool, and one reads: from the moment at which
//! they may begin to the last result.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use manyhands_benches::drive::Feed;
use manyhands_benches::work::{Source, Sum, Work};

use crate::{SIZES, measure};

/// All submitters together.
const JOBS: u64 = 6_400;

pub(crate) fn define(criterion: &mut Criterion) {
    let work = Work::parse("noop").expect("a workload");
    let contenders = measure::feeds(SIZES);
    let mut group = measure::group(criterion, "contention");
    for submitters in [1, 4, 16, 64] {
        for contender in &contenders {
            let jobs = JOBS.min(contender.most_jobs / 10);
            let expected = work.expected(jobs);
            group.throughput(Throughput::Elements(jobs));
            let what = format!("submitters-{submitters}");
            let id = BenchmarkId::new(what, &contender.name);
            group.bench_function(id, |bencher| {
                let running = contender.start(SIZES);
                let pool = running.pool.feed().expect("one of them");
                bencher.iter_custom(|iterations| {
                    let runs = 0..iterations;
                    runs.map(|_| run(pool, &work, submitters, expected)).sum()
                });
            });
        }
    }
    group.finish();
}

/// One run of as many jobs as are expected. The submitters' threads are there
/// before the clock starts.
fn run(
    pool: &dyn Feed,
    work: &Work,
    submitters: usize,
    expected: Sum,
) -> Duration {
    let begin = Barrier::new(submitters + 1);
    thread::scope(|scope| {
        for first in 0..submitters {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                let indices = first as u64..expected.jobs;
                for index in indices.step_by(submitters) {
                    pool.submit(work.task(index));
                }
            });
        }
        begin.wait();
        let clock = Instant::now();
        let mut sum = Sum::default();
        while sum.jobs < expected.jobs {
            pool.receive(&mut |_, answer| sum.add(answer));
        }
        let time = clock.elapsed();
        assert_eq!(sum, expected, "the answers are right");
        time
    })
}
