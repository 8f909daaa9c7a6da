//! Where the time of a job goes: each variant's hot path under `perf record`,
//! function by function.
//!
//! ```console
//! $ profile HOT [--record FILE]      # HOT is the program `hot`
//! ```
//!
//! A row is a function on a thread, with the processor time that it takes of
//! each job, on all threads together; what was inlined into it counts as its
//! own. Functions that take less than a fiftieth are left out. Exit code 2 for
//! bad input.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its answer")]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use manyhands_measure::record::{NewFile, Rows};
use manyhands_measure::{Machine, load};

/// How often a path is gone: what a program does before and after is nothing
/// beside it.
const JOBS: u64 = 3_000_000;

/// Functions with less than that many percent are left out.
const LEAST: f64 = 2.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [hot] => profile(hot, None),
        [hot, "--record", file] => profile(hot, Some(file)),
        _ => Err("usage: profile HOT [--record FILE]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn profile(hot: &str, record: Option<&str>) -> Result<(), String> {
    let file = record.map(NewFile::at).transpose()?;
    let paths = run(Command::new(hot), "")?;
    let mut table = Rows {
        table: "profile".to_owned(),
        length: "full".to_owned(),
        machine: Machine::look(),
        load: load(),
        columns: vec!["ns a job".to_owned(), "share".to_owned()],
        rows: Vec::new(),
    };
    for path in paths.lines().filter(|path| path.starts_with("pool:")) {
        for row in of(hot, path)? {
            println!("{:<72} {:>9} {:>7}", row.0, row.1[0], row.1[1]);
            table.rows.push(row);
        }
    }
    match file {
        Some(file) => file.write(&table.csv()),
        None => Ok(()),
    }
}

/// The rows of one path: the whole, and its functions.
fn of(hot: &str, path: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let data = tempfile::NamedTempFile::new();
    let data = data.map_err(|why| format!("a temporary file: {why}"))?;
    let mut recording = Command::new("perf");
    recording.args(["record", "--quiet", "--freq=1997", "--output"]);
    recording.arg(data.path()).args([hot, path]);
    run(recording, &format!("{JOBS}\n"))?;
    let mut reporting = Command::new("perf");
    reporting.args(["report", "--stdio", "--sort=comm,sym", "--input"]);
    reporting.arg(data.path());
    let report = run(reporting, "")?;
    // Of the event by which it samples: nanoseconds of processor time.
    let spent = report
        .lines()
        .find_map(|line| line.strip_prefix("# Event count (approx.): "))
        .and_then(|count| count.trim().parse::<f64>().ok())
        .ok_or_else(|| format!("perf on {hot} {path}: no event count"))?;
    let row = |id: String, percent: f64| {
        let nanos = spent * percent / 100.0 / JOBS as f64;
        (id, vec![format!("{nanos:.1}"), format!("{percent:.0} %")])
    };
    let mut rows = vec![row(path.to_owned(), 100.0)];
    for line in report.lines().filter(|line| !line.starts_with('#')) {
        let Some((percent, rest)) = line.trim().split_once('%') else {
            continue;
        };
        let Ok(percent) = percent.parse() else { continue };
        // The thread's name, a mark for where it runs, and the function.
        let parts = rest.split_once("[.] ").map(|parts| ("", parts));
        let kernel = || rest.split_once("[k] ").map(|it| ("kernel ", it));
        let Some((place, (thread, function))) = parts.or_else(kernel) else {
            continue;
        };
        if percent >= LEAST {
            let (thread, function) = (thread.trim(), function.trim());
            let id = format!("{path} {thread}: {place}{function}");
            rows.push(row(id, percent));
        }
    }
    Ok(rows)
}

/// What a program answers to a text.
fn run(mut command: Command, text: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let said = |why: &dyn std::fmt::Display| format!("{name}: {why}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|why| said(&why))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it does not listen, it says why below.
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|why| said(&why))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let talk = String::from_utf8_lossy(&output.stderr);
    Err(said(&talk.lines().last().unwrap_or("it failed and said nothing")))
}
