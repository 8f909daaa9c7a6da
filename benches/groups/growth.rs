//! What a job costs as there are more of them, and more workers than cores.

use std::time::{Duration, Instant};

use manyhands_benches::contenders::{Contender, Sizes, Way, all};
use manyhands_benches::work::Work;

use crate::SIZES;
use crate::plan::Plan;
use crate::table::Table;

pub(crate) fn print(plan: &Plan) {
    let work = Work::parse("noop").expect("a workload");
    let mut contenders = all();
    contenders.retain(|it| it.way != Way::Handle);

    let counts = [10_000, 100_000, 1_000_000, 10_000_000];
    let mut table = Table::new(
        "growth/jobs: nanoseconds a job, for so many jobs and 2 workers. A \
         dash: it would take longer than the others are given.",
        &["10^4", "10^5", "10^6", "10^7"],
    );
    for contender in &contenders {
        let id = format!("growth/jobs/{}", contender.name);
        if plan.wants(&id) {
            let cells = jobs(contender, &work, &counts, plan);
            table.row(&id, &cells);
        }
    }

    let workers = [2, 4, 8, 16, 32, 64];
    let mut table = Table::new(
        "growth/workers: nanoseconds a job, for so many workers and 10^5 \
         jobs, or fewer of those that are slow.",
        &["2", "4", "8", "16", "32", "64"],
    );
    for contender in &contenders {
        let id = format!("growth/workers/{}", contender.name);
        if !plan.wants(&id) {
            continue;
        }
        let jobs = plan.choose(100_000, 20_000, 100);
        let jobs = jobs.min(contender.most_jobs / 10);
        let cell = |&workers: &usize| {
            let sizes = Sizes { workers, ..SIZES };
            let rounds = plan.choose(3, 2, 1);
            let times =
                (0..rounds).map(|_| time(contender, &work, sizes, jobs));
            a_job(times.min().unwrap_or_default(), jobs)
        };
        table.row(&id, &workers.iter().map(cell).collect::<Vec<_>>());
    }
}

/// A cell for each count, as long as there is time for it.
fn jobs(
    contender: &Contender,
    work: &Work,
    counts: &[u64],
    plan: &Plan,
) -> Vec<String> {
    let most = Duration::from_millis(plan.choose(5000, 300, 20));
    let mut last = Duration::ZERO;
    let cell = |&jobs: &u64| {
        // Ten times as many, if it does not get slower.
        if last * 10 > most || jobs > plan.choose(u64::MAX, u64::MAX, 10_000) {
            return "-".to_owned();
        }
        last = time(contender, work, SIZES, jobs);
        a_job(last, jobs)
    };
    counts.iter().map(cell).collect()
}

/// One run, on a pool that has run a few jobs before.
fn time(
    contender: &Contender,
    work: &Work,
    sizes: Sizes,
    jobs: u64,
) -> Duration {
    let expected = work.expected(jobs);
    let mut running = contender.start(sizes);
    running.run(work, 100, work.expected(100));
    let clock = Instant::now();
    running.run(work, jobs, expected);
    clock.elapsed()
}

fn a_job(time: Duration, jobs: u64) -> String {
    format!("{:.1}", time.as_nanos() as f64 / jobs as f64)
}
