//! The program `pools` as a person meets it: what it records, and what it
//! makes of a record.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use manyhands_measure::record::{Csv, Runs};

const SHORT: [&str; 10] = [
    "dispatch",
    "--only",
    "channel,thread",
    "--jobs",
    "30000",
    "--processes",
    "2",
    "--rounds",
    "2",
    "--record",
];

fn pools(arguments: &[&str]) -> Output {
    let mut pools = Command::new(env!("CARGO_BIN_EXE_pools"));
    pools.args(arguments).output().unwrap()
}

/// What it says on stderr, which must be one line, with that exit code.
fn refused(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn read(path: &Path) -> Runs {
    match Csv::read(&fs::read_to_string(path).unwrap(), &[]) {
        Ok(Csv::Runs(runs)) => runs,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_has_every_run_and_its_table_is_the_one_that_was_printed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let file = path.to_str().unwrap();
    let measured = pools(&[&SHORT[..], &[file]].concat());
    assert!(measured.status.success(), "{measured:?}");
    let runs = read(&path);
    assert_eq!(runs.group, "dispatch");
    assert_eq!((runs.jobs, runs.workers, runs.queue), (30_000, 2, 1024));
    assert_eq!(runs.baseline(), "crossbeam");
    assert_eq!(runs.complete(), 2);
    assert_eq!(runs.processes(), 2);
    let entrant = |name| runs.entrants.iter().find(|it| it.name == name);
    assert_eq!(entrant("channel").unwrap().bends, "");
    assert!(entrant("crossbeam").unwrap().bends.contains("no ids"));
    // So slow that it is given fewer.
    let thread = entrant("thread").unwrap();
    assert!(thread.ran < 30_000, "{thread:?}");
    // In the file is what was printed, but for Go, which may be absent.
    let printed = String::from_utf8(measured.stdout).unwrap();
    let (printed, _) = printed.split_once("go: ").unwrap_or((&printed, ""));
    let again = pools(&["report", file]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), printed);
    assert!(printed.contains(&format!("({} jobs, scaled)", thread.ran)));
}

#[test]
fn a_file_that_is_there_is_refused_before_anything_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, "mine").unwrap();
    // For hours, if it began.
    let long = ["dispatch", "--jobs", "100000000", "--rounds", "1000"];
    let refused = |path: &Path| {
        let record = ["--record", path.to_str().unwrap()];
        refused(&pools(&[&long[..], &record].concat()), 2)
    };
    let said = refused(&path);
    assert!(said.contains("a.csv, which exists; allowed is a new file"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let said = refused(&dir.path().join("no/a.csv"));
    assert!(said.contains("which cannot be written"), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_record_is_refused_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let file = path.to_str().unwrap();
    let said = refused(&pools(&["report", file]), 2);
    assert!(said.contains("a.csv: No such file"), "{said}");
    for (content, why) in [
        ("", "it has no run, allowed is one or more"),
        ("hello\n", "line 1: its columns are hello, allowed is format,group"),
        ("format,group\n", "line 1: its columns are format,group, allowed"),
    ] {
        fs::write(&path, content).unwrap();
        let said = refused(&pools(&["report", file]), 2);
        assert!(said.contains(why), "{why}: {said}");
    }
}
