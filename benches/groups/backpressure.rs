//! A reader that takes longer for a result than the pool for its job: what
//! piles up, and what it costs.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use manyhands_benches::contenders::{Contender, Way, all};
use manyhands_benches::work::{Counted, Sum, Work};

use crate::SIZES;
use crate::plan::Plan;
use crate::table::Table;

/// For each result. Two workers could do four jobs meanwhile.
const READ: Duration = Duration::from_micros(20);

pub(crate) fn print(plan: &Plan) -> Result<(), String> {
    let mut table = Table::new(
        plan,
        "backpressure",
        "backpressure: one thread submits jobs of 10 us and takes 20 us to \
         read each result. over: the time beyond that of reading alone, in \
         percent. under way: most jobs that were submitted and not yet read; \
         with a queue of 1024, what goes beyond some thousand is not held \
         back by anything.",
        &["over", "under way"],
    );
    let work = Work::parse("spin:10us").expect("a workload");
    let jobs = plan.choose(20_000, 5_000, 10);
    let expected = work.expected(jobs);
    for contender in all() {
        let id = format!("backpressure/slow-reader/{}", contender.name);
        if contender.way == Way::Handle || !plan.wants(&id) {
            continue;
        }
        let (time, most) = run(&contender, &work, expected);
        let ideal = READ * u32::try_from(jobs).expect("not many");
        let over = time.as_secs_f64() / ideal.as_secs_f64() - 1.0;
        let over = format!("{:.1}", over * 100.0);
        table.row(&id, &[over, most.to_string()]);
    }
    table.end()
}

fn run(contender: &Contender, work: &Work, expected: Sum) -> (Duration, u64) {
    let source = Counted::new(work);
    let mut running = contender.start(SIZES);
    let mut sum = Sum::default();
    let clock = Instant::now();
    running.pool.read(&source, expected.jobs, &mut |answer| {
        let reading = Instant::now();
        while reading.elapsed() < READ {
            spin_loop();
        }
        source.read();
        sum.add(answer);
    });
    let time = clock.elapsed();
    assert_eq!(sum, expected, "the answers are right");
    (time, source.most())
}
