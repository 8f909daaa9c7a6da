//! `learn check`: the checks of an exercise, run on the reader's answer.
//!
//! Cargo builds them and says which program that made; the program is then run
//! by itself, so that nothing of cargo's stands between its lines.

use std::env;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

use super::exercises::{EXERCISES, Exercise, Place};
use super::follow::{Ended, Line, follow};
use super::{End, page};
use crate::interrupt::Interrupt;
use crate::output::{complain, plural, print, print_line, say};

/// The first build fetches and builds a model checker, on any machine.
const BUILD: Duration = Duration::from_secs(15 * 60);

/// Each check has a watchdog of its own, of seconds; this is for all of them.
const CHECKS: Duration = Duration::from_secs(5 * 60);

/// What became of a build.
enum Built {
    /// The program that it made.
    Program(PathBuf),
    /// Cargo failed, and has said why.
    Failed {
        /// It was about what cannot be fetched.
        offline: bool,
    },
    Interrupted,
}

pub(super) fn run(
    place: &Place,
    exercise: &Exercise,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    let Exercise { number, title, chapter, .. } = exercise;
    say(format_args!(
        "building the checks of exercise {number} (the first time, a minute)"
    ));
    let program = match build(place, exercise, interrupt)? {
        Built::Program(program) => program,
        Built::Interrupted => return Ok(End::Interrupted),
        Built::Failed { offline: true } => bail!(
            "cargo could not fetch the model checker `shuttle`, which the \
             checks are built with: it needs a network once, in a new clone"
        ),
        Built::Failed { offline: false } => {
            print(format!(
                "Exercise {number}, {title}: the checks were not built.\n\
                 What cargo says is above. The answer is \
                 crates/exercises/{}/answer.rs\n",
                exercise.name()
            ))?;
            return Ok(End::Failed);
        }
    };
    print_line(format_args!("Exercise {number}, {title}"))?;
    let (mut fine, mut not) = (0, 0);
    let mut command = Command::new(program);
    command.current_dir(place.folder(exercise));
    let ended = follow(&mut command, CHECKS, interrupt, |line| {
        let Line::Out(line) = line else { return Ok(()) };
        fine += u64::from(line.starts_with("ok "));
        not +=
            u64::from(line.starts_with("FAIL ") || line.starts_with("todo "));
        print_line(format_args!("{}", crate::output::legible(&line)))
    })?;
    match ended {
        Ended::Interrupted => return Ok(End::Interrupted),
        Ended::TooLong => {
            let limit = CHECKS.as_secs() / 60;
            bail!("the checks did not end within {limit} minutes");
        }
        Ended::Itself(status) if status.success() && not == 0 && fine > 0 => {}
        Ended::Itself(_) if not > 0 => {
            let checks = plural(fine + not, "check");
            let page = page("course", chapter);
            print(format!(
                "\n{not} of {checks} failed. Next: `manyhands learn hint \
                 {number}`, or {page}\n"
            ))?;
            return Ok(End::Failed);
        }
        Ended::Itself(status) => {
            bail!("the checks ended before their end: {status}")
        }
    }
    let solution = page("solutions", &format!("{number:02}"));
    let next = match EXERCISES.get(*number) {
        Some(Exercise { number, title, chapter, .. }) => {
            let page = page("course", chapter);
            format!("Next: exercise {number}, {title}; chapter {page}")
        }
        None => "That was the last exercise.".into(),
    };
    print(format!(
        "\n{} passed. Another way, and what goes wrong: {solution}\n{next}\n",
        plural(fine, "check")
    ))?;
    Ok(End::Fine)
}

/// The part of what cargo says that is of interest.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn build(
    place: &Place,
    exercise: &Exercise,
    interrupt: &Interrupt,
) -> anyhow::Result<Built> {
    let name = exercise.name();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["test", "--quiet", "--no-run", "--test", &name])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(place.manifest());
    if stderr().is_terminal() && env::var_os("NO_COLOR").is_none() {
        command.arg("--color=always");
    }
    let mut program = None;
    let mut offline = false;
    let ended = follow(&mut command, BUILD, interrupt, |line| {
        match line {
            Line::Out(line) => {
                let message = serde_json::from_str::<Message>(&line);
                if let Ok(Message {
                    executable: Some(executable),
                    target: Some(target),
                }) = message
                    && target.name == name
                {
                    program = Some(executable);
                }
            }
            Line::Err(line) => {
                offline |= is_about_fetching(&line);
                complain(line);
            }
        }
        Ok(())
    })?;
    Ok(match (ended, program) {
        (Ended::Interrupted, _) => Built::Interrupted,
        (Ended::TooLong, _) => {
            let limit = BUILD.as_secs() / 60;
            bail!("the build did not end within {limit} minutes")
        }
        (Ended::Itself(status), Some(program)) if status.success() => {
            Built::Program(program)
        }
        (Ended::Itself(_), _) => Built::Failed { offline },
    })
}

/// What cargo says when it may not, or cannot, ask a registry.
fn is_about_fetching(line: &str) -> bool {
    const WORDS: [&str; 6] = [
        "--offline",
        "failed to download",
        "failed to fetch",
        "failed to query replaced source",
        "Could not resolve host",
        "no matching package named `shuttle`",
    ];
    // It tries again after that, and says so if it comes to nothing.
    !line.contains("spurious network error")
        && WORDS.iter().any(|words| line.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_without_a_network_is_known() {
        for line in [
            "error: failed to download `shuttle v0.9.9`",
            "  [6] Could not resolve hostname (Could not resolve host: x)",
            "As a reminder, you're using offline mode (--offline)",
            "error: no matching package named `shuttle` found",
        ] {
            assert!(is_about_fetching(line), "{line}");
        }
        for line in [
            "error[E0425]: cannot find value `x`",
            "warning: spurious network error (3 tries remaining): [6] Could \
             not resolve hostname (Could not resolve host: x)",
        ] {
            assert!(!is_about_fetching(line), "{line}");
        }
    }
}
