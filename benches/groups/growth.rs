//! What a job costs as there are more of them, and more workers than cores.

use std::time::{Duration, Instant};

use manyhands_benches::contenders::{Contender, Sizes, Way, all};
use manyhands_benches::work::Work;

use crate::SIZES;
use crate::plan::Plan;
use crate::table::Table;

pub(crate) fn print(plan: &Plan) -> Result<(), String> {
    let work = Work::parse("noop").expect("a workload");
    let most = Duration::from_millis(plan.choose(2000, 400, 20));
    let mut contenders = all();
    contenders.retain(|it| it.way != Way::Handle);

    let counts = [10_000, 100_000, 1_000_000, 10_000_000];
    let mut table = Table::new(
        plan,
        "growth-jobs",
        "growth/jobs: nanoseconds a job, for so many jobs and 2 workers. A \
         dash: it would take longer than the others are given.",
        &["10^4", "10^5", "10^6", "10^7"],
    );
    for contender in &contenders {
        let id = format!("growth/jobs/{}", contender.name);
        if plan.wants(&id) {
            let cells = jobs(contender, &work, &counts, most);
            table.row(&id, &cells);
        }
    }
    table.end()?;

    let workers = [2, 4, 8, 16, 32, 64];
    let mut table = Table::new(
        plan,
        "growth-workers",
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
            a_job(median_time(contender, &work, sizes, jobs, most), jobs)
        };
        table.row(&id, &workers.iter().map(cell).collect::<Vec<_>>());
    }
    table.end()
}

/// A cell for each count, as long as one run takes no longer than `most`.
fn jobs(
    contender: &Contender,
    work: &Work,
    counts: &[u64],
    most: Duration,
) -> Vec<String> {
    let mut last = Duration::ZERO;
    let cell = |&jobs: &u64| {
        // Ten times as many, if it does not get slower.
        if last * 10 > most {
            return "-".to_owned();
        }
        last = median_time(contender, work, SIZES, jobs, most);
        a_job(last, jobs)
    };
    counts.iter().map(cell).collect()
}

/// The median of five runs, or of as many as begin in a fifth of `most`.
fn median_time(
    contender: &Contender,
    work: &Work,
    sizes: Sizes,
    jobs: u64,
    most: Duration,
) -> Duration {
    let clock = Instant::now();
    let mut times = vec![time(contender, work, sizes, jobs)];
    while times.len() < 5 && clock.elapsed() < most / 5 {
        times.push(time(contender, work, sizes, jobs));
    }
    times.sort();
    times[times.len() / 2]
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
