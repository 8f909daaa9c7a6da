//! How long jobs go on starting after the first has failed.

use manyhands_benches::contenders::all;
use manyhands_benches::work::{Stops, What, Work, stopwatch};

use crate::SIZES;
use crate::plan::Plan;
use crate::table::{self, Table};

/// In each round.
const JOBS: u64 = 4000;

/// Which one fails: late enough for the queue to be full.
const AT: u64 = 2000;

pub(crate) fn print(plan: &Plan) -> Result<(), String> {
    let mut table = Table::new(
        plan,
        "fail-fast",
        "fail-fast: microseconds from the first error to the last start of \
         a job, and how many jobs started in between, on average. Jobs of \
         10 us; the error group stops by itself, the other variants are \
         cancelled by the thread that reads the error.",
        &["p50", "p90", "max", "started"],
    );
    let what = Work::parse("spin:10us").expect("a workload").what();
    let What::Spin(rounds) = what else { unreachable!("it spins") };
    let source =
        Stops { what: What::Mark(rounds), fails: What::Fail(rounds), at: AT };
    for contender in all() {
        let id = format!("fail-fast/one-error/{}", contender.name);
        if !plan.wants(&id) {
            continue;
        }
        let rounds = plan.choose(60, 12, 1);
        let mut times = table::histogram();
        let mut started = 0;
        for _ in 0..rounds {
            stopwatch::reset();
            let mut running = contender.start(SIZES);
            if !running.pool.fail_fast(&source, JOBS) {
                break;
            }
            drop(running);
            let seen = stopwatch::read();
            assert!(seen.failed, "the job that fails was run");
            times.saturating_record(seen.last_start.as_nanos() as u64);
            started += seen.started_late;
        }
        if times.is_empty() {
            // It has nothing for that.
            continue;
        }
        let mut cells: Vec<_> = [0.5, 0.9, 1.0]
            .map(|q| table::micros(times.value_at_quantile(q) as f64))
            .into();
        cells.push(format!("{:.1}", started as f64 / times.len() as f64));
        table.row(&id, &cells);
    }
    table.end()
}
