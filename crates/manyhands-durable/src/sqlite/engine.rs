//! The engine, honker: nothing else in the crate knows it.
//!
//! It is a set of SQL functions, and runs in the transaction of whoever calls
//! them. Its clock is SQLite's `unixepoch`, in whole seconds: a claim ends
//! with the second in which it expires.

use rusqlite::{Connection, Params, params};
use serde::Deserialize;

use super::Fault;

/// What the engine keeps of a job that is not acknowledged: columns that are
/// read directly.
pub(super) const COLUMNS: &str = "id, queue, payload, state, priority, \
    run_at, worker_id, claim_expires_at, attempts, max_attempts, created_at";

/// The functions, for this connection.
pub(super) fn attach(conn: &Connection) -> rusqlite::Result<()> {
    let mut there = conn.prepare(
        "SELECT 1 FROM pragma_function_list WHERE name = 'honker_enqueue'",
    )?;
    if there.exists([])? {
        return Ok(());
    }
    honker_core::attach_honker_functions(conn)
}

/// The engine's tables, made where they are absent.
pub(super) fn bootstrap(conn: &Connection) -> Result<(), Fault> {
    honker_core::bootstrap_honker_schema(conn)
        .map_err(|error| Fault::Told(error.to_string()))
}

/// Asks the engine. A full disk can end the transaction under it, and some of
/// its functions then say only that the job was not there.
fn ask<T: rusqlite::types::FromSql>(
    conn: &Connection,
    sql: &str,
    given: impl Params,
) -> Result<T, Fault> {
    let answer = conn.prepare_cached(sql)?.query_row(given, |row| row.get(0));
    if conn.is_autocommit() {
        let why = answer.err().map(|error| error.to_string());
        return Err(Fault::Told(why.unwrap_or_else(|| {
            "the transaction was ended by the system".into()
        })));
    }
    Ok(answer?)
}

pub(super) fn enqueue(
    conn: &Connection,
    queue: &str,
    payload: &str,
    run_at: i64,
    priority: i16,
    max_attempts: u32,
) -> Result<i64, Fault> {
    ask(
        conn,
        "SELECT honker_enqueue(?1, ?2, ?3, NULL, ?4, ?5, NULL)",
        params![queue, payload, run_at, priority, max_attempts],
    )
}

/// A job as the engine gives it.
#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    pub(super) id: i64,
    pub(super) payload: String,
    pub(super) attempts: u32,
}

/// Claims up to `most` jobs, in no order; and moves those that have no attempt
/// left to the dead, also when `most` is 0.
pub(super) fn claim(
    conn: &Connection,
    queue: &str,
    token: &str,
    most: i64,
    lease: i64,
) -> Result<Vec<Taken>, Fault> {
    let taken: String = ask(
        conn,
        "SELECT honker_claim_batch(?1, ?2, ?3, ?4)",
        params![queue, token, most, lease],
    )?;
    serde_json::from_str(&taken)
        .map_err(|error| Fault::Told(error.to_string()))
}

pub(super) fn ack(
    conn: &Connection,
    id: i64,
    token: &str,
) -> Result<bool, Fault> {
    ask(conn, "SELECT honker_ack(?1, ?2)", params![id, token])
}

/// Ready at once, or dead if no attempt is left.
pub(super) fn retry(
    conn: &Connection,
    id: i64,
    token: &str,
    error: &str,
) -> Result<bool, Fault> {
    let sql = "SELECT honker_retry(?1, ?2, 0, ?3)";
    ask(conn, sql, params![id, token, error])
}

pub(super) fn fail(
    conn: &Connection,
    id: i64,
    token: &str,
    error: &str,
) -> Result<bool, Fault> {
    ask(conn, "SELECT honker_fail(?1, ?2, ?3)", params![id, token, error])
}

pub(super) fn heartbeat(
    conn: &Connection,
    id: i64,
    token: &str,
    lease: i64,
) -> Result<bool, Fault> {
    let sql = "SELECT honker_heartbeat(?1, ?2, ?3)";
    ask(conn, sql, params![id, token, lease])
}

/// Whoever holds it or not: for jobs that nobody holds.
pub(super) fn cancel(conn: &Connection, id: i64) -> Result<bool, Fault> {
    ask(conn, "SELECT honker_cancel(?1)", params![id])
}

#[cfg(test)]
mod tests;
