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

use std::process::ExitCode;

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

fn main() -> ExitCode {
    let groups = [
        ("floors", By::Criterion(floors::define)),
        ("dispatch", By::Criterion(dispatch::define)),
        ("batch", By::Criterion(batch::define)),
        ("handles", By::Criterion(handles::define)),
        ("cpu", By::Criterion(cpu::define)),
        ("latency", By::Table(latency::print)),
        ("sleep", By::Criterion(sleep::define)),
        ("lifecycle", By::Criterion(lifecycle::define)),
        ("backpressure", By::Table(backpressure::print)),
        ("fail-fast", By::Table(fail_fast::print)),
        ("contention", By::Criterion(contention::define)),
        ("growth", By::Table(growth::print)),
    ];
    let names = groups.each_ref().map(|(name, _)| *name);
    let plan = Plan::from_args(std::env::args().skip(1), &names);
    let plan = match plan.recorded(&TABLES) {
        Ok(plan) => plan,
        Err(why) => return fail(&why, 2),
    };
    let mut criterion = plan.criterion().configure_from_args();
    for (name, by) in groups {
        if plan.wants_group(name) {
            let measured = match by {
                By::Criterion(define) => {
                    define(&mut criterion);
                    Ok(())
                }
                By::Table(print) => print(&plan),
            };
            if let Err(why) = measured {
                return fail(&why, 1);
            }
        }
    }
    criterion.final_summary();
    ExitCode::SUCCESS
}

/// Who measures a group.
enum By {
    Criterion(fn(&mut Criterion)),
    /// Itself. The error is a line that says why it cannot be recorded.
    Table(fn(&Plan) -> Result<(), String>),
}

fn fail(why: &str, code: u8) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(code)
}
