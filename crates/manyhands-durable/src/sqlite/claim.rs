//! Claiming.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};

use super::engine;
use super::line::{come_back, leave};
use super::rows::{Done, PORTION, later, now, number, ready, whole_seconds};
use crate::store::{Ask, Claimed, Given};
use crate::{JobId, Rate, crash};

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

/// After how many milliseconds a full limit is looked at again.
const FULL_AGAIN: i64 = 100;

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
    let mut is_full = false;
    if let Some(limit) = ask.limit {
        most = most.min(limit.saturating_sub(running(conn, kind)?));
        is_full = most == 0;
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
    } else if is_full {
        // Who ends one here says so; of others nobody hears.
        Some(now.saturating_add(FULL_AGAIN))
    } else if let Some(micros) = not_before {
        Some(micros.saturating_add(999) / 1000)
    } else if released || (jobs.len() == ask.most && ask.most > 0) {
        Some(now)
    } else {
        next_time(conn, kind)?
    };
    let again = again.map(|at| {
        let wait = at.saturating_sub(super::rows::now()).max(0);
        Duration::from_millis(wait.unsigned_abs())
    });
    jobs.shrink_to_fit();
    Ok(Claimed { jobs, again })
}

/// How many jobs of the kind are held, by anybody.
pub(super) fn running(conn: &Connection, kind: &str) -> Done<usize> {
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
pub(super) fn burst(rate: Rate, most: usize) -> usize {
    let interval = rate.interval().as_nanos().max(1);
    let fits = usize::try_from(5_000_000 / interval).unwrap_or(usize::MAX);
    let jobs = rate.jobs.get() as usize;
    let upper = fits.min(most).min(jobs).max(1);
    (1..=upper).rev().find(|it| jobs.is_multiple_of(*it)).unwrap_or(1)
}

pub(super) fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// Moves jobs whose time has come to those that are ready.
pub(super) fn ripen(conn: &Connection, kind: &str, now: i64) -> Done<()> {
    let mut ripen = conn.prepare_cached(
        "UPDATE _honker_live SET queue = ?1
         WHERE id IN (
           SELECT id FROM _honker_live
             INDEXED BY _honker_live_pending_deadline
           WHERE queue = ?2 AND state = 'pending' AND run_at <= ?3
           ORDER BY run_at LIMIT ?4
         ) RETURNING id",
    )?;
    let given = params![ready(kind), later(kind), now, PORTION];
    let ripe = ripen.query_map(given, |row| row.get(0))?;
    let ripe: Vec<i64> = ripe.collect::<Result<_, _>>()?;
    come_back(conn, kind, &ripe)
}

/// Moves the best that are ready to where the engine gives them out.
pub(super) fn feed(conn: &Connection, kind: &str, most: i64) -> Done<()> {
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

/// Jobs of which the last attempt was begun. The engine looks by a clock of
/// its own which of them have no lease any more, and has these.
pub(super) fn exhausted(conn: &Connection, kind: &str) -> Done<Vec<i64>> {
    let mut find = conn.prepare_cached(
        "SELECT id FROM _honker_live
           INDEXED BY _honker_live_processing_deadline
         WHERE queue = ?1 AND state = 'processing'
           AND attempts >= max_attempts",
    )?;
    let ids = find.query_map([kind], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// If the engine has found a job dead for want of attempts: says why, and lets
/// the next of its line go.
pub(super) fn bury_vanished(conn: &Connection, id: i64) -> Done<bool> {
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

pub(super) fn vanished(
    attempts: u32,
    max: u32,
    before: Option<String>,
) -> String {
    let said = format!("its worker vanished, in attempt {attempts} of {max}");
    match before {
        Some(error) => format!("{said}; before that: {error}"),
        None => said,
    }
}

pub(super) fn take(
    conn: &Connection,
    ask: &Wanted,
    most: usize,
) -> Done<Vec<Given>> {
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

pub(super) fn bury(
    conn: &Connection,
    id: i64,
    kind: &str,
    error: &str,
) -> Done<()> {
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
pub(super) fn next_time(conn: &Connection, kind: &str) -> Done<Option<i64>> {
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
