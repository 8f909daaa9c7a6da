//! What is in a store: `status`, `list`, `show`.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use manyhands_durable::{Admin, Counts, JobId, State, Status};
use serde::Serialize;
use serde_json::Value;

use super::store::Store;
use super::{ListArgs, Said, ago, date, failed, long};
use crate::output::{WIDTH, legible, wrap};
use crate::table::{Table, left, right};

// The shapes: another when a field goes, or comes to mean something else.
const STATUS: &str = "manyhands-queue-status/1";
const LIST: &str = "manyhands-queue-list/1";
const SHOW: &str = "manyhands-queue-job/1";

/// Stands where there is nothing.
const NONE: &str = "–";

pub(super) fn status(admin: &Admin, json: bool) -> anyhow::Result<Said> {
    let counts = admin.counts().map_err(failed)?;
    if json {
        let kinds = counts.iter().map(WireCounts::from).collect();
        return Said::json(&WireStatus { format: STATUS, kinds });
    }
    let states = State::ALL.map(|state| right(state.name()));
    let columns = [left("kind")].into_iter().chain(states);
    let columns = columns.chain([right("oldest wait"), left("paused")]);
    let mut table = Table::new(columns);
    for it in &counts {
        let mut row = vec![legible(&it.kind)];
        row.extend(State::ALL.map(|state| it.of(state).to_string()));
        row.push(match it.ready {
            0 => NONE.to_owned(),
            _ => long(it.oldest_ready),
        });
        row.push(if it.is_paused { "yes" } else { "no" }.to_owned());
        table.row(row);
    }
    let empty = counts.is_empty().then(|| "there are no jobs".to_owned());
    Ok(Said::result(table.plain()).note(empty))
}

pub(super) fn list(
    admin: &Admin,
    args: &ListArgs,
    json: bool,
) -> anyhow::Result<Said> {
    let ListArgs { of, state, limit, after } = args;
    let mut filter = of.filter().limit(limit + 1);
    if let Some(state) = state {
        filter = filter.state(*state);
    }
    if let Some(after) = after {
        filter = filter.after(JobId::new(*after));
    }
    let mut jobs = admin.list(&filter).map_err(failed)?;
    let has_more = jobs.len() > *limit;
    jobs.truncate(*limit);
    let next = jobs.last().filter(|_| has_more).map(|it| it.id);
    if json {
        let jobs = jobs.iter().map(WireJob::from).collect();
        return Said::json(&WireList { format: LIST, jobs, next });
    }
    let note = match (jobs.is_empty(), next) {
        (true, _) => Some("there is no such job".to_owned()),
        (_, Some(id)) => Some(format!("there are more: --after {id}")),
        _ => None,
    };
    Ok(Said::result(rows(&jobs)).note(note))
}

/// A row a job.
pub(super) fn rows(jobs: &[Status]) -> String {
    /// What the last column has where the others leave no room.
    const LEAST: usize = 18;
    let columns = || {
        let columns = [right("id"), left("kind"), left("state")];
        columns.into_iter().chain([
            right("tries"),
            left("submitted"),
            left(""),
        ])
    };
    // Where the others end, so that a line stays one.
    let mut others = Table::new(columns()).narrow();
    for job in jobs {
        others.row(cells(job));
    }
    let others = others.plain();
    let width = others.lines().map(|line| line.chars().count()).max();
    let room = WIDTH.saturating_sub(width.unwrap_or(0) + 2).max(LEAST);
    let last = [left("last error, or key")];
    let mut table = Table::new(columns().chain(last)).narrow();
    for job in jobs {
        let about = job.last_error.as_ref().filter(|_| {
            // Of one that is done it does not matter any more.
            job.state != State::Done
        });
        let about = about.or(job.key.as_ref()).map_or("", String::as_str);
        let about = shortened(&legible(about), room);
        table.row(cells(job).into_iter().chain([about]));
    }
    table.plain()
}

fn cells(job: &Status) -> [String; 6] {
    [
        job.id.to_string(),
        legible(&job.kind),
        job.state.to_string(),
        format!("{}/{}", job.attempts, job.max_attempts),
        date(job.submitted_at),
        ago(job.submitted_at),
    ]
}

pub(super) fn show(
    admin: &Admin,
    store: &Store,
    id: i64,
    json: bool,
) -> anyhow::Result<Said> {
    let job = admin.status(JobId::new(id)).map_err(failed)?;
    let job = job.with_context(|| {
        format!(
            "there is no job {id}; `queue list{}` lists all",
            store.option()
        )
    })?;
    if json {
        return Said::json(&WireShow { format: SHOW, job: (&job).into() });
    }
    Ok(Said::result(about(&job)))
}

/// All of it, a line each.
fn about(job: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &wrap(&format!("{name:<12} {}", legible(&value)), 13);
        }
    };
    let at = |time: SystemTime| format!("{}, {}", date(time), ago(time));
    line("id", Some(job.id.to_string()));
    line("kind", Some(job.kind.clone()));
    line("state", Some(job.state.to_string()));
    let attempts = format!("{} of {}", job.attempts, job.max_attempts);
    line("attempts", Some(attempts));
    line("priority", Some(job.priority.to_string()));
    line("submitted", Some(at(job.submitted_at)));
    let is_waiting = matches!(job.state, State::Scheduled | State::Ready);
    line("runs", is_waiting.then(|| at(job.run_at)));
    line("finished", job.finished_at.map(at));
    line("key", job.key.clone());
    line("serial", job.serial.clone());
    line("trace", job.trace_parent.clone());
    line("last error", job.last_error.clone());
    for (name, json) in [("job", &job.job), ("output", &job.output)] {
        if let Some(json) = json {
            text += &format!("{name}\n{}", indented(json));
        }
    }
    text
}

/// JSON in lines; what is none, as it is.
fn indented(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    let pretty = value.and_then(|it| serde_json::to_string_pretty(&it));
    let pretty = pretty.unwrap_or_else(|_| json.to_owned());
    let line = |line: &str| format!("  {}\n", legible(line));
    pretty.lines().map(line).collect()
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[derive(Serialize)]
struct WireStatus {
    format: &'static str,
    kinds: Vec<WireCounts>,
}

#[derive(Serialize)]
struct WireCounts {
    kind: String,
    paused: bool,
    scheduled: u64,
    ready: u64,
    running: u64,
    done: u64,
    dead: u64,
    /// Null if none is ready.
    oldest_ready_seconds: Option<f64>,
}

impl From<&Counts> for WireCounts {
    fn from(it: &Counts) -> Self {
        Self {
            kind: it.kind.clone(),
            paused: it.is_paused,
            scheduled: it.scheduled,
            ready: it.ready,
            running: it.running,
            done: it.done,
            dead: it.dead,
            oldest_ready_seconds: (it.ready > 0)
                .then(|| seconds(it.oldest_ready)),
        }
    }
}

#[derive(Serialize)]
struct WireList {
    format: &'static str,
    jobs: Vec<WireJob>,
    /// What to say after `--after` for those that follow; null if none do.
    next: Option<JobId>,
}

#[derive(Serialize)]
struct WireShow {
    format: &'static str,
    #[serde(flatten)]
    job: WireJob,
}

#[derive(Serialize)]
pub(super) struct WireJob {
    id: JobId,
    kind: String,
    state: State,
    attempts: u32,
    max_attempts: u32,
    priority: i16,
    /// All times are dates, in UTC.
    submitted_at: String,
    run_at: String,
    finished_at: Option<String>,
    last_error: Option<String>,
    key: Option<String>,
    serial: Option<String>,
    trace_parent: Option<String>,
    /// Null of one that is done.
    job: Option<Value>,
    output: Option<Value>,
}

impl From<&Status> for WireJob {
    fn from(it: &Status) -> Self {
        // What is no JSON is shown as text.
        let value = |text: &String| {
            let value = serde_json::from_str(text);
            value.unwrap_or_else(|_| Value::String(text.clone()))
        };
        Self {
            id: it.id,
            kind: it.kind.clone(),
            state: it.state,
            attempts: it.attempts,
            max_attempts: it.max_attempts,
            priority: it.priority,
            submitted_at: date(it.submitted_at),
            run_at: date(it.run_at),
            finished_at: it.finished_at.map(date),
            last_error: it.last_error.clone(),
            key: it.key.clone(),
            serial: it.serial.clone(),
            trace_parent: it.trace_parent.clone(),
            job: it.job.as_ref().map(value),
            output: it.output.as_ref().map(value),
        }
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}
