//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::course::{Course, Finding, Outputs};

const USAGE: &str = "\
Makes the parts of the book that come from code, commands and simulations

usage: cargo course make [--outputs]
       cargo course check [--outputs]

make       makes what stands between markers anew
check      changes nothing, and fails if something is not as it would be made,
           or a link leads nowhere
--outputs  also runs the commands whose outputs pages show
";

/// What there is to do.
struct Asked {
    write: bool,
    outputs: Outputs,
}

/// The program: 0 for all is well, 1 for differences, 2 for what cannot be
/// obeyed.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> =
        arguments.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    if let ["--help" | "-h" | "help"] = words.as_slice() {
        out(USAGE.trim_end());
        return ExitCode::SUCCESS;
    }
    let asked = match parse(&words) {
        Ok(asked) => asked,
        Err(why) => {
            err(why);
            return ExitCode::from(2);
        }
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    run(&Course::at(root), &asked)
}

fn parse(words: &[&str]) -> Result<Asked, String> {
    let (verb, rest) = match words {
        [verb @ ("make" | "check"), rest @ ..] => (*verb, rest),
        [other, ..] => {
            return Err(format!("{other:?}: allowed is make, check"));
        }
        [] => return Err("nothing to do: allowed is make, check".into()),
    };
    let outputs = match rest {
        [] => Outputs::Kept,
        ["--outputs"] => Outputs::Run,
        [other, ..] => {
            return Err(format!("{other:?}: allowed is --outputs"));
        }
    };
    Ok(Asked { write: verb == "make", outputs })
}

fn run(course: &Course, asked: &Asked) -> ExitCode {
    let done = match asked.write {
        true => make(course, asked.outputs),
        false => check(course, asked.outputs),
    };
    done.unwrap_or_else(|refused| {
        refused.iter().for_each(err);
        ExitCode::from(2)
    })
}

fn check(course: &Course, outputs: Outputs) -> Result<ExitCode, Vec<Finding>> {
    let found = course.check(outputs)?;
    found.iter().for_each(out);
    Ok(match found.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn make(course: &Course, outputs: Outputs) -> Result<ExitCode, Vec<Finding>> {
    let plan = course.plan(outputs)?;
    if let Err(why) = course.write(&plan) {
        err(why);
        return Ok(ExitCode::FAILURE);
    }
    plan.missing.iter().chain(&plan.failed).for_each(err);
    err(format_args!(
        "{} blocks; {} files changed",
        plan.blocks,
        plan.files.len()
    ));
    Ok(match plan.failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Nobody may be reading, which is no reason to do anything else.
fn out(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn err(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
