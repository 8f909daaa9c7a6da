//! `manyhands queue`: jobs that outlive their process, looked at, set right,
//! and worked on.

mod look;
mod set;
pub(super) mod store;
mod work;

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use clap::builder::{OsStringValueParser, ValueParser};
use clap::{Subcommand, builder::TypedValueParser};
use manyhands_durable::{Error, Filter, State};
use time::OffsetDateTime;

use self::store::Store;
use super::End;
use crate::args::{Format, Usage, number, one_of, parse_time, text};
use crate::interrupt::Interrupt;

/// Look after jobs that outlive their process
///
/// They are kept by manyhands-durable, on SQLite or PostgreSQL. This is for
/// jobs of any kind, of any program; `work --demo` makes some and runs them.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Where the jobs are: postgres://…, sqlite:FILE or a file [default: what
    /// the environment variable MANYHANDS_DB says]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        value_parser = ValueParser::from(OsStringValueParser::new()),
        allow_hyphen_values = true
    )]
    db: Option<OsString>,
    /// table or json
    #[arg(
        long,
        global = true,
        default_value = "table",
        value_parser = one_of(FORMATS),
        allow_hyphen_values = true
    )]
    format: Format,
    #[command(subcommand)]
    what: What,
}

const FORMATS: &[(&str, Format)] =
    &[("table", Format::Table), ("json", Format::Json)];

#[derive(Debug, Subcommand)]
enum What {
    /// How many jobs are where, a row a kind
    Status,
    /// List jobs, in order of id
    List(ListArgs),
    /// Show all that is known of a job
    Show(ShowArgs),
    /// Drive dead letters again: they are ready, with all their attempts
    Retry(RetryArgs),
    /// Forget jobs that are done or dead, for good
    Purge(PurgeArgs),
    /// Begin no more jobs of a kind, in any process
    Pause(KindArgs),
    /// Begin jobs of the kind again
    Resume(KindArgs),
    /// Run the jobs of the demo: mails, to a server of its own
    Work(work::WorkArgs),
}

/// Jobs of one kind alone.
#[derive(Debug, clap::Args)]
struct OfKind {
    /// Of this kind
    #[arg(long, value_parser = text(), allow_hyphen_values = true)]
    kind: Option<String>,
}

impl OfKind {
    fn filter(&self) -> Filter {
        match &self.kind {
            Some(kind) => Filter::new().kind(kind),
            None => Filter::new(),
        }
    }
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    of: OfKind,
    /// In this state: scheduled, ready, running, done or dead
    #[arg(
        long,
        value_parser = one_of(STATES),
        allow_hyphen_values = true
    )]
    state: Option<State>,
    /// How many at most
    #[arg(
        long,
        value_name = "N",
        default_value = "50",
        value_parser = number(1_usize, 100_000),
        allow_hyphen_values = true
    )]
    limit: usize,
    /// Those with a greater id: the next page
    #[arg(
        long,
        value_name = "ID",
        value_parser = id(),
        allow_hyphen_values = true
    )]
    after: Option<i64>,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Which job
    #[arg(value_name = "ID", value_parser = id(), allow_hyphen_values = true)]
    id: i64,
}

#[derive(Debug, clap::Args)]
struct RetryArgs {
    /// Which ones
    #[arg(value_name = "ID", value_parser = id())]
    ids: Vec<i64>,
    /// All there are, or all of one --kind
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: OfKind,
}

#[derive(Debug, clap::Args)]
struct PurgeArgs {
    /// In this state: done or dead
    #[arg(
        long,
        required = true,
        value_parser = one_of(FINAL),
        allow_hyphen_values = true
    )]
    state: State,
    #[command(flatten)]
    of: OfKind,
    /// Done or dead for longer than this, such as 30m, 24h or 7d
    #[arg(
        long,
        value_name = "AGE",
        value_parser = age(),
        allow_hyphen_values = true
    )]
    older_than: Option<Duration>,
    /// Yes, dead letters too: they were never done
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct KindArgs {
    /// Which kind
    #[arg(value_name = "KIND", value_parser = text())]
    kind: String,
}

const STATES: &[(&str, State)] = &[
    ("scheduled", State::Scheduled),
    ("ready", State::Ready),
    ("running", State::Running),
    ("done", State::Done),
    ("dead", State::Dead),
];

const FINAL: &[(&str, State)] =
    &[("done", State::Done), ("dead", State::Dead)];

fn id() -> impl TypedValueParser<Value = i64> {
    number(1_i64, i64::MAX)
}

/// How long ago something may be: up to ten years.
fn age() -> impl TypedValueParser<Value = Duration> {
    const MOST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);
    OsStringValueParser::new().try_map(|value| {
        value
            .to_str()
            .and_then(parse_time)
            .filter(|time| *time <= MOST)
            .ok_or("allowed is a time from 0s to 3650d, such as 24h or 7d")
    })
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { db, format, what } = args;
    let json = format == Format::Json;
    if let What::Work(work) = what {
        return work::run(work, db, json, interrupt);
    }
    if let What::Retry(args) = &what {
        set::check_retry(args)?;
    }
    if let What::Purge(args) = &what {
        set::check_purge(args)?;
    }
    let store = Store::named(db)?;
    // A server that does not answer is not waited for when Ctrl-C is pressed.
    let done = interrupt.or(move || -> anyhow::Result<Said> {
        let admin = store.open()?;
        match what {
            What::Status => look::status(&admin, json),
            What::List(args) => look::list(&admin, &args, json),
            What::Show(args) => look::show(&admin, &store, args.id, json),
            What::Retry(args) => set::retry(&admin, &args, json),
            What::Purge(args) => set::purge(&admin, &args, json),
            What::Pause(args) => set::pause(&admin, &args.kind, true, json),
            What::Resume(args) => set::pause(&admin, &args.kind, false, json),
            What::Work(_) => Ok(Said::default()),
        }
        .map_err(|error| store.told(error))
    });
    let Some(said) = done.transpose()? else {
        crate::output::say("interrupted: nothing came back yet");
        return Ok(End::Interrupted);
    };
    crate::output::print(&said.text)?;
    said.notes.into_iter().for_each(crate::output::say);
    Ok(said.end)
}

/// What a command has to say in the end.
struct Said {
    /// The result.
    text: String,
    /// What it does not say.
    notes: Vec<String>,
    end: End,
}

impl Default for Said {
    fn default() -> Self {
        Self { text: String::new(), notes: Vec::new(), end: End::Fine }
    }
}

impl Said {
    fn result(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    fn json(value: &impl serde::Serialize) -> anyhow::Result<Self> {
        Ok(Self::result(serde_json::to_string_pretty(value)? + "\n"))
    }

    fn note(mut self, note: Option<String>) -> Self {
        self.notes.extend(note);
        self
    }
}

/// What was not allowed is bad input.
fn failed(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(why) => Usage(why).into(),
        error => error.into(),
    }
}

/// As RFC 3339 says, in UTC, in whole seconds: `2026-11-22T07:00:00Z`. It has
/// no years after 9999.
fn date(time: SystemTime) -> String {
    let last = Duration::from_secs(253_402_300_799);
    let time = OffsetDateTime::from(time.min(SystemTime::UNIX_EPOCH + last));
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// How long something took or takes, for people: `0.4s`, `12s`, `5m 12s`,
/// `3h 5m`, `2d 3h`.
fn long(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) =
        (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 => format!("{:.1}s", time.as_millis() as f64 / 1000.0),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// How long ago that is, or in how long it will be.
fn ago(time: SystemTime) -> String {
    match time.elapsed() {
        Ok(since) => format!("{} ago", long(since)),
        Err(ahead) => format!("in {}", long(ahead.duration())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_in_utc_and_how_long_ago() {
        let time =
            |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(date(time(0)), "1970-01-01T00:00:00Z");
        assert_eq!(date(time(1_796_086_745)), "2026-12-01T00:59:05Z");
        assert_eq!(date(time(i64::MAX as u64 / 2)), "9999-12-31T23:59:59Z");
        for (seconds, words) in [
            (0, "0.0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (3599, "59m 59s"),
            (3600, "1h 0m"),
            (86_399, "23h 59m"),
            (86_400, "1d 0h"),
            (8_640_000, "100d 0h"),
        ] {
            assert_eq!(long(Duration::from_secs(seconds)), words);
        }
        let hour = Duration::from_secs(3600);
        let now = SystemTime::now();
        assert_eq!(ago(now - hour), "1h 0m ago");
        assert!(ago(now + hour).starts_with("in "));
    }
}
