//! The small storm: what goes wrong in the world, in a minute each, and queues
//! that are broken on purpose, so that it is seen that a storm finds it.
//!
//! Each is a run of the program `storm`, which says more: see README.md.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "in tests a panic is the report, and a print what was skipped"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// Runs a storm. What it said, if it does not hold what it is to hold.
fn storm(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_storm"))
        .arg("run")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{said}{errors}");
    for line in said.lines().filter(|line| line.contains(" skipped: ")) {
        tell(&format!("{}: {line}", arguments[0]));
    }
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("storm {arguments:?}\n{said}{errors}")),
    }
}

/// Past what the tests' harness keeps back.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Runs a storm of each store, beside one another: they mostly wait.
fn on_each_store(arguments: &[&str]) {
    let mut stores = vec!["--db=sqlite"];
    if std::env::var_os("MANYHANDS_TEST_POSTGRES").is_some() {
        stores.push("--db=postgres");
    } else {
        tell("skipped: storms of PostgreSQL: `.ci/postgres cargo test`");
    }
    side_by_side(stores.len(), &stores, |db| {
        storm(&[&[*db], arguments].concat())
    });
}

/// Does so many at a time. All, also when one has failed.
fn side_by_side<T: Sync>(
    most: usize,
    all: &[T],
    act: impl Fn(&T) -> Result<(), String> + Sync,
) {
    let next = Mutex::new(all.iter());
    let failed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let one = next.lock().unwrap().next();
            let Some(one) = one else { return };
            if let Err(said) = act(one) {
                failed.lock().unwrap().push(said);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..most {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Processes die, stop and come back, and the store is away.
#[test]
fn nothing_is_lost_to_deaths() {
    on_each_store(&[
        "--faults=D01,D02,D03,D04,D05,D06",
        "--jobs=2000",
        "--seconds=12",
        "--senders=4",
        "--seed=1",
    ]);
}

/// Without deaths under load: one fault after another.
#[test]
fn what_goes_wrong_is_borne() {
    on_each_store(&[
        "--faults=D07,D08,D09,D10,D11,D12,D13,D14,D15,D17,D18,D19",
        "--jobs=200",
        "--seconds=1",
        "--seed=2",
    ]);
}

/// What is broken on purpose, and the faults that show it: the program fails
/// when the check that is for it does not find it.
const FLAWS: [(&str, &str); 13] = [
    ("none", "D01,D02,D09,D10"),
    ("counts-failures", "D01,D06"),
    ("keeps-leases", "D01"),
    ("no-fencing", "D02"),
    ("buries-done", "D10"),
    ("ack-first", "D01"),
    ("ok-before-stored", "D01"),
    ("forgets-serial", "D09"),
    ("runs-refused", "none"),
    ("two-claims", "none"),
    ("gives-up-early", "none"),
    ("loses-characters", "none"),
    ("keys-attempts", "none"),
];

#[test]
fn each_flaw_is_found_by_the_check_that_is_for_it() {
    side_by_side(6, &FLAWS, |(flaw, faults)| {
        let settle = if *flaw == "none" { "60" } else { "8" };
        storm(&[
            &format!("--db=broken-{flaw}"),
            &format!("--faults={faults}"),
            &format!("--settle={settle}"),
            "--jobs=300",
            "--seconds=3",
            "--seed=1",
        ])
    });
}
