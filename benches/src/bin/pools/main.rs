//! One table of all contenders, those in Go included, from one run in which
//! they take turns:
//!
//! ```console
//! $ cargo run -p manyhands-benches --release --features peers --bin pools \
//!     -- dispatch --work noop --jobs 1000000 --record FILE
//! ```
//!
//! FILE then has every timed run, and `pools report FILE` prints the table
//! again.

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

mod args;
mod lanes;
mod report;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use manyhands_benches::go;
use manyhands_measure::record::{
    Csv, Entrant, MOST_BYTES, NewFile, Runs, legible,
};
use manyhands_measure::{
    Control, Machine, Measured, Next, Plan, is_child, measure, myself, serve,
};

use crate::args::{Args, Asked, USAGE};
use crate::lanes::Lanes;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Asked::Compare(args)) => args,
        Ok(Asked::Report(file)) => {
            return match read(&file) {
                Ok(runs) => print(&report::table(&runs)),
                Err(why) => {
                    let file = legible(&file.to_string_lossy());
                    fail(&format!("{file}: {why}"), 2)
                }
            };
        }
        Ok(Asked::Usage) => return print(USAGE),
        Err(why) => return fail(&why, 2),
    };
    let ran = if is_child() { child(&args) } else { parent(&args) };
    ran.unwrap_or_else(|why| fail(&why, 1))
}

/// Makes the runs that the parent asks for.
fn child(args: &Args) -> Result<ExitCode, String> {
    let program = go::program().ok().filter(|path| path.exists());
    let mut lanes = Lanes::new(args, program.as_deref())?;
    let work = format!("{} jobs of {}", args.jobs, args.work.name());
    serve(&work, &mut lanes.all()).map_err(|why| why.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn parent(args: &Args) -> Result<ExitCode, String> {
    let record = args.record.as_ref().map(NewFile::at);
    let record = match record.transpose() {
        Ok(record) => record,
        Err(why) => return Ok(fail(&why, 2)),
    };
    let go = go::build();
    if go.is_err() {
        // One of an earlier day.
        let stale = go::program().map(std::fs::remove_file);
        drop(stale);
    }
    let skipped = go.as_ref().err();
    let skipped = skipped.map(|why| format!("go: skipped: {why}\n"));
    let skipped = skipped.unwrap_or_default();
    let lanes = match lanes::entrants(args, go.as_deref().ok()) {
        Ok(lanes) => lanes,
        Err(why) => {
            let why = format!("{why}\n{skipped}");
            return Ok(fail(why.trim_end(), 2));
        }
    };
    if args.list {
        return Ok(print(&(report::list(&lanes) + &skipped)));
    }
    let plan = Plan {
        processes: args.processes,
        budget: args.budget,
        seed: args.seed,
    };
    // What a round of work is, is settled here, once for all processes.
    let exact = args.work.exact();
    let mut command = || {
        let mut command = myself()?;
        command.arg("--work").arg(&exact);
        Ok(command)
    };
    let measured =
        measure(&plan, &mut command, &Control::new(), &mut progress())
            .map_err(|why| why.to_string())?;
    clear();
    let runs = runs(args, &lanes, measured);
    let printed = print(&(report::table(&runs) + &skipped));
    if let Some(record) = record {
        record.write(&runs.csv())?;
    }
    Ok(printed)
}

/// What was measured, as it is recorded.
fn runs(args: &Args, lanes: &[Entrant], measured: Measured) -> Runs {
    let names = measured.names.into_iter().zip(measured.stopped).enumerate();
    let entrants = names.map(|(place, (name, stopped))| {
        // The last is the first again.
        let lane = lanes.get(place).unwrap_or(&lanes[0]).clone();
        Entrant { name, stopped, ..lane }
    });
    Runs {
        partial: measured.is_interrupted,
        group: args.group.name().to_owned(),
        work: args.work.name().to_owned(),
        jobs: args.jobs,
        workers: args.sizes.workers as u64,
        queue: args.sizes.queue as u64,
        seed: args.seed,
        machine: Machine::look(),
        entrants: entrants.collect(),
        rounds: measured.rounds,
    }
}

/// The runs that a file records.
fn read(path: &Path) -> Result<Runs, String> {
    let mut text = String::new();
    let most = MOST_BYTES as u64 + 1;
    let file = File::open(path).map_err(|why| why.to_string())?;
    let read = file.take(most).read_to_string(&mut text);
    if read.map_err(|why| why.to_string())? > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(format!("it is too long, allowed is up to {most} MiB"));
    }
    match Csv::read(&text, &[])? {
        Csv::Runs(runs) => Ok(runs),
        Csv::Rows(_) => Err("it is a table, allowed are timed runs".into()),
    }
}

/// Says on a terminal what goes on.
fn progress() -> impl FnMut(&Next<'_>) {
    let is_seen = io::stderr().is_terminal();
    move |next| {
        if is_seen {
            let who = next.who.unwrap_or("starting");
            let percent = next.part * 100.0;
            eprint!("\r\x1b[Kround {}, {percent:.0} %: {who}", next.round);
        }
    }
}

fn clear() {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

/// Whoever closes the pipe has read enough.
fn print(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            fail(&format!("stdout: {why}"), 1)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(code)
}
