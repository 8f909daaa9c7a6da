//! Lines of jobs with one serial word.
//!
//! One of a line has its turn, from then until it ends or fails. One that
//! failed is away until it is time for its next attempt, and then the next of
//! the line.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{Done, now, parked, place, set_place};

pub(super) const WAITS: i64 = 0;
pub(super) const HAS_TURN: i64 = 1;
pub(super) const IS_AWAY: i64 = 2;

/// Who has its turn?
pub(super) fn has_turn(
    conn: &Connection,
    kind: &str,
    serial: &str,
) -> Done<Option<i64>> {
    let mut find = conn.prepare_cached(
        "SELECT id FROM manyhands_serial
         WHERE kind = ?1 AND serial = ?2 AND turn = ?3",
    )?;
    let first =
        find.query_row(params![kind, serial, HAS_TURN], |row| row.get(0));
    Ok(first.optional()?)
}

pub(super) fn join(
    conn: &Connection,
    kind: &str,
    serial: &str,
    id: i64,
    is_first: bool,
) -> Done<()> {
    let turn = if is_first { HAS_TURN } else { WAITS };
    let mut join = conn.prepare_cached(
        "INSERT INTO manyhands_serial (kind, serial, turn, id)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    join.execute(params![kind, serial, turn, id])?;
    Ok(())
}

pub(super) fn set_turn(conn: &Connection, id: i64, turn: i64) -> Done<()> {
    let mut set = conn.prepare_cached(
        "UPDATE manyhands_serial SET turn = ?2 WHERE id = ?1",
    )?;
    set.execute(params![id, turn])?;
    Ok(())
}

/// Takes an unfinished job out of what is kept for those. True if another may
/// be claimed now.
pub(super) fn leave(conn: &Connection, id: i64) -> Done<bool> {
    let mut forget =
        conn.prepare_cached("DELETE FROM manyhands_errors WHERE id = ?1")?;
    forget.execute([id])?;
    let mut leave = conn.prepare_cached(
        "DELETE FROM manyhands_serial WHERE id = ?1
         RETURNING kind, serial, turn",
    )?;
    let line = leave.query_row([id], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?))
    });
    match line.optional()? {
        Some((kind, serial, HAS_TURN)) => pass_turn(conn, &kind, &serial),
        _ => Ok(false),
    }
}

/// A job of a line failed: until it comes again, others have their turn.
/// False if it is of no line.
pub(super) fn step_aside(conn: &Connection, id: i64) -> Done<bool> {
    let mut step = conn.prepare_cached(
        "UPDATE manyhands_serial SET turn = ?2 WHERE id = ?1
         RETURNING kind, serial",
    )?;
    let line = step.query_row(params![id, IS_AWAY], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let Some((kind, serial)) = line.optional()? else { return Ok(false) };
    pass_turn(conn, &kind, &serial)?;
    Ok(true)
}

/// Nobody of the line has its turn: the next does, if one waits.
pub(super) fn pass_turn(
    conn: &Connection,
    kind: &str,
    serial: &str,
) -> Done<bool> {
    let mut find = conn.prepare_cached(
        "SELECT s.id, l.run_at FROM manyhands_serial s
         JOIN _honker_live l ON l.id = s.id
         WHERE s.kind = ?1 AND s.serial = ?2 AND s.turn = ?3
         ORDER BY s.place LIMIT 1",
    )?;
    let next = find
        .query_row(params![kind, serial, WAITS], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((next, due)) = next else { return Ok(false) };
    set_turn(conn, next, HAS_TURN)?;
    set_place(conn, next, &place(kind, true, due, now()), due)?;
    Ok(true)
}

/// One of those that are away, by its id: however many they are.
pub(super) const AWAY: &str = "SELECT s.place, s.id, s.serial, l.run_at
    FROM manyhands_serial s JOIN _honker_live l ON l.id = s.id
    WHERE s.id = ?1 AND s.turn = ?2";

/// Of those that have just become ready, some come back into their line.
pub(super) fn come_back(
    conn: &Connection,
    kind: &str,
    ripe: &[i64],
) -> Done<()> {
    let mut find = conn.prepare_cached(AWAY)?;
    let mut back = Vec::new();
    for id in ripe {
        let found = find.query_row(params![id, IS_AWAY], |row| {
            let place: i64 = row.get(0)?;
            Ok((place, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?))
        });
        back.extend(found.optional()?);
    }
    back.sort_unstable();
    for (_, id, serial, due) in back {
        if has_turn(conn, kind, &serial)?.is_none() {
            set_turn(conn, id, HAS_TURN)?;
        } else {
            set_turn(conn, id, WAITS)?;
            set_place(conn, id, &parked(kind), due)?;
        }
    }
    Ok(())
}
