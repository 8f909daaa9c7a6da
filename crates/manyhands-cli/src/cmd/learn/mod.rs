//! `manyhands learn`: the exercises of the course.

mod check;
mod exercises;
mod follow;
mod hint;

use std::path::PathBuf;

use anyhow::Context;

use self::exercises::{EXERCISES, Exercise, Place};
use super::End;
use crate::args::{Usage, number, one_of};
use crate::interrupt::Interrupt;
use crate::output::print;
use crate::table::{Table, left, right};

/// The exercises of the course: list them, check an answer, get a hint
///
/// The answer to exercise N is written in crates/exercises/eNN/answer.rs, in a
/// clone of the repository. `learn check N` runs its checks on it, and says
/// what they saw; `learn hint N` helps, one step at a time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// list, check or hint
    #[arg(
        value_name = "WHAT",
        default_value = "list",
        value_parser = one_of(WHAT),
        allow_hyphen_values = true
    )]
    what: What,
    /// Which exercise: 1 to 12
    #[arg(
        value_name = "N",
        value_parser = number(1, EXERCISES.len()),
        allow_hyphen_values = true
    )]
    number: Option<usize>,
    /// Which step of the hint: 1 to 3 [default: 1]
    #[arg(
        long,
        value_parser = number(1, hint::STEPS),
        allow_hyphen_values = true
    )]
    step: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    List,
    Check,
    Hint,
}

const WHAT: &[(&str, What)] =
    &[("list", What::List), ("check", What::Check), ("hint", What::Hint)];

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { what, number, step } = args;
    let wrong = |line: String| Err(Usage(line).into());
    if let (Some(step), false) = (step, what == What::Hint) {
        return wrong(format!("--step is {step}, allowed with hint alone"));
    }
    let exercise = number.and_then(|number| EXERCISES.get(number - 1));
    match (what, exercise) {
        (What::List, None) => list(&Place::find()?),
        (What::List, Some(Exercise { number, .. })) => {
            wrong(format!("N is {number}, allowed with check and hint"))
        }
        (What::Check, Some(exercise)) => {
            check::run(&Place::find()?, exercise, interrupt)
        }
        (What::Hint, Some(exercise)) => {
            hint::run(&Place::find()?, exercise, step.unwrap_or(1))
        }
        (What::Check | What::Hint, None) => wrong(format!(
            "N is missing, allowed is 1 to {}, an exercise",
            EXERCISES.len()
        )),
    }
}

fn list(place: &Place) -> anyhow::Result<End> {
    let columns =
        [right("N"), left("exercise"), right("minutes"), left("chapter")];
    let mut table =
        Table::new(columns.into_iter().chain([left("state")])).narrow();
    for exercise in EXERCISES {
        let answer = place.answer(exercise);
        let text = std::fs::read_to_string(&answer);
        let text = text.with_context(|| cannot_read(&answer))?;
        table.row([
            &exercise.number.to_string(),
            exercise.title,
            &exercise.minutes.to_string(),
            exercise.chapter,
            exercise.state(&text),
        ]);
    }
    print(format!(
        "{}\nA chapter is docs/course/CHAPTER.md. Write in \
         crates/exercises/eNN/answer.rs;\n`manyhands learn check N` checks \
         it, `manyhands learn hint N` helps.\n",
        table.plain()
    ))?;
    Ok(End::Fine)
}

fn cannot_read(path: &std::path::Path) -> String {
    format!("cannot read {}", path.display())
}

/// The path from the root of the repository, as a person reads it.
fn page(folder: &str, name: &str) -> String {
    PathBuf::from("docs")
        .join(folder)
        .join(format!("{name}.md"))
        .to_string_lossy()
        .replace('\\', "/")
}
