//! What is done to rows, each in a transaction that its caller began.
//!
//! At each claim the engine looks through all of a queue, in part by an index
//! that is no help. So a kind has four of its queues:
//!
//! - `KIND`: the jobs that run, and those that a claim has just moved there
//!   for the engine to give out. Here `run_at` is in seconds, as the engine
//!   has it; in the others, which it does not look into, in milliseconds;
//! - `KIND/ready`: jobs whose time has come;
//! - `KIND/later`: jobs whose time has not come;
//! - `KIND/parked`: jobs behind another of their serial word.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;

use super::line::{has_turn, join};
use super::{Fault, engine};
use crate::envelope::{Envelope, VERSION};
use crate::status::{millis, time_of};
use crate::store::{NewJob, due};
use crate::submission::{Submission, When};
use crate::{Error, JobId};

pub(super) type Done<T> = Result<T, Fault>;

/// So many rows are moved in one transaction that others wait for.
pub(super) const PORTION: i64 = 1000;

/// The machine's clock, in milliseconds: SQLite's `unixepoch` is the same.
pub(super) fn now() -> i64 {
    millis(SystemTime::now())
}

pub(super) fn ready(kind: &str) -> String {
    format!("{kind}/ready")
}

pub(super) fn later(kind: &str) -> String {
    format!("{kind}/later")
}

pub(super) fn parked(kind: &str) -> String {
    format!("{kind}/parked")
}

/// The kind whose queue it is, and whether times in it are the engine's.
pub(super) fn kind_of(queue: &str) -> (&str, bool) {
    let ours = ["/ready", "/later", "/parked"]
        .iter()
        .find_map(|suffix| queue.strip_suffix(suffix));
    ours.map_or((queue, true), |kind| (kind, false))
}

/// No lease is shorter than was asked for. One of the engine's lasts to the
/// end of the second in which it expires.
pub(super) fn whole_seconds(lease: Duration) -> i64 {
    let seconds = lease.as_nanos().div_ceil(1_000_000_000);
    i64::try_from(seconds).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

pub(super) fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

pub(super) fn as_millis(time: Duration) -> i64 {
    // Up, so that nothing comes too early.
    let millis = time.as_nanos().div_ceil(1_000_000);
    i64::try_from(millis).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

/// A job, written as it is stored.
pub(super) struct Sealed {
    kind: String,
    payload: String,
    how: Submission,
    max_attempts: u32,
}

impl Sealed {
    pub(super) fn new(job: NewJob) -> Result<Self, Error> {
        let body: &RawValue =
            serde_json::from_str(&job.job).map_err(|error| {
                Error::Invalid(format!("a job that is no JSON: {error}"))
            })?;
        let envelope = Envelope {
            v: VERSION,
            at: now(),
            key: job.how.key.clone(),
            serial: job.how.serial.clone(),
            trace: job.how.trace_parent.clone(),
            job: body,
        };
        let payload = envelope.seal()?;
        let NewJob { kind, how, max_attempts, .. } = job;
        Ok(Self { kind, payload, how, max_attempts })
    }
}

/// True if the job has been done for longer than it is kept: it is forgotten,
/// with its key, also where nobody has swept yet.
fn forget_if_old(conn: &Connection, id: i64) -> Done<bool> {
    let mut forget = conn.prepare_cached(
        "DELETE FROM manyhands_done WHERE id = ?1 AND until < ?2",
    )?;
    let is_old = forget.execute([id, now()])? == 1;
    if is_old {
        forget_key(conn, id)?;
    }
    Ok(is_old)
}

pub(super) fn submit(conn: &Connection, job: &Sealed) -> Done<JobId> {
    let Sealed { kind, payload, how, max_attempts } = job;
    if let Some(key) = &how.key {
        let mut find = conn.prepare_cached(
            "SELECT id FROM manyhands_keys WHERE kind = ?1 AND key = ?2",
        )?;
        let there = find.query_row(params![kind, key], |row| row.get(0));
        if let Some(id) = there.optional()?
            && !forget_if_old(conn, id)?
        {
            return Ok(JobId::new(id));
        }
    }
    let now = now();
    let due = match how.when {
        When::Now => now,
        when => millis_up(due(when, time_of(now))),
    };
    let is_first = match &how.serial {
        Some(serial) => has_turn(conn, kind, serial)?.is_none(),
        None => true,
    };
    let queue = place(kind, is_first, due, now);
    let id = engine::enqueue(
        conn,
        &queue,
        payload,
        due,
        how.priority,
        *max_attempts,
    )?;
    if let Some(serial) = &how.serial {
        join(conn, kind, serial, id, is_first)?;
    }
    if let Some(key) = &how.key {
        let mut keep = conn.prepare_cached(
            "INSERT INTO manyhands_keys (kind, key, id) VALUES (?1, ?2, ?3)",
        )?;
        keep.execute(params![kind, key, id])?;
    }
    Ok(JobId::new(id))
}

pub(super) fn millis_up(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, as_millis)
}

/// The queue that a job belongs into.
pub(super) fn place(kind: &str, is_first: bool, due: i64, now: i64) -> String {
    if !is_first {
        parked(kind)
    } else if due > now {
        later(kind)
    } else {
        ready(kind)
    }
}

pub(super) fn set_place(
    conn: &Connection,
    id: i64,
    queue: &str,
    run_at: i64,
) -> Done<()> {
    let mut set = conn.prepare_cached(
        "UPDATE _honker_live SET queue = ?2, run_at = ?3 WHERE id = ?1",
    )?;
    set.execute(params![id, queue, run_at])?;
    Ok(())
}

pub(super) fn forget_key(conn: &Connection, id: i64) -> Done<()> {
    let mut forget =
        conn.prepare_cached("DELETE FROM manyhands_keys WHERE id = ?1")?;
    forget.execute([id])?;
    Ok(())
}
