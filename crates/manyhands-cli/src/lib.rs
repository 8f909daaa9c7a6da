//! The program `manyhands`: worker-pool patterns, compared on real work.
//!
//! Results go to stdout or to the file that `--output` names, talk to stderr.
//! Exit codes: 0, all is well; 1, something is not: a wrong answer, a broken
//! law, results that could not be written; 2, bad input, in one line; 130,
//! Ctrl-C, or a signal that asks to end. No output has a password in it.
//!
//! This is a program and not a library: what it does is promised of its
//! command line, and of nothing here.

#![forbid(unsafe_code)]

mod args;
mod board;
mod cmd;
mod contenders;
mod durable;
#[doc(hidden)]
pub mod fuzz;
mod interrupt;
mod live;
mod measure;
mod output;
mod page;
mod progress;
mod record;
mod report;
mod secret;
mod splice;
mod table;
mod timeline;
mod work;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use manyhands_measure::is_child;

use crate::args::{Cli, Command, Usage};
use crate::cmd::{End, bug, compare, list, run, verify};
use crate::interrupt::Interrupt;
use crate::output::{Target, legible};
use crate::secret::hidden;

/// Does what the command line says, and returns how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answer(&error),
    };
    match (is_child(), &cli.command) {
        (true, Command::Compare(args)) => {
            return measured(args.study.serve());
        }
        (true, Command::Record(args)) => return measured(args.study.serve()),
        _ => {}
    }
    match dispatch(cli) {
        Ok(End::Fine) => ExitCode::SUCCESS,
        Ok(End::Failed) => ExitCode::FAILURE,
        Ok(End::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => fail(&error),
    }
}

/// The end of a process that measures. What is wrong has been said to its
/// parent, unless that has ended, and then nobody wants to know.
fn measured(ended: anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<End> {
    if cli.quiet {
        output::be_quiet();
    }
    let interrupt = Interrupt::install()?;
    let Some(target) = target(cli.output, &interrupt)? else {
        return Ok(End::Interrupted);
    };
    let redirected = output::redirect(target);
    let end = match cli.command {
        Command::List(args) => list::run(args),
        Command::Run(args) => run::run(args, &interrupt),
        Command::Verify(args) => verify::run(args, &interrupt),
        Command::Compare(args) => compare::run(args, &interrupt),
        Command::Record(args) => cmd::record::run(args, &interrupt),
        Command::Report(args) => cmd::report::run(args, &interrupt),
        Command::Splice(args) => cmd::splice::run(args, &interrupt),
        Command::Bug(args) => bug::run(args, &interrupt),
        Command::Learn(args) => cmd::learn::run(args, &interrupt),
        Command::Queue(args) => cmd::queue::run(args, &interrupt),
    }?;
    match end {
        End::Fine | End::Failed => redirected.keep()?,
        End::Interrupted => redirected.show_instead()?,
    }
    Ok(end)
}

/// Where results go. Found out before any work is done for them; `None` if
/// Ctrl-C was pressed while a FIFO's reader was waited for.
fn target(
    path: Option<std::path::PathBuf>,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Target>> {
    let Some(path) = path else { return Ok(Some(Target::Stdout)) };
    let opened = interrupt.or(move || Target::open("--output", &path));
    Ok(opened.transpose().map_err(Usage)?)
}

/// Help and version, which go to stdout; all else that clap has to say is
/// bad input.
fn answer(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        return fail(&Usage(args::one_line(error)).into());
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.into()),
    }
}

/// Says what is wrong in one line, unless it is only that nobody reads any
/// more.
fn fail(error: &anyhow::Error) -> ExitCode {
    let is_closed_pipe = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if is_closed_pipe {
        return ExitCode::SUCCESS;
    }
    // Whatever is in it, a path with line breaks for one: a line.
    output::complain(format_args!(
        "error: {}",
        legible(&hidden(&format!("{error:#}")))
    ));
    match error.is::<Usage>() {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}
