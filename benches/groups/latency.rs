//! How long one job takes from the moment at which it is due to the moment at
//! which its result has been read.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use manyhands_benches::contenders::Contender;
use manyhands_benches::drive::Feed;
use manyhands_benches::work::{Source, What, Work};
use manyhands_measure::{Spent, Stopwatch};

use crate::plan::Plan;
use crate::table::{self, Table};
use crate::{SIZES, measure};

/// What a job takes where there is load: long beside the 50 us by which a
/// sleeping submitter may be late.
const SERVICE: &str = "spin:200us";

pub(crate) fn print(plan: &Plan) -> Result<(), String> {
    let mut table = Table::new(
        plan,
        "latency",
        "latency: microseconds from when a job is due to when its result is \
         read. idle: an empty job for a pool at rest, due when it is \
         submitted. load-N: jobs of 200 us, N % of what the workers can do, \
         due at random times that do not wait for the pool. cpu: processor \
         time a job, over that of the job itself.",
        &["p50", "p90", "p99", "p99.9", "max", "cpu"],
    );
    let contenders = measure::feeds(SIZES);
    for contender in &contenders {
        let id = format!("latency/idle/{}", contender.name);
        if plan.wants(&id) {
            let jobs = plan.choose(2000, 400, 5);
            table.row(&id, &cells(idle(contender, jobs), 0.0));
        }
    }
    let Some(What::Spin(rounds)) =
        Work::parse(SERVICE).ok().map(|work| work.what())
    else {
        unreachable!("it spins");
    };
    let work = Work::of(SERVICE, What::Echo(rounds));
    let service = time_of(&work);
    for load in [50, 80, 95] {
        let rate = SIZES.workers as f64 * f64::from(load)
            / 100.0
            / service.as_secs_f64();
        let seconds = plan.choose(1.5, 0.4, 0.01);
        let due = schedule(rate, (rate * seconds) as usize + 1);
        for contender in &contenders {
            let id = format!("latency/load-{load}/{}", contender.name);
            if plan.wants(&id) {
                let measured = loaded(contender, &work, &due);
                table.row(&id, &cells(measured, service.as_nanos() as f64));
            }
        }
    }
    table.end()
}

type Measured = (Histogram<u64>, Spent);

/// Of processor time, what goes beyond that of the work itself.
fn cells((times, spent): Measured, work: f64) -> Vec<String> {
    let mut cells = Vec::new();
    for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
        let nanos = times.value_at_quantile(quantile);
        cells.push(table::micros(nanos as f64));
    }
    cells.push(match spent.cpu {
        None => "-".to_owned(),
        Some(cpu) => {
            let a_job = cpu.as_nanos() as f64 / times.len() as f64;
            table::micros((a_job - work).max(0.0))
        }
    });
    cells
}

/// One job at a time, each when the pool has come to rest.
fn idle(contender: &Contender, jobs: u64) -> Measured {
    /// Longer than anything here spins before it parks.
    const REST: Duration = Duration::from_micros(400);
    let running = contender.start(SIZES);
    let pool = running.pool.feed().expect("one of them");
    let work = Work::of("noop", What::Echo(1));
    let mut times = table::histogram();
    let watch = Stopwatch::start();
    for index in 0..jobs {
        thread::sleep(REST);
        let due = Instant::now();
        pool.submit(work.task(index));
        pool.receive(&mut |_, answer| {
            times.saturating_record(due.elapsed().as_nanos() as u64);
            assert_eq!(answer, Ok(index), "the answer is right");
        });
    }
    let spent = watch.stop();
    assert_eq!(times.len(), jobs, "each job comes back once");
    (times, spent)
}

/// One thread submits at the due times, this one reads.
fn loaded(contender: &Contender, work: &Work, due: &[Duration]) -> Measured {
    let running = contender.start(SIZES);
    let pool: &dyn Feed = running.pool.feed().expect("one of them");
    let mut times = table::histogram();
    let mut seen = vec![false; due.len()];
    let watch = Stopwatch::start();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (index, &due) in (0..).zip(due) {
                thread::sleep(due.saturating_sub(start.elapsed()));
                pool.submit(work.task(index));
            }
        });
        let mut owed = due.len() as u64;
        while owed > 0 {
            owed -= pool.receive(&mut |_, answer| {
                let now = start.elapsed();
                let index = answer.expect("no job fails") as usize;
                assert!(!seen[index], "a job comes back once");
                seen[index] = true;
                let late = now.saturating_sub(due[index]);
                times.saturating_record(late.as_nanos() as u64);
            });
        }
    });
    (times, watch.stop())
}

/// When the jobs are due: the gaps between them are exponential, as they are
/// between callers that do not know of each other. Always the same ones.
fn schedule(rate: f64, jobs: usize) -> Vec<Duration> {
    // Different and evenly spread answers are random numbers too.
    let random = Work::parse("noop").expect("a workload");
    let mut due = Duration::ZERO;
    let next = |index| {
        use manyhands::Job;
        let bits = random.task(index).run().expect("no job fails") >> 11;
        let even = (bits as f64 + 0.5) / (1u64 << 53) as f64;
        due += Duration::from_secs_f64(-even.ln() / rate);
        due
    };
    (0..jobs as u64).map(next).collect()
}

/// What one of its jobs takes, alone.
fn time_of(work: &Work) -> Duration {
    use manyhands::Job;
    let time = |_| {
        let clock = Instant::now();
        assert!(work.task(0).run().is_ok());
        clock.elapsed()
    };
    (0..20).map(time).min().unwrap_or_default()
}
