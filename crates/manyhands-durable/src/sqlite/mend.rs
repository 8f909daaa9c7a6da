//! Setting right what went wrong.

use rusqlite::{Connection, params};

use super::claim::{bury_vanished, exhausted};
use super::engine;
use super::line::{has_turn, join, leave};
use super::look::{distinct, text};
use super::rows::{Done, PORTION, as_millis, forget_key, kind_of, now, place};
use super::settle::note_error;
use crate::envelope::Envelope;
use crate::{Filter, JobId, State};

/// Has the engine bury what has no attempt left, of all kinds.
pub(super) fn reap(conn: &Connection) -> Done<bool> {
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
pub(super) fn finals(
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

pub(super) fn portion(found: &[(i64, bool)]) -> Portion {
    (found.len() as u64, found.last().map(|(id, _)| *id))
}

pub(super) fn revive(conn: &Connection, id: i64) -> Done<()> {
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
            let is_first = has_turn(conn, kind, serial)?.is_none();
            join(conn, kind, serial, id, is_first)?;
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
