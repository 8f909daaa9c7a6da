//! `manyhands bug`: a bug of the museum, its code and what comes of it.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use manyhands_museum::{Act, Bug, Ends, Played, bugs, play};
use serde::Serialize;

use super::End;
use crate::args::{Format, Usage, name, one_of, text};
use crate::interrupt::Interrupt;
use crate::output::{complain, is_quiet, listed, print, say, wrap};
use crate::table::{Table, left};

/// Show a bug that worker pools have: its code, and what comes of it
///
/// The threads of a bug go on in the order of a schedule, so it is the same
/// each time. On a terminal you are asked first what you think will happen.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which bug; `list` names them
    #[arg(value_name = "BUG", value_parser = name(names()))]
    bug: &'static str,
    /// The mended code instead
    #[arg(long)]
    fixed: bool,
    /// Only play it: no code, and no words around it
    #[arg(long)]
    play: bool,
    /// What you think will happen: a, b, c or d
    #[arg(
        long,
        value_name = "LETTER",
        value_parser = text(),
        allow_hyphen_values = true
    )]
    predict: Option<String>,
    /// For `list`: table, json, csv or md [default: table]
    #[arg(
        long,
        value_parser = one_of(Format::TEXT),
        allow_hyphen_values = true
    )]
    format: Option<Format>,
}

/// What `list` is among the names of bugs.
const LIST: &str = "list";

fn names() -> Vec<&'static str> {
    let names = bugs().iter().map(|bug| bug.name);
    std::iter::once(LIST).chain(names).collect()
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { bug, fixed, play, predict, format } = args;
    let wrong = |option: &str, place: &str| {
        let line = format!("{option} is there, allowed is it only {place}");
        Err(Usage(line).into())
    };
    let Some(bug) = bugs().iter().find(|it| it.name == bug) else {
        return match (fixed, play, predict) {
            (true, _, _) => wrong("--fixed", "with a bug"),
            (_, true, _) => wrong("--play", "with a bug"),
            (_, _, Some(_)) => wrong("--predict", "with a bug"),
            _ => list(format.unwrap_or(Format::Table)),
        };
    };
    if format.is_some() {
        return wrong("--format", "with list");
    }
    match (fixed, predict) {
        (true, Some(_)) => wrong("--predict", "without --fixed"),
        (false, Some(_)) if play => wrong("--predict", "without --play"),
        (_, None) if play => {
            let which = if fixed { &bug.fixed } else { &bug.broken };
            Ok(act(which, interrupt)?.unwrap_or(End::Interrupted))
        }
        (true, None) => show_fixed(bug, interrupt),
        (false, None) => show_broken(bug, None, interrupt),
        (false, Some(letter)) => {
            let Some(said) = answer(bug, &letter) else {
                let shown = manyhands_measure::record::shown(&letter);
                let letters = letters(bug).join(", ");
                let line =
                    format!("--predict is {shown}, allowed are {letters}");
                return Err(Usage(line).into());
            };
            show_broken(bug, Some(said), interrupt)
        }
    }
}

fn list(format: Format) -> anyhow::Result<End> {
    let columns = ["bug", "what it is", "its end"];
    let mut table = Table::new(columns.map(left));
    for Bug { name, title, broken, .. } in bugs() {
        table.row([name, title, ends(broken.ends)]);
    }
    print(match format {
        Format::Table => table.plain(),
        Format::Md => table.markdown(),
        Format::Csv => table.csv(),
        Format::Json | Format::Html => json()?,
    })?;
    Ok(End::Fine)
}

/// Changes when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-bugs/1";

#[derive(Serialize)]
struct Wire {
    format: &'static str,
    bugs: Vec<WireBug>,
}

#[derive(Serialize)]
struct WireBug {
    name: &'static str,
    title: &'static str,
    ends: &'static str,
}

fn json() -> anyhow::Result<String> {
    let bug = |&Bug { name, title, ref broken, .. }: &_| {
        let ends = ends(broken.ends);
        WireBug { name, title, ends }
    };
    let bugs = bugs().iter().map(bug).collect();
    Ok(serde_json::to_string_pretty(&Wire { format: FORMAT, bugs })? + "\n")
}

fn ends(ends: Ends) -> &'static str {
    match ends {
        Ends::Returns => "returns",
        Ends::Hangs => "hangs",
        Ends::Panics => "panics",
    }
}

fn show_broken(
    bug: &'static Bug,
    said: Option<usize>,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    let mut text = head(bug, bug.story, &bug.broken);
    text += &format!("\n{}", wrap(bug.question, 0));
    for (letter, answer) in letters(bug).iter().zip(bug.answers) {
        text += &wrap(&format!("{letter}) {answer}"), 3);
    }
    print(text + "\n")?;
    let asks = said.is_none()
        && !is_quiet()
        && io::stdin().is_terminal()
        && io::stdout().is_terminal();
    let said = match asks {
        false => said,
        true => match interrupt.or(move || ask(bug)) {
            None => return Ok(End::Interrupted),
            Some(said) => said?,
        },
    };
    let Some(end) = act(&bug.broken, interrupt)? else {
        return Ok(End::Interrupted);
    };

    let letter = |place: usize| letters(bug)[place];
    let right = letter(bug.right);
    let verdict = match said {
        Some(said) if said == bug.right => {
            format!("You said {right}: right.")
        }
        Some(said) => format!("You said {}: it is {right}.", letter(said)),
        None => format!("It is {right}."),
    };
    let mut text = format!("\n{verdict}\n");
    for (what, words) in [("Why", bug.why), ("How it is found", bug.found)] {
        text += &format!("\n{}", wrap(&format!("{what}: {words}"), 0));
    }
    // A `String` takes everything.
    let _ = writeln!(text, "\nThe mend: manyhands bug {} --fixed", bug.name);
    print(text)?;
    Ok(end)
}

fn show_fixed(
    bug: &'static Bug,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    let head = head(bug, &format!("The mend: {}", bug.mend), &bug.fixed);
    print(head + "\n")?;
    Ok(act(&bug.fixed, interrupt)?.unwrap_or(End::Interrupted))
}

/// What it is, and its code.
fn head(bug: &Bug, words: &str, act: &Act) -> String {
    let mut text = wrap(&format!("{}: {}", bug.name, bug.title), 0);
    text += &format!("\n{}\n", wrap(words, 0));
    for (number, line) in act.lines() {
        // No spaces where the line is empty.
        text += format!("{number:>3} {line}").trim_end();
        text += "\n";
    }
    text
}

/// Plays it. `None` after Ctrl-C.
fn act(
    act: &'static Act,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<End>> {
    if let turns @ [_, ..] = act.schedule {
        let turns = format!("The schedule: {}.", turns.join(", "));
        print(format!("{}\n", wrap(&turns, 0)))?;
    }
    let played = interrupt.or(move || play(act, Results));
    let Some(Played { ends, waiting, .. }) = played else { return Ok(None) };
    let mut text = String::from(match ends {
        Ends::Returns => "\nIt returns.\n",
        Ends::Panics => "\nIt panics.\n",
        Ends::Hangs => "\nIt hangs: nobody moves any more.\n",
    });
    for (who, what) in waiting {
        text += &wrap(&format!("- {who}: {what}"), 2);
    }
    print(text)?;
    if ends == act.ends {
        return Ok(Some(End::Fine));
    }
    complain(format_args!(
        "this is not what was to happen; a busy machine may be the reason"
    ));
    Ok(Some(End::Failed))
}

/// Asks what the reader thinks will happen.
fn ask(bug: &Bug) -> anyhow::Result<Option<usize>> {
    let letters = letters(bug);
    loop {
        say(format_args!("\nYour answer, {} (Enter: none)?", or(letters)));
        // Whatever bytes it has.
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        read.context("cannot read the answer")?;
        match String::from_utf8_lossy(&line).trim() {
            "" => return Ok(None),
            letter => match answer(bug, letter) {
                Some(said) => return Ok(Some(said)),
                None => say(format_args!("Allowed are {}.", listed(letters))),
            },
        }
    }
}

/// `a, b or c`.
fn or(letters: &[&str]) -> String {
    listed(letters).replace(" and ", " or ")
}

fn letters(bug: &Bug) -> &'static [&'static str] {
    const LETTERS: &[&str] = &["a", "b", "c", "d"];
    &LETTERS[..bug.answers.len().min(LETTERS.len())]
}

/// Which of the answers is meant.
fn answer(bug: &Bug, letter: &str) -> Option<usize> {
    let is_it = |it: &&str| it.eq_ignore_ascii_case(letter);
    letters(bug).iter().position(is_it)
}

/// Where results go, for one who writes.
struct Results;

impl Write for Results {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        print(String::from_utf8_lossy(bytes)).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
