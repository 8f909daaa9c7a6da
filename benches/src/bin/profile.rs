//! Where the time of a job goes: each variant's hot path under `perf record`,
//! function by function.
//!
//! ```console
//! $ profile HOT [--record FILE]      # HOT is the program `hot`
//! ```
//!
//! A row is a function on a thread, with the processor time that it takes of
//! each job, on all threads together; what was inlined into it counts as its
//! own. Functions that take less than a twenty-fifth are left
//! out. Exit code 2 for
//! bad input.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its answer")]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use manyhands_measure::record::{NewFile, Rows};

/// How often a path is gone: what a program does before and after is nothing
/// beside it.
const JOBS: u64 = 3_000_000;

/// Functions with less than that many percent are left out.
const LEAST: f64 = 4.0;

/// How long the name of a row may be.
const MOST: usize = 64;

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
    let mut table = Rows::new("profile", "full", &["ns a job", "share"]);
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
    let name = path.trim_start_matches("pool:");
    let mut found: Vec<(String, f64)> = vec![(name.to_owned(), 100.0)];
    for line in report.lines().filter(|line| !line.starts_with('#')) {
        let Some((percent, rest)) = line.trim().split_once('%') else {
            continue;
        };
        let Ok(percent) = percent.parse::<f64>() else { continue };
        // The thread's name, a mark for where it runs, and the function.
        let parts = rest.split_once("[.] ").map(|parts| ("", parts));
        let kernel = || rest.split_once("[k] ").map(|it| ("kernel ", it));
        let Some((place, (thread, function))) = parts.or_else(kernel) else {
            continue;
        };
        let (thread, function) = (thread.trim(), short(function.trim()));
        let id = format!("{name} {thread}: {place}{function}");
        let id: String = id.chars().take(MOST).collect();
        // Of several with one name, one row.
        match found.iter_mut().find(|(other, _)| *other == id) {
            Some((_, sum)) => *sum += percent,
            None => found.push((id, percent)),
        }
    }
    found.retain(|(_, percent)| *percent >= LEAST);
    found.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let row = |(id, percent): (String, f64)| {
        let nanos = spent * percent / 100.0 / JOBS as f64;
        (id, vec![format!("{nanos:.1}"), format!("{percent:.0} %")])
    };
    Ok(found.into_iter().map(row).collect())
}

/// A function's name with its type's, without paths and type parameters.
fn short(function: &str) -> String {
    // `<Type as Trait>::method`
    let of_trait = function.strip_prefix('<').and_then(|rest| {
        let (of, _) = rest.split_once(" as ")?;
        Some(format!("{of}::{}", function.rsplit("::").next()?))
    });
    let mut depth = 0;
    let plain = of_trait.as_deref().unwrap_or(function).chars();
    let plain: String = plain
        .filter(|letter| {
            depth += i32::from(*letter == '<');
            let is_outside = depth == 0;
            depth -= i32::from(*letter == '>');
            is_outside
        })
        .collect();
    let parts: Vec<&str> =
        plain.split("::").filter(|part| !part.is_empty()).collect();
    parts[parts.len().saturating_sub(2)..].join("::")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_by_its_type_and_itself() {
        for (function, named) in [
            ("<a::Pool<J> as b::Pool<J>>::submit", "Pool::submit"),
            ("a::channel::Sender<T>::try_send", "Sender::try_send"),
            ("__schedule", "__schedule"),
            ("<a::b::Mutex>::lock_contended", "lock_contended"),
        ] {
            assert_eq!(short(function), named);
        }
    }
}
