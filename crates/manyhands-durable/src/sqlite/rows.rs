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

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::{Fault, engine};
use crate::backend::{
    Ask, Claimed, Given, Hold, NewJob, Schedule, Settled, Settlement, due,
};
use crate::envelope::{Envelope, VERSION};
use crate::status::{millis, time_of};
use crate::submission::{Submission, When};
use crate::{Counts, Error, Filter, JobId, Rate, State, Status, crash, cron};

pub(super) type Done<T> = Result<T, Fault>;

/// So many rows are moved in one transaction that others wait for.
pub(super) const PORTION: i64 = 1000;

/// The machine's clock, in milliseconds: SQLite's `unixepoch` is the same.
pub(super) fn now() -> i64 {
    millis(SystemTime::now())
}

fn ready(kind: &str) -> String {
    format!("{kind}/ready")
}

fn later(kind: &str) -> String {
    format!("{kind}/later")
}

fn parked(kind: &str) -> String {
    format!("{kind}/parked")
}

/// The kind whose queue it is, and whether times in it are the engine's.
fn kind_of(queue: &str) -> (&str, bool) {
    let ours = ["/ready", "/later", "/parked"]
        .iter()
        .find_map(|suffix| queue.strip_suffix(suffix));
    ours.map_or((queue, true), |kind| (kind, false))
}

/// No lease is shorter than was asked for. One of the engine's lasts to the
/// end of the second in which it expires.
fn whole_seconds(lease: Duration) -> i64 {
    let seconds = lease.as_nanos().div_ceil(1_000_000_000);
    i64::try_from(seconds).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

fn as_millis(time: Duration) -> i64 {
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

pub(super) fn submit(conn: &Connection, job: &Sealed) -> Done<JobId> {
    let Sealed { kind, payload, how, max_attempts } = job;
    if let Some(key) = &how.key {
        let mut find = conn.prepare_cached(
            "SELECT id FROM manyhands_keys WHERE kind = ?1 AND key = ?2",
        )?;
        let there = find.query_row(params![kind, key], |row| row.get(0));
        if let Some(id) = there.optional()? {
            return Ok(JobId::new(id));
        }
    }
    let now = now();
    let due = match how.when {
        When::Now => now,
        when => millis_up(due(when, time_of(now))),
    };
    let is_first = match &how.serial {
        Some(serial) => first(conn, kind, serial)?.is_none(),
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
        join(conn, kind, serial, id)?;
    }
    if let Some(key) = &how.key {
        let mut keep = conn.prepare_cached(
            "INSERT INTO manyhands_keys (kind, key, id) VALUES (?1, ?2, ?3)",
        )?;
        keep.execute(params![kind, key, id])?;
    }
    Ok(JobId::new(id))
}

fn millis_up(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, as_millis)
}

/// The queue that a job belongs into.
fn place(kind: &str, is_first: bool, due: i64, now: i64) -> String {
    if !is_first {
        parked(kind)
    } else if due > now {
        later(kind)
    } else {
        ready(kind)
    }
}

// Lines of one serial word.

fn first(conn: &Connection, kind: &str, serial: &str) -> Done<Option<i64>> {
    let mut find = conn.prepare_cached(
        "SELECT id FROM manyhands_serial WHERE kind = ?1 AND serial = ?2
         ORDER BY place LIMIT 1",
    )?;
    let first = find.query_row(params![kind, serial], |row| row.get(0));
    Ok(first.optional()?)
}

fn join(conn: &Connection, kind: &str, serial: &str, id: i64) -> Done<()> {
    let mut join = conn.prepare_cached(
        "INSERT INTO manyhands_serial (kind, serial, id) VALUES (?1, ?2, ?3)",
    )?;
    join.execute(params![kind, serial, id])?;
    Ok(())
}

/// Takes an unfinished job out of what is kept for those. True if another may
/// be claimed now.
fn leave(conn: &Connection, id: i64) -> Done<bool> {
    let mut forget =
        conn.prepare_cached("DELETE FROM manyhands_errors WHERE id = ?1")?;
    forget.execute([id])?;
    let mut leave = conn.prepare_cached(
        "DELETE FROM manyhands_serial WHERE id = ?1 RETURNING kind, serial",
    )?;
    let line = leave.query_row([id], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let Some((kind, serial)) = line.optional()? else { return Ok(false) };
    let Some(next) = first(conn, &kind, &serial)? else { return Ok(false) };
    // It is where it should be, unless it waited for the one that left.
    let mut find = conn.prepare_cached(
        "SELECT run_at FROM _honker_live WHERE id = ?1 AND queue = ?2",
    )?;
    let due: Option<i64> = find
        .query_row(params![next, parked(&kind)], |row| row.get(0))
        .optional()?;
    let Some(due) = due else { return Ok(false) };
    set_place(conn, next, &place(&kind, true, due, now()), due)?;
    Ok(true)
}

fn set_place(
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

fn forget_key(conn: &Connection, id: i64) -> Done<()> {
    let mut forget =
        conn.prepare_cached("DELETE FROM manyhands_keys WHERE id = ?1")?;
    forget.execute([id])?;
    Ok(())
}

// Claiming.

/// An [`Ask`] that owns its words.
#[derive(Clone)]
pub(super) struct Wanted {
    kind: String,
    token: String,
    most: usize,
    lease: Duration,
    limit: Option<usize>,
    rate: Option<Rate>,
}

impl From<Ask<'_>> for Wanted {
    fn from(ask: Ask<'_>) -> Self {
        Self {
            kind: ask.kind.into(),
            token: ask.token.into(),
            most: ask.most,
            lease: ask.lease,
            limit: ask.limit.map(std::num::NonZeroUsize::get),
            rate: ask.rate,
        }
    }
}

pub(super) fn claim(conn: &Connection, ask: &Wanted) -> Done<Claimed> {
    let kind = ask.kind.as_str();
    let now = now();
    let mut look = conn.prepare_cached(
        "SELECT paused, next_start FROM manyhands_kinds WHERE kind = ?1",
    )?;
    let (is_paused, next_start): (bool, i64) = look
        .query_row([kind], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default();
    let mut most = ask.most;
    if is_paused {
        most = 0;
    }
    if let Some(limit) = ask.limit {
        most = most.min(limit.saturating_sub(running(conn, kind)?));
    }
    let mut not_before = None;
    if let Some(rate) = ask.rate {
        let micros = micros(SystemTime::now());
        if micros < next_start {
            most = 0;
            not_before = Some(next_start);
        } else {
            most = most.min(burst(rate, most));
        }
    }
    if most > 0 {
        ripen(conn, kind, now)?;
        feed(conn, kind, number(most))?;
    }
    let exhausted = exhausted(conn, kind)?;
    let mut jobs = take(conn, ask, most)?;
    let mut released = false;
    for id in exhausted {
        released |= bury_vanished(conn, id)?;
    }
    if let Some(rate) = ask.rate
        && !jobs.is_empty()
    {
        let from = micros(SystemTime::now()).max(next_start);
        let step = rate.interval().saturating_mul(burst(rate, most) as u32);
        let next = from.saturating_add_unsigned(
            u64::try_from(step.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX),
        );
        let mut set = conn.prepare_cached(
            "INSERT INTO manyhands_kinds (kind, next_start) VALUES (?1, ?2)
             ON CONFLICT (kind) DO UPDATE SET next_start = ?2",
        )?;
        set.execute(params![kind, next])?;
        not_before = Some(next);
    }
    let again = if is_paused {
        None
    } else if let Some(micros) = not_before {
        Some(micros.saturating_add(999) / 1000)
    } else if released || (jobs.len() == ask.most && ask.most > 0) {
        Some(now)
    } else {
        next_time(conn, kind)?
    };
    let again = again.map(|at| {
        let wait = at.saturating_sub(self::now()).max(0);
        Duration::from_millis(wait.unsigned_abs())
    });
    jobs.shrink_to_fit();
    Ok(Claimed { jobs, again })
}

/// How many jobs of the kind are held, by anybody.
fn running(conn: &Connection, kind: &str) -> Done<usize> {
    let mut count = conn.prepare_cached(
        "SELECT count(*) FROM _honker_live
           INDEXED BY _honker_live_processing_deadline
         WHERE queue = ?1 AND state = 'processing'
           AND claim_expires_at >= unixepoch()",
    )?;
    let running: i64 = count.query_row([kind], |row| row.get(0))?;
    Ok(usize::try_from(running).unwrap_or(usize::MAX))
}

/// How many may begin together, of at most so many: one; or, where a commit
/// for each would be slower than the rate, those of 5 ms. A divisor of the
/// rate's number, so that no `per` has more than that.
fn burst(rate: Rate, most: usize) -> usize {
    let interval = rate.interval().as_nanos().max(1);
    let fits = usize::try_from(5_000_000 / interval).unwrap_or(usize::MAX);
    let jobs = rate.jobs.get() as usize;
    let upper = fits.min(most).min(jobs).max(1);
    (1..=upper).rev().find(|it| jobs.is_multiple_of(*it)).unwrap_or(1)
}

fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// Moves jobs whose time has come to those that are ready.
fn ripen(conn: &Connection, kind: &str, now: i64) -> Done<()> {
    let mut ripen = conn.prepare_cached(
        "UPDATE _honker_live SET queue = ?1
         WHERE id IN (
           SELECT id FROM _honker_live
             INDEXED BY _honker_live_pending_deadline
           WHERE queue = ?2 AND state = 'pending' AND run_at <= ?3
           ORDER BY run_at LIMIT ?4
         )",
    )?;
    ripen.execute(params![ready(kind), later(kind), now, PORTION])?;
    Ok(())
}

/// Moves the best that are ready to where the engine gives them out.
fn feed(conn: &Connection, kind: &str, most: i64) -> Done<()> {
    // A clock that was set back does not hold them up.
    let mut feed = conn.prepare_cached(
        "UPDATE _honker_live
         SET queue = ?1, run_at = min(run_at / 1000, unixepoch())
         WHERE id IN (
           SELECT id FROM _honker_live INDEXED BY _honker_live_claim
           WHERE queue = ?2 AND state IN ('pending', 'processing')
           ORDER BY priority DESC, run_at, id LIMIT ?3
         )",
    )?;
    feed.execute(params![kind, ready(kind), most])?;
    Ok(())
}

/// Jobs of which the last attempt was begun, and whose lease is over, or
/// will be before the engine looks.
fn exhausted(conn: &Connection, kind: &str) -> Done<Vec<i64>> {
    let mut find = conn.prepare_cached(
        "SELECT id FROM _honker_live
           INDEXED BY _honker_live_processing_deadline
         WHERE queue = ?1 AND state = 'processing'
           AND claim_expires_at < unixepoch() + 10
           AND attempts >= max_attempts",
    )?;
    let ids = find.query_map([kind], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// If the engine has found a job dead for want of attempts: says why, and lets
/// the next of its line go.
fn bury_vanished(conn: &Connection, id: i64) -> Done<bool> {
    let mut find = conn.prepare_cached(
        "SELECT d.attempts, d.max_attempts, e.error FROM _honker_dead d
         LEFT JOIN manyhands_errors e ON e.id = d.id WHERE d.id = ?1",
    )?;
    let found = find.query_row([id], |row| {
        Ok(vanished(row.get(0)?, row.get(1)?, row.get(2)?))
    });
    let Some(error) = found.optional()? else { return Ok(false) };
    crash::point("during-dead-letter");
    let mut say = conn.prepare_cached(
        "UPDATE _honker_dead SET last_error = ?2 WHERE id = ?1",
    )?;
    say.execute(params![id, error])?;
    leave(conn, id)
}

fn vanished(attempts: u32, max: u32, before: Option<String>) -> String {
    let said = format!("its worker vanished, in attempt {attempts} of {max}");
    match before {
        Some(error) => format!("{said}; before that: {error}"),
        None => said,
    }
}

fn take(conn: &Connection, ask: &Wanted, most: usize) -> Done<Vec<Given>> {
    let lease = whole_seconds(ask.lease);
    let most = number(most);
    let taken = engine::claim(conn, &ask.kind, &ask.token, most, lease)?;
    let mut find = conn.prepare_cached(
        "SELECT priority, run_at, max_attempts FROM _honker_live
         WHERE id = ?1",
    )?;
    let mut jobs = Vec::with_capacity(taken.len());
    for job in taken {
        let (priority, run_at, max_attempts): (i64, i64, u32) = find
            .query_row([job.id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let given = Given {
            id: JobId::new(job.id),
            attempt: job.attempts,
            max_attempts,
            stored: job.payload,
        };
        jobs.push(((-priority, run_at, job.id), given));
    }
    jobs.sort_by_key(|(order, _)| *order);
    Ok(jobs.into_iter().map(|(_, given)| given).collect())
}

/// Moves what is no text to the dead, of what a claim looks at: the engine
/// stops at it, and its transaction must be undone.
pub(super) fn bury_unreadable(conn: &Connection, ask: &Wanted) -> Done<usize> {
    let many = number(ask.most).saturating_add(PORTION);
    let mut bad = Vec::new();
    for queue in [&ask.kind, &ready(&ask.kind)] {
        let mut find = conn.prepare_cached(
            "SELECT id, payload FROM _honker_live
               INDEXED BY _honker_live_claim
             WHERE queue = ?1 AND state IN ('pending', 'processing')
             ORDER BY priority DESC, run_at, id LIMIT ?2",
        )?;
        let mut rows = find.query(params![queue, many])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(1)?.as_str().is_err() {
                bad.push(row.get::<_, i64>(0)?);
            }
        }
    }
    for id in &bad {
        bury(conn, *id, &ask.kind, "not a stored job: it is no text")?;
    }
    Ok(bad.len())
}

fn bury(conn: &Connection, id: i64, kind: &str, error: &str) -> Done<()> {
    let moved = conn.execute(
        "INSERT INTO _honker_dead (id, queue, payload, priority, run_at,
           attempts, max_attempts, last_error, created_at)
         SELECT id, ?3, payload, priority, unixepoch(), attempts,
           max_attempts, ?2, created_at FROM _honker_live WHERE id = ?1",
        params![id, error, kind],
    )?;
    if moved > 0 {
        engine::cancel(conn, id)?;
        leave(conn, id)?;
    }
    Ok(())
}

/// When the next job's time comes, or the next lease ends.
fn next_time(conn: &Connection, kind: &str) -> Done<Option<i64>> {
    let mut due = conn.prepare_cached(
        "SELECT min(run_at) FROM _honker_live
           INDEXED BY _honker_live_pending_deadline
         WHERE queue = ?1 AND state = 'pending'",
    )?;
    let due: Option<i64> = due.query_row([later(kind)], |row| row.get(0))?;
    let mut ends = conn.prepare_cached(
        "SELECT min(claim_expires_at) FROM _honker_live
           INDEXED BY _honker_live_processing_deadline
         WHERE queue = ?1 AND state = 'processing'",
    )?;
    let ends: Option<i64> = ends.query_row([kind], |row| row.get(0))?;
    let ends = ends.map(|second| second.saturating_add(1) * 1000);
    Ok([due, ends].into_iter().flatten().min())
}

// Settling.

struct Held {
    kind: String,
    stored: String,
    attempts: u32,
    max_attempts: u32,
    priority: i64,
    run_at: i64,
    created_at: i64,
}

fn held(conn: &Connection, hold: &Hold) -> Done<Option<Held>> {
    let mut find = conn.prepare_cached(
        "SELECT queue, payload, attempts, max_attempts, priority, run_at,
           created_at
         FROM _honker_live
         WHERE id = ?1 AND worker_id = ?2 AND state = 'processing'
           AND claim_expires_at >= unixepoch()",
    )?;
    let held = find.query_row(params![hold.id.get(), hold.token], |row| {
        Ok(Held {
            kind: row.get(0)?,
            stored: row.get(1)?,
            attempts: row.get(2)?,
            max_attempts: row.get(3)?,
            priority: row.get(4)?,
            run_at: row.get(5)?,
            created_at: row.get(6)?,
        })
    });
    Ok(held.optional()?)
}

/// Was each still held? And may something be claimed now?
pub(super) fn settle(
    conn: &Connection,
    settled: &[Settled],
) -> Done<(Vec<bool>, bool)> {
    let mut frees = false;
    let mut all = Vec::with_capacity(settled.len());
    for one in settled {
        let was_held = match held(conn, &one.hold)? {
            Some(held) => settle_one(conn, one, &held, &mut frees)?,
            None => false,
        };
        all.push(was_held);
    }
    sweep(conn, number(settled.len()).saturating_mul(2).max(16))?;
    Ok((all, frees))
}

fn settle_one(
    conn: &Connection,
    one: &Settled,
    held: &Held,
    frees: &mut bool,
) -> Done<bool> {
    let Hold { id, token } = &one.hold;
    let id = id.get();
    let took = match &one.what {
        Settlement::Done { .. } => engine::ack(conn, id, token)?,
        Settlement::Retry { error, .. } => {
            engine::retry(conn, id, token, error)?
        }
        Settlement::Dead { error } => engine::fail(conn, id, token, error)?,
        Settlement::GiveBack => give_back(conn, id, token)?,
    };
    if !took {
        // The lease ended this moment; or the engine was in trouble, of which
        // it says nothing.
        return match self::held(conn, &one.hold)? {
            Some(_) => Err(Fault::Told(format!("job {id} is not settled"))),
            None => Ok(false),
        };
    }
    match &one.what {
        Settlement::Done { output, retention } => {
            let output = output.as_deref();
            note_done(conn, id, held, output, *retention)?;
            *frees |= leave(conn, id)?;
        }
        Settlement::Retry { error, delay }
            if held.attempts < held.max_attempts =>
        {
            crash::point("during-nack");
            let now = now();
            let due = now.saturating_add(as_millis(*delay));
            set_place(conn, id, &place(&held.kind, true, due, now), due)?;
            note_error(conn, id, error)?;
            *frees = true;
        }
        Settlement::Retry { .. } | Settlement::Dead { .. } => {
            crash::point("during-dead-letter");
            *frees |= leave(conn, id)?;
        }
        Settlement::GiveBack => {
            set_place(conn, id, &ready(&held.kind), held.run_at * 1000)?;
            *frees = true;
        }
    }
    Ok(true)
}

fn give_back(conn: &Connection, id: i64, token: &str) -> Done<bool> {
    let mut give = conn.prepare_cached(
        "UPDATE _honker_live
         SET state = 'pending', worker_id = NULL, claim_expires_at = NULL,
           attempts = max(attempts - 1, 0)
         WHERE id = ?1 AND worker_id = ?2 AND state = 'processing'
           AND claim_expires_at >= unixepoch()",
    )?;
    Ok(give.execute(params![id, token])? == 1)
}

fn note_error(conn: &Connection, id: i64, error: &str) -> Done<()> {
    let mut note = conn.prepare_cached(
        "INSERT INTO manyhands_errors (id, error) VALUES (?1, ?2)
         ON CONFLICT (id) DO UPDATE SET error = ?2",
    )?;
    note.execute(params![id, error])?;
    Ok(())
}

fn note_done(
    conn: &Connection,
    id: i64,
    held: &Held,
    output: Option<&str>,
    retention: Duration,
) -> Done<()> {
    let now = now();
    let envelope = Envelope::open(&held.stored).ok();
    let at = envelope.as_ref().map_or(held.created_at * 1000, |it| it.at);
    let (key, serial, trace) =
        envelope.map(|it| (it.key, it.serial, it.trace)).unwrap_or_default();
    let mut note = conn.prepare_cached(
        "INSERT INTO manyhands_done (id, kind, attempts, max_attempts,
           priority, submitted_at, run_at, finished_at, until, key, serial,
           trace, last_error, output)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
           (SELECT error FROM manyhands_errors WHERE id = ?1), ?13)",
    )?;
    note.execute(params![
        id,
        held.kind,
        held.attempts,
        held.max_attempts,
        held.priority,
        at,
        held.run_at * 1000,
        now,
        now.saturating_add(as_millis(retention)),
        key,
        serial,
        trace,
        output,
    ])?;
    Ok(())
}

/// Forgets what was done long enough ago, up to so many.
pub(super) fn sweep(conn: &Connection, most: i64) -> Done<()> {
    let mut sweep = conn.prepare_cached(
        "DELETE FROM manyhands_done WHERE id IN (
           SELECT id FROM manyhands_done WHERE until <= ?1
           ORDER BY until LIMIT ?2
         ) RETURNING id, key IS NOT NULL",
    )?;
    let gone = sweep.query_map(params![now(), most], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
    })?;
    let gone: Vec<_> = gone.collect::<Result<_, _>>()?;
    for (id, has_key) in gone {
        if has_key {
            forget_key(conn, id)?;
        }
    }
    Ok(())
}

pub(super) fn extend(
    conn: &Connection,
    holds: &[Hold],
    lease: Duration,
) -> Done<Vec<bool>> {
    let lease = whole_seconds(lease);
    let mut all = Vec::with_capacity(holds.len());
    for hold in holds {
        let id = hold.id.get();
        all.push(engine::heartbeat(conn, id, &hold.token, lease)?);
    }
    crash::point("during-heartbeat");
    Ok(all)
}

// Schedules.

pub(super) fn schedule(
    conn: &Connection,
    kind: &str,
    schedules: &[Schedule],
) -> Done<()> {
    let mut known =
        conn.prepare("SELECT name FROM manyhands_schedules WHERE kind = ?1")?;
    let names = known.query_map([kind], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    for name in names {
        if !schedules.iter().any(|schedule| schedule.name == name) {
            conn.execute(
                "DELETE FROM manyhands_schedules
                 WHERE kind = ?1 AND name = ?2",
                params![kind, name],
            )?;
        }
    }
    for schedule in schedules {
        let next = next_run(&schedule.cron)?;
        // One that is known keeps its next time: it may be over.
        conn.execute(
            "INSERT INTO manyhands_schedules
               (kind, name, cron, job, max_attempts, next)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (kind, name) DO UPDATE SET
               next = iif(cron = ?3, next, ?6),
               cron = ?3, job = ?4, max_attempts = ?5",
            params![
                kind,
                schedule.name,
                schedule.cron,
                schedule.job.job,
                schedule.job.max_attempts,
                next,
            ],
        )?;
    }
    Ok(())
}

fn next_run(expression: &str) -> Done<i64> {
    let next = cron::next_after(expression, SystemTime::now());
    Ok(millis(next.map_err(Fault::Own)?))
}

/// When the next of the kind is due.
pub(super) fn next_tick(
    conn: &Connection,
    kind: &str,
) -> Done<Option<Duration>> {
    let mut find = conn.prepare_cached(
        "SELECT min(next) FROM manyhands_schedules WHERE kind = ?1",
    )?;
    let next: Option<i64> = find.query_row([kind], |row| row.get(0))?;
    Ok(next.map(|at| {
        let wait = at.saturating_sub(now()).max(0);
        Duration::from_millis(wait.unsigned_abs())
    }))
}

pub(super) fn tick(conn: &Connection, kind: &str) -> Done<bool> {
    let mut find = conn.prepare_cached(
        "SELECT name, cron, job, max_attempts FROM manyhands_schedules
         WHERE kind = ?1 AND next <= ?2 ORDER BY next, name",
    )?;
    let found = find.query_map(params![kind, now()], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, u32>(3)?,
        ))
    })?;
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    let any = !found.is_empty();
    for (name, expression, job, max_attempts) in found {
        let kind = kind.to_owned();
        let next = next_run(&expression)?;
        conn.execute(
            "UPDATE manyhands_schedules SET next = ?3
             WHERE kind = ?1 AND name = ?2",
            params![kind, name, next],
        )?;
        let how = Submission::new();
        let sealed = Sealed::new(NewJob { kind, job, how, max_attempts });
        submit(conn, &sealed.map_err(Fault::Own)?)?;
    }
    Ok(any)
}

// Looking.

/// A column's text, also where a stranger wrote something else.
fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
    })
}

/// A job that the engine has.
fn kept(row: &Row<'_>) -> rusqlite::Result<Status> {
    let queue = text(row, "queue")?;
    let (kind, is_engines) = kind_of(&queue);
    let stored = text(row, "payload")?;
    let created: i64 = row.get("created_at")?;
    let run_at: i64 = row.get("run_at")?;
    let run_at = if is_engines { run_at.saturating_mul(1000) } else { run_at };
    let mut status = Status {
        id: JobId::new(row.get("id")?),
        kind: kind.to_owned(),
        state: State::Dead,
        attempts: row.get("attempts")?,
        max_attempts: row.get("max_attempts")?,
        priority: small(row.get("priority")?),
        submitted_at: time_of(created.saturating_mul(1000)),
        run_at: time_of(run_at),
        finished_at: None,
        last_error: row.get("error")?,
        key: None,
        serial: None,
        trace_parent: None,
        job: None,
        output: None,
    };
    if let Ok(envelope) = Envelope::open(&stored) {
        status.submitted_at = time_of(envelope.at);
        status.job = Some(envelope.job.get().to_owned());
        status.key = envelope.key;
        status.serial = envelope.serial;
        status.trace_parent = envelope.trace;
    } else {
        // As it was found.
        status.job = Some(stored);
    }
    Ok(status)
}

fn small(priority: i64) -> i16 {
    let least = i64::from(i16::MIN);
    let most = i64::from(i16::MAX);
    i16::try_from(priority.clamp(least, most)).unwrap_or_default()
}

const LIVE: &str = "SELECT l.id, l.queue, l.payload, l.state, l.priority,
    l.run_at, l.claim_expires_at, l.attempts, l.max_attempts, l.created_at,
    e.error FROM _honker_live l LEFT JOIN manyhands_errors e ON e.id = l.id";

fn live(row: &Row<'_>) -> rusqlite::Result<Status> {
    let mut status = kept(row)?;
    let now = now();
    let is_held = text(row, "state")? == "processing";
    if !is_held {
        status.state = if millis(status.run_at) > now {
            State::Scheduled
        } else {
            State::Ready
        };
        return Ok(status);
    }
    let ends: i64 = row.get("claim_expires_at")?;
    status.state = if ends >= now / 1000 {
        State::Running
    } else if status.attempts < status.max_attempts {
        State::Ready
    } else {
        // The next claim finds it dead. So does whoever looks sooner.
        let before = status.last_error.take();
        let error = vanished(status.attempts, status.max_attempts, before);
        status.last_error = Some(error);
        status.finished_at = Some(time_of((ends + 1) * 1000));
        State::Dead
    };
    Ok(status)
}

const DEAD: &str = "SELECT id, queue, payload, priority, run_at, attempts,
    max_attempts, created_at, died_at, last_error AS error
    FROM _honker_dead";

fn dead(row: &Row<'_>) -> rusqlite::Result<Status> {
    let mut status = kept(row)?;
    let died: i64 = row.get("died_at")?;
    status.finished_at = Some(time_of(died.saturating_mul(1000)));
    Ok(status)
}

const DONE: &str = "SELECT * FROM manyhands_done";

fn done(row: &Row<'_>) -> rusqlite::Result<Status> {
    Ok(Status {
        id: JobId::new(row.get("id")?),
        kind: row.get("kind")?,
        state: State::Done,
        attempts: row.get("attempts")?,
        max_attempts: row.get("max_attempts")?,
        priority: small(row.get("priority")?),
        submitted_at: time_of(row.get("submitted_at")?),
        run_at: time_of(row.get("run_at")?),
        finished_at: Some(time_of(row.get("finished_at")?)),
        last_error: row.get("last_error")?,
        key: row.get("key")?,
        serial: row.get("serial")?,
        trace_parent: row.get("trace")?,
        job: None,
        output: row.get("output")?,
    })
}

type Read = fn(&Row<'_>) -> rusqlite::Result<Status>;

pub(super) fn status(conn: &Connection, id: JobId) -> Done<Option<Status>> {
    let places: [(&str, &str, Read); 3] =
        [(LIVE, "l.id", live), (DONE, "id", done), (DEAD, "id", dead)];
    for (from, column, read) in places {
        let sql = format!("{from} WHERE {column} = ?1");
        let mut find = conn.prepare_cached(&sql)?;
        if let Some(found) = find.query_row([id.get()], read).optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Is it one that is meant? The kind is, for its rows were asked for.
fn is_meant(filter: &Filter, status: &Status, now: i64) -> bool {
    let is_state = filter.state.is_none_or(|state| state == status.state);
    let is_old = filter.older_than.is_none_or(|age| {
        status.finished_at.is_some_and(|at| {
            status.state.is_final()
                && millis(at) <= now.saturating_sub(as_millis(age))
        })
    });
    let is_kind = filter.kind.as_ref().is_none_or(|kind| *kind == status.kind);
    let is_after = filter.after.is_none_or(|id| status.id > id);
    is_state && is_old && is_kind && is_after
}

pub(super) fn list(conn: &Connection, filter: &Filter) -> Done<Vec<Status>> {
    let now = now();
    let mut found = Vec::new();
    if let Some(ids) = &filter.ids {
        let mut ids = ids.clone();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            if found.len() >= filter.limit {
                break;
            }
            let status = status(conn, id)?;
            found.extend(status.filter(|it| is_meant(filter, it, now)));
        }
        return Ok(found);
    }
    let state = filter.state;
    let is = |some: &[State]| state.is_none_or(|state| some.contains(&state));
    let of = |column: &str| match &filter.kind {
        Some(_) => format!("AND {column} IN (?2, ?3, ?4, ?5)"),
        None => "AND ?2 IS ?3 AND ?4 IS ?5".into(),
    };
    // An order by `+id` is one that SQLite sorts itself, when the few rows it
    // is about are better found by another index.
    let held = LIVE.replace(
        "live l",
        "live l INDEXED BY _honker_live_processing_deadline",
    );
    let (live_from, live_where) = match state {
        // The dead whose worker vanished are still there.
        Some(State::Running | State::Dead) => (
            held.as_str(),
            format!(
                "AND l.state = 'processing' {} ORDER BY +l.id",
                of("l.queue")
            ),
        ),
        _ => (LIVE, format!("{} ORDER BY l.id", of("l.queue"))),
    };
    let dead_where = match filter.kind {
        Some(_) => format!("{} ORDER BY +id", of("queue")),
        None => format!("{} ORDER BY id", of("queue")),
    };
    let places: [(bool, &str, &str, String, Read); 3] = [
        (state != Some(State::Done), live_from, "l.id", live_where, live),
        (
            is(&[State::Done]),
            DONE,
            "id",
            format!("{} ORDER BY id", of("kind")),
            done,
        ),
        (is(&[State::Dead]), DEAD, "id", dead_where, dead),
    ];
    let after = filter.after.map_or(i64::MIN, JobId::get);
    for (is_wanted, from, column, rest, read) in places {
        if !is_wanted {
            continue;
        }
        let sql = format!("{from} WHERE {column} > ?1 {rest}");
        let mut find = conn.prepare_cached(&sql)?;
        let kind = filter.kind.as_deref();
        let mut rows = find.query(params![
            after,
            kind,
            kind.map(ready),
            kind.map(later),
            kind.map(parked)
        ])?;
        let mut taken = 0;
        while taken < filter.limit
            && let Some(row) = rows.next()?
        {
            let status = read(row)?;
            if is_meant(filter, &status, now) {
                found.push(status);
                taken += 1;
            }
        }
    }
    found.sort_by_key(|status| status.id);
    found.truncate(filter.limit);
    Ok(found)
}

/// The values of the first column of an index, each looked up by itself.
fn distinct(conn: &Connection, sql: &str) -> Done<Vec<String>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut all: Vec<String> = Vec::new();
    loop {
        let last = all.last().map_or("", String::as_str);
        let next: Option<String> = find.query_row([last], |row| row.get(0))?;
        match next {
            Some(next) => all.push(next),
            None => return Ok(all),
        }
    }
}

pub(super) fn counts(conn: &Connection) -> Done<Vec<Counts>> {
    let mut all: std::collections::BTreeMap<String, Counts> =
        std::collections::BTreeMap::new();
    let now = now();
    let queues = distinct(
        conn,
        "SELECT min(queue) FROM _honker_live INDEXED BY _honker_live_claim
         WHERE state IN ('pending', 'processing') AND queue > ?1",
    )?;
    for queue in queues {
        let (kind, is_engines) = kind_of(&queue);
        let counts = all.entry(kind.to_owned()).or_default();
        let scale = if is_engines { 1000 } else { 1 };
        let mut due = conn.prepare_cached(
            "SELECT count(*), min(run_at) FROM _honker_live
               INDEXED BY _honker_live_pending_deadline
             WHERE queue = ?1 AND state = 'pending' AND run_at <= ?2",
        )?;
        let (ready, oldest): (i64, Option<i64>) = due
            .query_row(params![queue, now / scale], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut oldest = oldest.map(|at| at.saturating_mul(scale));
        let mut waiting = conn.prepare_cached(
            "SELECT count(*) FROM _honker_live
               INDEXED BY _honker_live_pending_deadline
             WHERE queue = ?1 AND state = 'pending' AND run_at > ?2",
        )?;
        let scheduled: i64 = waiting
            .query_row(params![queue, now / scale], |row| row.get(0))?;
        let running = running(conn, &queue)? as u64;
        let mut ended = conn.prepare_cached(
            "SELECT attempts < max_attempts, claim_expires_at + 1
             FROM _honker_live
               INDEXED BY _honker_live_processing_deadline
             WHERE queue = ?1 AND state = 'processing'
               AND claim_expires_at < unixepoch()",
        )?;
        let mut rows = ended.query([&queue])?;
        while let Some(row) = rows.next()? {
            if row.get(0)? {
                counts.ready += 1;
                let at = row.get::<_, i64>(1)?.saturating_mul(1000);
                oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
            } else {
                counts.dead += 1;
            }
        }
        counts.ready += ready.unsigned_abs();
        counts.scheduled += scheduled.unsigned_abs();
        counts.running += running;
        if let Some(oldest) = oldest {
            let age = now.saturating_sub(oldest).max(0).unsigned_abs();
            let age = Duration::from_millis(age);
            counts.oldest_ready = counts.oldest_ready.max(age);
        }
    }
    let others: [(&str, &str, fn(&mut Counts, u64)); 2] = [
        (
            "SELECT min(queue) FROM _honker_dead WHERE queue > ?1",
            "SELECT count(*) FROM _honker_dead WHERE queue = ?1",
            |counts, jobs| counts.dead += jobs,
        ),
        (
            "SELECT min(kind) FROM manyhands_done WHERE kind > ?1",
            "SELECT count(*) FROM manyhands_done WHERE kind = ?1",
            |counts, jobs| counts.done += jobs,
        ),
    ];
    for (names, number, add) in others {
        for queue in distinct(conn, names)? {
            let mut count = conn.prepare_cached(number)?;
            let jobs: i64 = count.query_row([&queue], |row| row.get(0))?;
            let kind = kind_of(&queue).0.to_owned();
            add(all.entry(kind).or_default(), jobs.unsigned_abs());
        }
    }
    let mut paused =
        conn.prepare_cached("SELECT kind FROM manyhands_kinds WHERE paused")?;
    for kind in paused.query_map([], |row| row.get::<_, String>(0))? {
        all.entry(kind?).or_default().is_paused = true;
    }
    let named =
        all.into_iter().map(|(kind, counts)| Counts { kind, ..counts });
    Ok(named.collect())
}

// Setting right.

/// Has the engine bury what has no attempt left, of all kinds.
fn reap(conn: &Connection) -> Done<bool> {
    let queues = distinct(
        conn,
        "SELECT min(queue) FROM _honker_live
           INDEXED BY _honker_live_processing_deadline
         WHERE state = 'processing' AND queue > ?1",
    )?;
    let mut released = false;
    for queue in queues {
        let exhausted = exhausted(conn, &queue)?;
        if exhausted.is_empty() {
            continue;
        }
        engine::claim(conn, &queue, "", 0, 0)?;
        for id in exhausted {
            released |= bury_vanished(conn, id)?;
        }
    }
    Ok(released)
}

/// A portion of those that match: which, and is any done (and not dead)?
fn finals(
    conn: &Connection,
    filter: &Filter,
    with_done: bool,
    after: i64,
    most: i64,
) -> Done<Vec<(i64, bool)>> {
    let before = filter
        .older_than
        .map_or(i64::MAX, |age| now().saturating_sub(as_millis(age)));
    let is = |state| filter.state.is_none_or(|wanted| wanted == state);
    let (done, dead) = (with_done && is(State::Done), is(State::Dead));
    let kind = filter.kind.as_deref();
    let mut found = Vec::new();
    let places = [
        (
            done,
            "SELECT id, 1 FROM manyhands_done
             WHERE id > ?1 AND finished_at <= ?2
               AND (?3 IS NULL OR kind = ?3)",
        ),
        (
            dead,
            "SELECT id, 0 FROM _honker_dead
             WHERE id > ?1 AND died_at <= ?2 / 1000
               AND (?3 IS NULL OR queue = ?3)",
        ),
    ];
    for (is_wanted, sql) in places {
        if !is_wanted {
            continue;
        }
        let mut get = |sql: &str, from: i64, most: i64| -> Done<()> {
            let mut find = conn.prepare_cached(sql)?;
            let rows = find
                .query_map(params![from, before, kind, most], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            for row in rows {
                found.push(row?);
            }
            Ok(())
        };
        match &filter.ids {
            Some(ids) => {
                let sql = format!("{sql} AND id = ?1 + 1 LIMIT ?4");
                for id in ids.iter().filter(|id| id.get() > after) {
                    get(&sql, id.get().saturating_sub(1), 1)?;
                }
            }
            None => get(&format!("{sql} ORDER BY id LIMIT ?4"), after, most)?,
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

/// What a portion came to: how many jobs, and where the next begins.
pub(super) type Portion = (u64, Option<i64>);

/// Drives a portion of the dead letters again.
pub(super) fn retry(
    conn: &Connection,
    filter: &Filter,
    after: i64,
    most: i64,
) -> Done<Portion> {
    reap(conn)?;
    let found = finals(conn, filter, false, after, most.min(PORTION))?;
    for (id, _) in &found {
        revive(conn, *id)?;
    }
    Ok(portion(&found))
}

fn portion(found: &[(i64, bool)]) -> Portion {
    (found.len() as u64, found.last().map(|(id, _)| *id))
}

fn revive(conn: &Connection, id: i64) -> Done<()> {
    let mut find = conn.prepare_cached(
        "SELECT queue, payload, last_error AS error FROM _honker_dead
         WHERE id = ?1",
    )?;
    let (queue, stored, error) = find.query_row([id], |row| {
        let error: Option<String> = row.get(2)?;
        Ok((row.get::<_, String>(0)?, text(row, "payload")?, error))
    })?;
    let kind = kind_of(&queue).0;
    let now = now();
    let serial = Envelope::open(&stored).ok().and_then(|it| it.serial);
    let is_first = match &serial {
        // Behind those that wait.
        Some(serial) => {
            let is_first = first(conn, kind, serial)?.is_none();
            join(conn, kind, serial, id)?;
            is_first
        }
        None => true,
    };
    let queue = place(kind, is_first, now, now);
    let mut revive = conn.prepare_cached(
        "INSERT INTO _honker_live (id, queue, payload, priority, run_at,
           max_attempts, created_at)
         SELECT id, ?2, payload, priority, ?3, max_attempts, created_at
         FROM _honker_dead WHERE id = ?1",
    )?;
    revive.execute(params![id, queue, now])?;
    let mut leave =
        conn.prepare_cached("DELETE FROM _honker_dead WHERE id = ?1")?;
    leave.execute([id])?;
    if let Some(error) = error {
        note_error(conn, id, &error)?;
    }
    Ok(())
}

pub(super) fn cancel(conn: &Connection, id: JobId) -> Done<(bool, bool)> {
    let id = id.get();
    let mut wait = conn.prepare_cached(
        "SELECT 1 FROM _honker_live WHERE id = ?1 AND NOT
           (state = 'processing' AND claim_expires_at >= unixepoch())",
    )?;
    let mut released = false;
    let was_there = if wait.exists([id])? {
        let was_there = engine::cancel(conn, id)?;
        released = leave(conn, id)?;
        was_there
    } else {
        let mut dead =
            conn.prepare_cached("DELETE FROM _honker_dead WHERE id = ?1")?;
        dead.execute([id])? == 1
    };
    if was_there {
        forget_key(conn, id)?;
    }
    Ok((was_there, released))
}

/// Forgets a portion of what is done or dead.
pub(super) fn purge(
    conn: &Connection,
    filter: &Filter,
    after: i64,
    most: i64,
) -> Done<Portion> {
    reap(conn)?;
    let found = finals(conn, filter, true, after, most.min(PORTION))?;
    for (id, is_done) in &found {
        let sql = if *is_done {
            "DELETE FROM manyhands_done WHERE id = ?1"
        } else {
            "DELETE FROM _honker_dead WHERE id = ?1"
        };
        conn.prepare_cached(sql)?.execute([id])?;
        forget_key(conn, *id)?;
    }
    Ok(portion(&found))
}

pub(super) fn set_paused(
    conn: &Connection,
    kind: &str,
    is_paused: bool,
) -> Done<()> {
    let mut set = conn.prepare_cached(
        "INSERT INTO manyhands_kinds (kind, paused) VALUES (?1, ?2)
         ON CONFLICT (kind) DO UPDATE SET paused = ?2",
    )?;
    set.execute(params![kind, is_paused])?;
    Ok(())
}
