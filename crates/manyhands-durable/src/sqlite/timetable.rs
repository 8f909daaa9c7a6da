//! Schedules.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};

use super::Fault;
use super::rows::{Done, Sealed, now, submit};
use crate::cron;
use crate::status::millis;
use crate::store::{NewJob, Schedule};
use crate::submission::Submission;

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

pub(super) fn next_run(expression: &str) -> Done<i64> {
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
