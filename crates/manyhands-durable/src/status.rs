//! What became of a job, as its store knows it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::Serialize;

/// A job in its store. Given when it is submitted, and never given again.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
)]
#[serde(transparent)]
pub struct JobId(i64);

impl JobId {
    /// The id with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job is on its way.
///
/// ```text
/// scheduled ──▶ ready ──▶ running ──▶ done
///                 ▲          │ └────▶ dead ──▶ ready   (driven again)
///                 └──────────┘ retry, given back, or its worker vanished
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its time has not come; also while it waits for another attempt.
    Scheduled,
    /// It waits for a worker.
    Ready,
    /// A worker has it.
    Running,
    /// An attempt did it.
    Done,
    /// It has no attempt left, or a failure was permanent.
    Dead,
}

impl State {
    /// All of them, in their order.
    pub const ALL: [Self; 5] =
        [Self::Scheduled, Self::Ready, Self::Running, Self::Done, Self::Dead];

    /// True once nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead)
    }

    /// Its name: `scheduled`, `ready`, `running`, `done` or `dead`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|state| state.name() == name);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no state '{name}': it is one of {names}")
        })
    }
}

/// All that its store knows of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Which one.
    pub id: JobId,
    /// Its [`KIND`](crate::DurableJob::KIND).
    pub kind: String,
    /// Where it is.
    pub state: State,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be.
    pub max_attempts: u32,
    /// The greater runs sooner.
    pub priority: i16,
    /// When it was stored.
    #[serde(serialize_with = "seconds")]
    pub submitted_at: SystemTime,
    /// When it may run, or might.
    #[serde(serialize_with = "seconds")]
    pub run_at: SystemTime,
    /// When it was done or died.
    #[serde(serialize_with = "seconds_or_null")]
    pub finished_at: Option<SystemTime>,
    /// Why the last attempt that failed did.
    pub last_error: Option<String>,
    /// What makes it one of its kind.
    pub key: Option<String>,
    /// Those that it is not run beside.
    pub serial: Option<String>,
    /// The trace it belongs to.
    pub trace_parent: Option<String>,
    /// The job, as JSON. `None` of one that is done: what it needed may be
    /// nobody's business any more.
    pub job: Option<String>,
    /// What it gave back, as JSON; `None` before it is done, and for `()`.
    pub output: Option<String>,
}

/// How many jobs of a kind are where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Whose.
    pub kind: String,
    /// True if no worker begins one.
    pub is_paused: bool,
    /// Their time has not come.
    pub scheduled: u64,
    /// They wait for a worker.
    pub ready: u64,
    /// A worker has them.
    pub running: u64,
    /// Done, and not purged.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
    /// For how long the oldest that is ready has been. Zero if none is.
    #[serde(serialize_with = "duration")]
    pub oldest_ready: Duration,
}

impl Counts {
    /// How many are in `state`.
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Scheduled => self.scheduled,
            State::Ready => self.ready,
            State::Running => self.running,
            State::Done => self.done,
            State::Dead => self.dead,
        }
    }

    /// How many are neither done nor dead.
    pub fn unfinished(&self) -> u64 {
        self.scheduled + self.ready + self.running
    }
}

/// Seconds since 1970, with milliseconds.
fn seconds<S: serde::Serializer>(
    time: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(millis(*time) as f64 / 1000.0)
}

fn seconds_or_null<S: serde::Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn duration<S: serde::Serializer>(
    time: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_millis() as f64 / 1000.0)
}

/// Milliseconds since 1970; before that it is 0.
pub(crate) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// The time so many milliseconds after 1970.
pub(crate) fn time_of(millis: i64) -> SystemTime {
    let since = Duration::from_millis(millis.max(0).unsigned_abs());
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}
