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

/// Runs a storm, which must hold what it is to hold.
fn storm(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_storm"))
        .arg("run")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{said}{errors}");
    assert!(output.status.success(), "storm {arguments:?}\n{said}{errors}");
}

const SQLITE: [&str; 2] = ["--db", "sqlite"];
const POSTGRES: [&str; 2] = ["--db", "postgres"];

fn with(db: [&str; 2], more: &[&str]) {
    storm(&[&db[..], more].concat());
}

/// False where there is no PostgreSQL, which is said.
fn has_postgres(test: &str) -> bool {
    let has = std::env::var_os("MANYHANDS_TEST_POSTGRES").is_some();
    if !has {
        // Past what the tests' harness keeps back.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {test}: `.ci/postgres cargo test` runs it beside a \
             server"
        );
    }
    has
}

/// Processes die, stop and come back, and the store is away.
const DEATHS: [&str; 6] = [
    "--faults=D01,D02,D03,D04,D05,D06,D14",
    "--jobs=2000",
    "--seconds=12",
    "--seed=1",
    "--workers=4",
    "--threads=4",
];

/// Without deaths under load: one fault after another.
const SCENES: [&str; 5] = [
    "--faults=D07,D08,D09,D10,D11,D12,D13,D14,D15,D17,D18,D19",
    "--jobs=200",
    "--seconds=1",
    "--seed=2",
    "--workers=4",
];

#[test]
fn sqlite_loses_nothing_to_deaths() {
    with(SQLITE, &DEATHS);
}

#[test]
fn sqlite_bears_what_goes_wrong() {
    with(SQLITE, &SCENES);
}

#[test]
fn postgres_loses_nothing_to_deaths() {
    if has_postgres("postgres_loses_nothing_to_deaths") {
        with(POSTGRES, &DEATHS);
    }
}

#[test]
fn postgres_bears_what_goes_wrong() {
    if has_postgres("postgres_bears_what_goes_wrong") {
        with(POSTGRES, &SCENES);
    }
}

/// What is broken on purpose, under faults that show it: the program fails
/// when the check that is for it does not find it.
fn control(flaw: &str, faults: &str) {
    let db = format!("broken-{flaw}");
    storm(&[
        "--db",
        &db,
        "--faults",
        faults,
        "--jobs=300",
        "--seconds=3",
        "--settle=8",
        "--seed=1",
    ]);
}

#[test]
fn a_queue_with_no_flaw_passes() {
    let faults = "D01,D02,D06,D09,D10";
    storm(&[
        "--db=broken-none",
        "--faults",
        faults,
        "--jobs=300",
        "--seconds=3",
        "--seed=1",
    ]);
}

#[test]
fn an_acknowledgement_before_the_run_is_found() {
    control("ack-first", "D01");
}

#[test]
fn a_completion_without_a_fence_is_found() {
    control("no-fencing", "D02");
}

#[test]
fn attempts_counted_when_they_fail_are_found() {
    control("counts-failures", "D01,D06");
}

#[test]
fn an_ok_before_the_job_is_stored_is_found() {
    control("ok-before-stored", "D01");
}

#[test]
fn a_refused_job_that_runs_is_found() {
    control("runs-refused", "none");
}

#[test]
fn two_claims_of_one_job_are_found() {
    control("two-claims", "none");
}

#[test]
fn a_lease_that_is_never_over_is_found() {
    control("keeps-leases", "D01");
}
