//! What the adapter rests on in the engine and in SQLite.

use super::*;
use rusqlite::types::FromSql;
use rusqlite::{Params, params};

fn ask_engine<T: FromSql>(
    conn: &Connection,
    sql: &str,
    given: impl Params,
) -> T {
    conn.query_row(sql, given, |row| row.get(0)).unwrap()
}

fn enqueue(conn: &Connection, max_attempts: i64) -> i64 {
    let sql = "SELECT honker_enqueue('q', '1', NULL, NULL, 0, ?1, NULL)";
    ask_engine(conn, sql, [max_attempts])
}

fn claim(conn: &Connection, token: &str, lease: i64) -> String {
    let sql = "SELECT honker_claim_batch('q', ?1, 8, ?2)";
    ask_engine(conn, sql, params![token, lease])
}

fn ack(conn: &Connection, id: i64, token: &str) -> bool {
    ask_engine(conn, "SELECT honker_ack(?1, ?2)", params![id, token])
}

#[test]
fn the_engine_refuses_who_does_not_hold_the_job() {
    let at = Place::new();
    let conn = at.conn();
    let id = enqueue(&conn, 9);
    claim(&conn, "a", 30);
    assert!(!ack(&conn, id, "b"), "another's token");
    let beat = "SELECT honker_heartbeat(?1, ?2, 0)";
    assert!(!ask_engine::<bool>(&conn, beat, params![id, "b"]));
    assert!(ask_engine::<bool>(&conn, beat, params![id, "a"]));
    until("the lease's end", || {
        ask_engine(
            &conn,
            "SELECT claim_expires_at < unixepoch() FROM _honker_live",
            [],
        )
    });
    assert!(!ask_engine::<bool>(&conn, beat, params![id, "a"]), "too late");
    assert!(!ack(&conn, id, "a"), "too late");
    for sql in [
        "SELECT honker_retry(?1, ?2, 0, 'x')",
        "SELECT honker_fail(?1, ?2, 'x')",
    ] {
        assert!(!ask_engine::<bool>(&conn, sql, params![id, "a"]));
    }
    assert_ne!(claim(&conn, "b", 30), "[]");
    assert!(!ack(&conn, id, "a"), "another has it");
    assert!(ack(&conn, id, "b"));
}

#[test]
fn the_engine_gives_no_id_twice() {
    let at = Place::new();
    let conn = at.conn();
    let mut last = 0;
    for _ in 0..5 {
        let id = enqueue(&conn, 1);
        assert!(id > last);
        last = id;
        claim(&conn, "a", 30);
        assert!(ack(&conn, id, "a"));
        // Also not after all were there.
        conn.execute_batch("VACUUM").unwrap();
    }
}

#[test]
fn the_engine_buries_what_has_no_attempt_left() {
    let at = Place::new();
    let conn = at.conn();
    let id = enqueue(&conn, 1);
    assert_ne!(claim(&conn, "a", 0), "[]");
    until("its death", || {
        assert_eq!(claim(&conn, "b", 30), "[]");
        let dead = "SELECT count(*) FROM _honker_dead WHERE id = ?1
                    AND attempts = 1";
        ask_engine(&conn, dead, [id])
    });
}

/// What the engine's claim does to the rows, in its words.
const PICK: &str = "SELECT id FROM _honker_live
    WHERE queue = 'k' AND state IN ('pending', 'processing')
      AND attempts < max_attempts
      AND (expires_at IS NULL OR expires_at > unixepoch())
      AND ((state = 'pending' AND run_at <= unixepoch())
        OR (state = 'processing' AND claim_expires_at < unixepoch()))
    ORDER BY priority DESC, run_at ASC, id ASC LIMIT 8";
const BURY: &str = "DELETE FROM _honker_live
    WHERE queue = 'k' AND attempts >= max_attempts
      AND (expires_at IS NULL OR expires_at > unixepoch())
      AND ((state = 'pending' AND run_at <= unixepoch())
        OR (state = 'processing' AND claim_expires_at < unixepoch()))";

/// With or without statistics, no statement of a claim looks at rows of other
/// queues, or sorts. In its own queue there are only those that run.
#[test]
fn a_claim_goes_by_indexes() {
    let at = Place::new();
    let conn = at.conn();
    let plan = |sql: &str| {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let mut plan = conn.prepare(&sql).unwrap();
        let lines = plan.query_map([], |row| row.get::<_, String>(3));
        let lines = lines.unwrap().map(Result::unwrap);
        lines.collect::<Vec<_>>().join("\n")
    };
    for is_analysed in [false, true] {
        if is_analysed {
            let jobs = (0..5000).map(|_| job("k", "1", Submission::new()));
            at.put_all(jobs.collect()).unwrap();
            conn.execute_batch("ANALYZE").unwrap();
        }
        let pick = plan(PICK);
        assert!(pick.contains("_honker_live_claim (queue=?)"), "{pick}");
        assert!(!pick.contains("B-TREE"), "{pick}");
        let bury = plan(BURY);
        assert!(!bury.contains("SCAN"), "{bury}");
        assert!(bury.contains("(queue=?"), "{bury}");
    }
    assert_eq!(at.take(8).len(), 8);
    let seen: i64 = ask_engine(
        &conn,
        "SELECT count(*) FROM _honker_live WHERE queue = 'k'",
        [],
    );
    assert_eq!(seen, 8, "the engine looks at no more than it gave out");
}
