//! What the engine does by itself, with nothing of this crate around it: a
//! slow job, a restart, failures. It was taken since these hold; a version for
//! which they do not is another engine.

use std::path::Path;

use rusqlite::Connection;

use super::{Fault, Taken};

const QUEUE: &str = "mails";

fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    super::attach(&conn).unwrap();
    super::bootstrap(&conn).unwrap();
    conn
}

/// In a transaction, as it is always asked here.
fn write<T>(
    conn: &Connection,
    ask: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> T {
    let tx = conn.unchecked_transaction().unwrap();
    let answer = ask(&tx).unwrap();
    tx.commit().unwrap();
    answer
}

fn enqueue(conn: &Connection) -> i64 {
    write(conn, |tx| super::enqueue(tx, QUEUE, "{}", 0, 0, 3))
}

/// The attempt of the one job, if `who` got it, for a minute.
fn claim(conn: &Connection, who: &str) -> Option<u32> {
    let taken = write(conn, |tx| super::claim(tx, QUEUE, who, 8, 60));
    assert!(taken.len() <= 1);
    taken.first().map(|it: &Taken| it.attempts)
}

/// A minute goes by, and more.
fn pass(conn: &Connection) {
    let earlier = "UPDATE _honker_live
        SET claim_expires_at = claim_expires_at - 100
        WHERE claim_expires_at IS NOT NULL";
    conn.execute(earlier, []).unwrap();
}

fn in_memory() -> Connection {
    open(Path::new(":memory:"))
}

/// How often it was tried, and its last error.
fn dead(conn: &Connection) -> Vec<(u32, String)> {
    let rows = "SELECT attempts, last_error FROM _honker_dead ORDER BY id";
    let mut rows = conn.prepare(rows).unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_slow_job_is_anothers_after_its_claim_and_the_first_is_refused() {
    let conn = in_memory();
    let id = enqueue(&conn);
    assert_eq!(claim(&conn, "one"), Some(1));
    assert_eq!(claim(&conn, "two"), None);
    pass(&conn);
    assert_eq!(claim(&conn, "two"), Some(2));
    assert!(!write(&conn, |tx| super::heartbeat(tx, id, "one", 60)));
    assert!(!write(&conn, |tx| super::retry(tx, id, "one", "late")));
    assert!(!write(&conn, |tx| super::ack(tx, id, "one")));
    assert!(write(&conn, |tx| super::ack(tx, id, "two")));
}

#[test]
fn a_slow_job_with_signs_of_life_is_nobody_elses() {
    let conn = in_memory();
    let id = enqueue(&conn);
    assert_eq!(claim(&conn, "one"), Some(1));
    for _ in 0..3 {
        // 300 s from now, of which 100 go by.
        assert!(write(&conn, |tx| super::heartbeat(tx, id, "one", 300)));
        pass(&conn);
        assert_eq!(claim(&conn, "two"), None);
    }
    assert!(write(&conn, |tx| super::ack(tx, id, "one")));
}

/// Why each claim here has a name of its own.
#[test]
fn a_name_that_is_used_again_makes_the_old_holder_the_holder() {
    let conn = in_memory();
    let id = enqueue(&conn);
    assert_eq!(claim(&conn, "one"), Some(1));
    pass(&conn);
    assert_eq!(claim(&conn, "one"), Some(2));
    let first_ends = write(&conn, |tx| super::ack(tx, id, "one"));
    assert!(first_ends);
}

#[test]
fn a_restart_keeps_jobs_claims_and_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let conn = open(&path);
    let id = enqueue(&conn);
    assert_eq!(claim(&conn, "one"), Some(1));
    drop(conn);

    let conn = open(&path);
    assert_eq!(claim(&conn, "two"), None);
    pass(&conn);
    assert_eq!(claim(&conn, "two"), Some(2));
    drop(conn);

    let conn = open(&path);
    assert!(write(&conn, |tx| super::ack(tx, id, "two")));
    assert_eq!(claim(&conn, "three"), None);
}

#[test]
fn a_job_that_fails_is_dead_with_its_error_after_its_attempts() {
    let conn = in_memory();
    let id = enqueue(&conn);
    for attempt in 1..=3 {
        let who = format!("claim {attempt}");
        assert_eq!(claim(&conn, &who), Some(attempt));
        assert!(write(&conn, |tx| super::retry(tx, id, &who, "no")));
    }
    assert_eq!(claim(&conn, "one more"), None);
    assert_eq!(dead(&conn), [(3, "no".to_owned())]);
}

/// As one that kills its process each time.
#[test]
fn a_job_that_never_ends_is_dead_after_its_attempts() {
    let conn = in_memory();
    enqueue(&conn);
    for attempt in 1..=3 {
        assert_eq!(claim(&conn, &format!("{attempt}")), Some(attempt));
        pass(&conn);
    }
    assert_eq!(claim(&conn, "one more"), None);
    let dead = dead(&conn);
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].0, 3);
}
