//! What the adapter rests on in the engine.

use super::*;

/// How SQLite goes about a statement of the engine's.
fn plan(conn: &Connection, sql: &str) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    let mut plan = conn.prepare(&sql).unwrap();
    let lines = plan.query_map([], |row| row.get::<_, String>(3)).unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

const CLAIM: &str = "UPDATE _honker_live
         SET state = 'processing',
             worker_id = 't',
             claim_expires_at = unixepoch() + 30,
             attempts = attempts + 1
         WHERE id IN (
           SELECT id FROM _honker_live
           WHERE queue = 'k'
             AND state IN ('pending', 'processing')
             AND attempts < max_attempts
             AND (expires_at IS NULL OR expires_at > unixepoch())
             AND ((state = 'pending' AND run_at <= unixepoch())
               OR (state = 'processing' AND claim_expires_at < unixepoch()))
           ORDER BY priority DESC, run_at ASC, id ASC
           LIMIT 8
         )
         RETURNING id, queue, payload, worker_id, attempts, claim_expires_at";

const BURY: &str = "DELETE FROM _honker_live
         WHERE queue = 'k'
           AND attempts >= max_attempts
           AND (expires_at IS NULL OR expires_at > unixepoch())
           AND (
             (state = 'pending' AND run_at <= unixepoch())
             OR (state = 'processing' AND claim_expires_at < unixepoch())
           )
         RETURNING id, queue, payload, priority, run_at, max_attempts,
                   attempts, created_at";

#[test]
fn a_claim_goes_by_indexes() {
    let at = Place::new();
    let conn = at.conn();
    for is_analysed in [false, true] {
        if is_analysed {
            at.put_all(
                (0..5000).map(|_| job("k", "1", Submission::new())).collect(),
            )
            .unwrap();
            conn.execute_batch("ANALYZE").unwrap();
        }
        let claim = plan(&conn, CLAIM);
        println!("CLAIM {claim}");
        let bury = plan(&conn, BURY);
        println!("BURY {bury}");
    }
}
