//! What is where.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::claim::{running, vanished};
use super::rows::{Done, as_millis, kind_of, later, now, parked, ready};
use crate::envelope::Envelope;
use crate::status::{millis, time_of};
use crate::{Counts, Filter, JobId, State, Status};

/// A column's text, also where a stranger wrote something else.
pub(super) fn text(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
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
pub(super) fn kept(row: &Row<'_>) -> rusqlite::Result<Status> {
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

pub(super) fn small(priority: i64) -> i16 {
    let least = i64::from(i16::MIN);
    let most = i64::from(i16::MAX);
    i16::try_from(priority.clamp(least, most)).unwrap_or_default()
}

pub(super) const LIVE: &str =
    "SELECT l.id, l.queue, l.payload, l.state, l.priority,
    l.run_at, l.claim_expires_at, l.attempts, l.max_attempts, l.created_at,
    e.error FROM _honker_live l LEFT JOIN manyhands_errors e ON e.id = l.id";

pub(super) fn live(row: &Row<'_>) -> rusqlite::Result<Status> {
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

pub(super) const DEAD: &str =
    "SELECT id, queue, payload, priority, run_at, attempts,
    max_attempts, created_at, died_at, last_error AS error
    FROM _honker_dead";

pub(super) fn dead(row: &Row<'_>) -> rusqlite::Result<Status> {
    let mut status = kept(row)?;
    let died: i64 = row.get("died_at")?;
    status.finished_at = Some(time_of(died.saturating_mul(1000)));
    Ok(status)
}

pub(super) const DONE: &str = "SELECT * FROM manyhands_done";

pub(super) fn done(row: &Row<'_>) -> rusqlite::Result<Status> {
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

pub(super) type Read = fn(&Row<'_>) -> rusqlite::Result<Status>;

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
pub(super) fn is_meant(filter: &Filter, status: &Status, now: i64) -> bool {
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
        None => "AND ?2 IS NULL".into(),
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
    // These are found by kind in order of id.
    let of_kind = |column: &str| match &filter.kind {
        Some(_) => format!("AND {column} = ?2 ORDER BY id"),
        None => "AND ?2 IS NULL ORDER BY id".into(),
    };
    let places: [(bool, &str, &str, String, Read); 3] = [
        (state != Some(State::Done), live_from, "l.id", live_where, live),
        (is(&[State::Done]), DONE, "id", of_kind("kind"), done),
        (is(&[State::Dead]), DEAD, "id", of_kind("queue"), dead),
    ];
    let after = filter.after.map_or(i64::MIN, JobId::get);
    for (is_wanted, from, column, rest, read) in places {
        if !is_wanted {
            continue;
        }
        let sql = format!("{from} WHERE {column} > ?1 {rest}");
        let mut find = conn.prepare_cached(&sql)?;
        let kind = filter.kind.as_deref();
        let queues = [ready, later, parked].map(|of| kind.map(of));
        let given = params![after, kind, queues[0], queues[1], queues[2]];
        let given = &given[..find.parameter_count()];
        let mut rows = find.query(given)?;
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
pub(super) fn distinct(conn: &Connection, sql: &str) -> Done<Vec<String>> {
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
    type Add = fn(&mut Counts, u64);
    let others: [(&str, &str, Add); 2] = [
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
