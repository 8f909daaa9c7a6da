//! The command line: what may be said, and one line for what may not.

use std::error::Error;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};
use manyhands::Config;
use manyhands_measure::record::shown;
use manyhands_workloads::Settings;

use crate::cmd;

/// Worker-pool patterns, side by side, with every answer checked
#[derive(Debug, Parser)]
#[command(name = "manyhands", version, max_term_width = 80)]
pub(crate) struct Cli {
    /// Print results and errors, and nothing else
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Put the results into FILE, whole or not at all, instead of stdout
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        value_parser = path("a file"),
        allow_hyphen_values = true
    )]
    pub(crate) output: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(cmd::list::Args),
    Run(cmd::run::Args),
    Verify(cmd::verify::Args),
    Compare(cmd::compare::Args),
    Record(cmd::record::Args),
    Report(cmd::report::Args),
    Splice(cmd::splice::Args),
    Queue(cmd::queue::Args),
    Learn(cmd::learn::Args),
    Bug(cmd::bug::Args),
}

/// Bad input: one line that names the thing, its value and what is allowed.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// In which shape results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
    Md,
    Html,
}

impl Format {
    /// Those of text.
    pub(crate) const TEXT: &'static [(&'static str, Self)] = &[
        ("table", Self::Table),
        ("json", Self::Json),
        ("csv", Self::Csv),
        ("md", Self::Md),
    ];
    /// Those, and a page.
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("table", Self::Table),
        ("json", Self::Json),
        ("csv", Self::Csv),
        ("md", Self::Md),
        ("html", Self::Html),
    ];
}

// Every option takes whatever follows it, a leading hyphen included, and
// these parsers say what is wrong with it. They start from an `OsString`, so
// that a value which is not UTF-8 is one more wrong value.

/// Most jobs that run at once.
pub(crate) fn workers() -> impl TypedValueParser<Value = usize> {
    number(1, Config::MAX_WORKERS)
}

/// Most jobs that wait.
pub(crate) fn queue() -> impl TypedValueParser<Value = usize> {
    number(0, Config::MAX_QUEUE)
}

/// How many jobs there are.
pub(crate) fn jobs() -> impl TypedValueParser<Value = usize> {
    number(1, Settings::MAX_JOBS)
}

/// What the random choices are made from.
pub(crate) fn seed() -> impl TypedValueParser<Value = u64> {
    number(0, u64::MAX)
}

/// Any text.
pub(crate) fn text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new()
        .try_map(|value| value.into_string().map_err(|_| "allowed is UTF-8"))
}

/// Any path but none; whether it is any good is for its reader to say.
pub(crate) fn path(
    what: &'static str,
) -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(move |value| match value.is_empty() {
        true => Err(format!("allowed is {what}")),
        false => Ok(PathBuf::from(value)),
    })
}

/// A number from `least` to `most`.
pub(crate) fn number<T>(least: T, most: T) -> impl TypedValueParser<Value = T>
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    OsStringValueParser::new().try_map(move |value| {
        value
            .to_str()
            .and_then(|value| value.parse().ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("allowed is {least} to {most}"))
    })
}

/// A time such as `500ms`, up to a day.
pub(crate) fn time() -> impl TypedValueParser<Value = Duration> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    OsStringValueParser::new().try_map(|value| {
        value
            .to_str()
            .and_then(parse_time)
            .filter(|time| !time.is_zero() && *time <= DAY)
            .ok_or("allowed is a time from 1ms to 24h, such as 500ms or 20s")
    })
}

/// One of the named things.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    allowed: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |value| {
        let value = value.to_string_lossy();
        let names = || allowed.iter().map(|&(name, _)| name);
        let found = allowed.iter().find(|(name, _)| *name == value);
        found.map(|&(_, thing)| thing).ok_or_else(|| hint(&value, names()))
    })
}

/// One of the names.
pub(crate) fn name(
    allowed: Vec<&'static str>,
) -> impl TypedValueParser<Value = &'static str> {
    OsStringValueParser::new().try_map(move |value| {
        let value = value.to_string_lossy();
        let found = allowed.iter().find(|name| **name == value);
        found.copied().ok_or_else(|| hint(&value, allowed.iter().copied()))
    })
}

/// Several names. A type of its own, since clap makes of a `Vec` an option
/// that may be there several times.
#[derive(Clone, Debug)]
pub(crate) struct Names(pub(crate) Vec<&'static str>);

/// Several of the names, with commas between them, each once.
pub(crate) fn names(
    allowed: Vec<&'static str>,
) -> impl TypedValueParser<Value = Names> {
    OsStringValueParser::new().try_map(move |value| {
        let value = value.to_string_lossy();
        let mut chosen = Vec::new();
        for part in value.split(',') {
            let Some(name) = allowed.iter().find(|name| **name == part) else {
                let hint = hint(part, allowed.iter().copied());
                return Err(if value.contains(',') {
                    format!("where {} is unknown; {hint}", shown(part))
                } else {
                    hint
                });
            };
            chosen.push(*name);
        }
        match twice(&chosen) {
            None => Ok(Names(chosen)),
            Some(name) => Err(format!("with {name} twice, allowed is once")),
        }
    })
}

/// The first name that stands there a second time.
pub(crate) fn twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    let again = |at: &usize| names[..*at].contains(&names[*at]);
    (0..names.len()).find(again).map(|at| names[at])
}

pub(crate) fn parse_time(value: &str) -> Option<Duration> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// `did you mean channel? allowed are …`
fn hint<'a>(value: &str, names: impl Iterator<Item = &'a str>) -> String {
    /// How alike two names must be, from 0 to 1, for the one to be meant.
    const ALIKE: f64 = 0.8;
    let names: Vec<&str> = names.collect();
    let likeness = |name: &&&str| strsim::jaro_winkler(value, name);
    let nearest = names
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|name| likeness(name) >= ALIKE);
    let meant = nearest.map(|name| format!("did you mean {name}? "));
    format!("{}allowed are {}", meant.unwrap_or_default(), names.join(", "))
}

/// What clap says in several lines, in one.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => {
            texts.first().map(String::as_str)
        }
        _ => None,
    };
    // `--workers <N>` without its value, `[VARIANT]...` without its brackets.
    let argument = context(ContextKind::InvalidArg).map(|text| {
        let word = text.split(' ').next().unwrap_or(text);
        word.trim_matches(['<', '>', '[', ']', '.'])
    });
    let argument = argument.unwrap_or("an argument");
    let meant = |kind| match context(kind) {
        Some(name) => format!("did you mean {name}? "),
        None => String::new(),
    };
    let is_queue = is_of_queue(error);
    let commands = if is_queue { QUEUE_COMMANDS } else { COMMANDS };
    match error.kind() {
        ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let reason = error.source().map(ToString::to_string);
            let reason = reason.unwrap_or_default();
            format!("{argument} is {}, {reason}", shown(value))
        }
        ErrorKind::InvalidValue => {
            format!("{argument} needs a value; `--help` lists what is allowed")
        }
        ErrorKind::TooManyValues => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            format!("{argument} is {}, allowed is no value", shown(value))
        }
        ErrorKind::UnknownArgument => format!(
            "unknown argument {}; {}`--help` lists what is allowed",
            shown(argument),
            meant(ContextKind::SuggestedArg),
        ),
        ErrorKind::InvalidSubcommand => format!(
            "unknown command {}; {}{commands}",
            shown(context(ContextKind::InvalidSubcommand).unwrap_or_default()),
            meant(ContextKind::SuggestedSubcommand),
        ),
        ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            format!("no command; {commands}")
        }
        ErrorKind::MissingRequiredArgument if is_queue => {
            let allowed = match argument {
                "ID" => "allowed is a job's; `queue list` lists them",
                "KIND" => "allowed is a kind; `queue status` lists them",
                "--state" => "allowed are done, dead",
                _ => "`--help` says what it is",
            };
            format!("{argument} is missing, {allowed}")
        }
        ErrorKind::MissingRequiredArgument => {
            let list = if argument == "BUG" { "bug list" } else { "list" };
            format!("{argument} is missing; `manyhands {list}` names them")
        }
        ErrorKind::ArgumentConflict => format!("{argument} is there twice"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".into(),
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.trim_start_matches("error: ");
            // Whatever it is, it may have a value of the user's in it.
            line.chars().take(LONGEST_LINE).collect()
        }
    }
}

/// Whether it is a command of `queue` that something is wrong with. Only the
/// usage that clap would show tells.
fn is_of_queue(error: &clap::Error) -> bool {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        // What clap would show to those who said nothing is the help.
        _ => error.to_string(),
    };
    usage.contains("manyhands queue")
}

/// Longer than anything that clap says by itself.
const LONGEST_LINE: usize = 200;

/// Which commands there are.
const COMMANDS: &str = "allowed are list, run, verify, compare, record, \
                        report, splice, queue, learn, bug";

/// Those of `queue`.
const QUEUE_COMMANDS: &str = "allowed are status, list, show, retry, purge, \
                              pause, resume, work";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_contradiction_in_the_command_line() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_time("20s"), Some(Duration::from_secs(20)));
        assert_eq!(parse_time("2m"), Some(Duration::from_secs(120)));
        assert_eq!(parse_time("24h"), Some(Duration::from_secs(86_400)));
        assert_eq!(parse_time("7d"), Some(Duration::from_secs(604_800)));
        for wrong in ["", "20", "s", "-1s", "1.5s", "20 s", "9e9s"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        let too_long = format!("{}h", u64::MAX);
        assert_eq!(parse_time(&too_long), None);
    }

    #[test]
    fn a_misspelt_name_gets_the_one_that_was_meant() {
        let names = ["channel", "rayon", "tokio"];
        assert_eq!(
            hint("chanel", names.into_iter()),
            "did you mean channel? allowed are channel, rayon, tokio"
        );
        assert_eq!(
            hint("xyz", names.into_iter()),
            "allowed are channel, rayon, tokio"
        );
    }

    #[test]
    fn a_name_that_stands_there_twice_is_found() {
        assert_eq!(twice(&["a", "b", "c"]), None);
        assert_eq!(twice(&["a", "b", "c", "b", "a"]), Some("b"));
    }
}
