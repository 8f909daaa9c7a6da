//! The program `manyhands`: worker-pool patterns, compared on real work.
//!
//! Results go to stdout, talk to stderr. Exit codes: 0, all is well; 1,
//! something is not: a wrong answer, a broken law; 2, bad input, in one line;
//! 130, Ctrl-C.

#![forbid(unsafe_code)]

mod args;
mod cmd;
mod contenders;
mod interrupt;
mod lanes;
mod measure;
mod output;
mod progress;
mod report;
mod stats;
mod table;
mod work;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, Usage};
use crate::cmd::{End, compare, list, run, verify};
use crate::interrupt::Interrupt;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answer(&error),
    };
    match dispatch(cli) {
        Ok(End::Fine) => ExitCode::SUCCESS,
        Ok(End::Failed) => ExitCode::FAILURE,
        Ok(End::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => fail(&error),
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<End> {
    if cli.quiet {
        output::be_quiet();
    }
    let interrupt = Interrupt::install()?;
    match cli.command {
        Command::List(args) => list::run(args),
        Command::Run(args) => run::run(args, &interrupt),
        Command::Verify(args) => verify::run(args, &interrupt),
        Command::Compare(args) => compare::run(args, &interrupt),
    }
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
    output::complain(format_args!(
        "error: {}",
        one_line(&format!("{error:#}"))
    ));
    match error.is::<Usage>() {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}

/// Whatever is in it, a path with line breaks for one: a line.
fn one_line(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}
