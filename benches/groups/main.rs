//! Everything, group by group: `cargo bench -p manyhands-benches`, one group
//! with `-- dispatch`, all of it shorter with `-- --quick`. What each group
//! stands for is in `docs/MODELS.md`.
//!
//! Every measurement asserts its answer. Contenders run one after the other,
//! so what differs between two of them by less than the machine wanders in
//! the meantime says nothing; to compare pools, take `pools`, which
//! alternates.
//!
//! What is one number is criterion's to measure. What is a distribution, or a
//! curve, has a table of its own, printed in its turn. With `MANYHANDS_RECORD`
//! set to a folder (from that of this package), each table is recorded there
//! too, in a new file that bears its name.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its output")]
#![allow(clippy::print_stderr, reason = "and this its talk")]

mod backpressure;
mod batch;
mod contention;
mod cpu;
mod dispatch;
mod fail_fast;
mod floors;
mod growth;
mod handles;
mod latency;
mod lifecycle;
mod measure;
mod plan;
mod sleep;
mod table;

use criterion::Criterion;
use manyhands_benches::contenders::Sizes;

use crate::plan::Plan;

/// Two workers, on any machine, so that figures of two machines compare.
const SIZES: Sizes = Sizes { workers: 2, queue: 1024 };

/// The tables, each with its group.
const TABLES: [(&str, &str); 5] = [
    ("latency", "latency"),
    ("backpressure", "backpressure"),
    ("fail-fast", "fail-fast"),
    ("growth", "growth-jobs"),
    ("growth", "growth-workers"),
];

fn main() {
    let groups: [(&str, Define); 12] = [
        ("floors", |criterion, _| floors::define(criterion)),
        ("dispatch", |criterion, _| dispatch::define(criterion)),
        ("batch", |criterion, _| batch::define(criterion)),
        ("handles", |criterion, _| handles::define(criterion)),
        ("cpu", |criterion, _| cpu::define(criterion)),
        ("latency", |_, plan| latency::print(plan)),
        ("sleep", |criterion, _| sleep::define(criterion)),
        ("lifecycle", |criterion, _| lifecycle::define(criterion)),
        ("backpressure", |_, plan| backpressure::print(plan)),
        ("fail-fast", |_, plan| fail_fast::print(plan)),
        ("contention", |criterion, _| contention::define(criterion)),
        ("growth", |_, plan| growth::print(plan)),
    ];
    let names = groups.map(|(name, _)| name);
    let plan = Plan::from_args(std::env::args().skip(1), &names);
    let plan = plan.recorded(&TABLES).unwrap_or_else(|why| fail(&why, 2));
    let mut criterion = plan.criterion().configure_from_args();
    for (name, define) in groups {
        if plan.wants_group(name) {
            define(&mut criterion, &plan);
        }
    }
    criterion.final_summary();
}

/// Ends it all, with one line that says why.
fn fail(why: &str, code: i32) -> ! {
    eprintln!("{why}");
    std::process::exit(code)
}

type Define = fn(&mut Criterion, &Plan);
