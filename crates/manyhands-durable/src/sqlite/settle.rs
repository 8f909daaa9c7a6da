//! What came of jobs that are held.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::line::{leave, step_aside};
use super::rows::{
    Done, as_millis, forget_key, later, now, number, place, ready, set_place,
    whole_seconds,
};
use super::{Fault, engine};
use crate::crash;
use crate::envelope::Envelope;
use crate::store::{Hold, Settled, Settlement};

pub(super) struct Held {
    kind: String,
    stored: String,
    attempts: u32,
    max_attempts: u32,
    priority: i64,
    run_at: i64,
    created_at: i64,
}

pub(super) fn held(conn: &Connection, hold: &Hold) -> Done<Option<Held>> {
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

pub(super) fn settle_one(
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
            let queue = if step_aside(conn, id)? {
                later(&held.kind)
            } else {
                place(&held.kind, true, due, now)
            };
            set_place(conn, id, &queue, due)?;
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

pub(super) fn give_back(
    conn: &Connection,
    id: i64,
    token: &str,
) -> Done<bool> {
    let mut give = conn.prepare_cached(
        "UPDATE _honker_live
         SET state = 'pending', worker_id = NULL, claim_expires_at = NULL,
           attempts = max(attempts - 1, 0)
         WHERE id = ?1 AND worker_id = ?2 AND state = 'processing'
           AND claim_expires_at >= unixepoch()",
    )?;
    Ok(give.execute(params![id, token])? == 1)
}

pub(super) fn note_error(conn: &Connection, id: i64, error: &str) -> Done<()> {
    let mut note = conn.prepare_cached(
        "INSERT INTO manyhands_errors (id, error) VALUES (?1, ?2)
         ON CONFLICT (id) DO UPDATE SET error = ?2",
    )?;
    note.execute(params![id, error])?;
    Ok(())
}

pub(super) fn note_done(
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
