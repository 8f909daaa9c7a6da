//! One table of all contenders, those in Go included, from one run in which
//! they take turns:
//!
//! ```console
//! $ cargo run -p manyhands-benches --release --features peers --bin pools \
//!     -- dispatch --work noop --jobs 1000000
//! ```

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

mod args;
mod lanes;
mod report;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use manyhands_benches::go;
use manyhands_measure::{
    Control, Next, Plan, is_child, judge, measure, myself, serve,
};

use crate::args::{Args, USAGE};
use crate::lanes::Lanes;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => return print(USAGE),
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
    let go = go::build();
    if go.is_err() {
        // One of an earlier day.
        let stale = go::program().map(std::fs::remove_file);
        drop(stale);
    }
    let skipped = go.as_ref().err();
    let skipped = skipped.map(|why| format!("go: skipped: {why}\n"));
    let skipped = skipped.unwrap_or_default();
    let lanes = match lanes::about(args, go.as_deref().ok()) {
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
    let judgement = judge(&measured.rounds, &measured.stopped);
    let report = report::table(args, &lanes, &measured, &judgement);
    Ok(print(&(report + &skipped)))
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
