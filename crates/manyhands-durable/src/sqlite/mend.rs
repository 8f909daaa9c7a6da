//! Setting right what went wrong.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::claim::{bury_vanished, exhausted};
use super::engine;
use super::line::{has_turn, join, leave};
use super::look::{distinct, text};
use super::rows::{Done, as_millis, forget_key, kind_of, now, number, place};
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

/// One that is done or dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Final {
    pub(super) id: i64,
    is_done: bool,
}

/// Since when those that match are done or dead, at least.
pub(super) fn before(filter: &Filter) -> i64 {
    let age = filter.older_than;
    age.map_or(i64::MAX, |age| now().saturating_sub(as_millis(age)))
}

/// Those that match, in order of id.
pub(super) fn finals(
    conn: &Connection,
    filter: &Filter,
    states: &[State],
    before: i64,
) -> Done<Vec<Final>> {
    let is = |state| {
        states.contains(&state)
            && filter.state.is_none_or(|wanted| wanted == state)
    };
    let after = filter.after.map_or(i64::MIN, JobId::get);
    let kind = filter.kind.as_deref();
    let places = [
        (State::Done, "manyhands_done", "finished_at <= ?2", "kind"),
        (State::Dead, "_honker_dead", "died_at <= ?2 / 1000", "queue"),
    ];
    let ids = filter.ids.as_ref().map(|ids| {
        let ids: BTreeSet<i64> = ids.iter().map(|id| id.get()).collect();
        ids
    });
    let mut found = Vec::new();
    for (state, table, is_old, column) in places {
        if !is(state) {
            continue;
        }
        let is_kind = match kind {
            Some(_) => format!("{column} = ?3"),
            None => "?3 IS NULL".into(),
        };
        let mut find = |which: &str, id: i64, most: usize| -> Done<usize> {
            let mut find = conn.prepare_cached(&format!(
                "SELECT id FROM {table}
                 WHERE id {which} ?1 AND {is_old} AND {is_kind}
                 ORDER BY id LIMIT ?4"
            ))?;
            let given = params![id, before, kind, number(most)];
            let ids = find.query_map(given, |row| row.get(0))?;
            let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
            let is_done = state == State::Done;
            found.extend(ids.iter().map(|&id| Final { id, is_done }));
            Ok(ids.len())
        };
        match &ids {
            Some(ids) => {
                let mut left = filter.limit;
                for &id in ids.iter().filter(|id| **id > after) {
                    if left == 0 {
                        break;
                    }
                    left -= find("=", id, 1)?;
                }
            }
            None => {
                find(">", after, filter.limit)?;
            }
        }
    }
    found.sort_unstable();
    found.truncate(filter.limit);
    Ok(found)
}

/// What is done to one that was found, if it still is what it was then, and
/// since before a time. False if not.
pub(super) type Mend = fn(&Connection, Final, i64) -> Done<bool>;

/// Drives a dead letter again.
pub(super) fn revive(
    conn: &Connection,
    Final { id, .. }: Final,
    before: i64,
) -> Done<bool> {
    let mut find = conn.prepare_cached(
        "SELECT queue, payload, last_error AS error FROM _honker_dead
         WHERE id = ?1 AND died_at <= ?2 / 1000",
    )?;
    let found = find.query_row([id, before], |row| {
        let error: Option<String> = row.get(2)?;
        Ok((row.get::<_, String>(0)?, text(row, "payload")?, error))
    });
    let Some((queue, stored, error)) = found.optional()? else {
        return Ok(false);
    };
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
    Ok(true)
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

/// Forgets it, with its key.
pub(super) fn forget(
    conn: &Connection,
    Final { id, is_done }: Final,
    before: i64,
) -> Done<bool> {
    let sql = if is_done {
        "DELETE FROM manyhands_done WHERE id = ?1 AND finished_at <= ?2"
    } else {
        "DELETE FROM _honker_dead WHERE id = ?1 AND died_at <= ?2 / 1000"
    };
    let was_there = conn.prepare_cached(sql)?.execute([id, before])? == 1;
    if was_there {
        forget_key(conn, id)?;
    }
    Ok(was_there)
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
