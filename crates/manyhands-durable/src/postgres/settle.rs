//! What came of attempts, and signs of life: for who still holds the job.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use graphile_worker_queries::worker_heartbeat::registration::worker_heartbeat;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Fence, Shared, connection, in_millis, told, unsure};
use crate::store::{Hold, Settled, Settlement};
use crate::{Error, crash};

/// What is done goes from the engine's table to ours, what failed is freed.
const SETTLE: &str = include_str!("settle.sql");

/// What is kept too long: some of it at a time.
const PURGE: &str = "with gone as ( \
        delete from manyhands.done where id in ( \
            select id from manyhands.done where keep_until < now() \
            order by keep_until limit $1 for update skip locked \
        ) returning id, key \
    ) delete from manyhands.keys taken using gone \
    where gone.key is not null and taken.id = gone.id";

/// What is to be written, as arrays.
#[derive(Default)]
struct Rows {
    ids: Vec<i64>,
    attempts: Vec<i32>,
    locked_ats: Vec<SystemTime>,
    whats: Vec<i16>,
    said: Vec<Option<String>>,
    times: Vec<i64>,
}

impl Rows {
    fn push(&mut self, id: i64, fence: Fence, what: Settlement) {
        let (what, said, time) = match what {
            Settlement::Done { output, retention } => (0, output, retention),
            Settlement::Retry { error, delay } => (1, Some(error), delay),
            Settlement::Dead { error } => (2, Some(error), Duration::ZERO),
            Settlement::GiveBack => (3, None, Duration::ZERO),
        };
        self.ids.push(id);
        self.attempts.push(fence.attempts);
        self.locked_ats.push(fence.locked_at);
        self.whats.push(what);
        self.said.push(said);
        self.times.push(in_millis(time));
    }
}

pub(super) async fn settle(
    shared: &Shared,
    settled: Vec<Settled>,
) -> Result<Vec<bool>, Error> {
    let holds: Vec<Hold> = settled.iter().map(|it| it.hold.clone()).collect();
    let mut rows = Rows::default();
    {
        let fences = shared.fences();
        for Settled { hold, what } in settled {
            // What is not known here is held no more.
            if let Some(fence) = fences.get(&hold) {
                rows.push(hold.id.get(), *fence, what);
            }
        }
    }
    let held = if rows.ids.is_empty() {
        HashSet::new()
    } else {
        write(shared, &rows).await?
    };
    let mut fences = shared.fences();
    let answers = holds.iter().map(|hold| {
        let fence = fences.remove(hold);
        fence.is_some_and(|fence| held.contains(&(hold.id.get(), fence)))
    });
    let answers = answers.collect();
    drop(fences);
    // The next of a serial word may be ready, or what was given back.
    shared.bell.ring();
    Ok(answers)
}

/// Which of them were written: of a job that was lost and claimed again, one
/// of its two.
async fn write(
    shared: &Shared,
    rows: &Rows,
) -> Result<HashSet<(i64, Fence)>, Error> {
    let mut client = connection(&shared.db).await?;
    let params: [&(dyn ToSql + Sync); 7] = [
        &shared.worker,
        &rows.ids,
        &rows.attempts,
        &rows.locked_ats,
        &rows.whats,
        &rows.said,
        &rows.times,
    ];
    let found = if crash::is_armed() {
        // So that there is something to be seen before the commit.
        let transaction = client.transaction().await.map_err(told)?;
        let found = transaction.query(SETTLE, &params).await;
        let found = found.map_err(told)?;
        if rows.whats.contains(&1) {
            crash::point("during-nack");
        }
        if rows.whats.contains(&2) {
            crash::point("during-dead-letter");
        }
        transaction.commit().await.map_err(unsure)?;
        found
    } else {
        let statement = client.prepare_cached(SETTLE).await.map_err(told)?;
        client.query(&statement, &params).await.map_err(unsure)?
    };
    // Now and then, and then more than has been done since. What is not purged
    // now is the next time.
    if fastrand::u32(..64) == 0 {
        let most = i64::try_from(rows.ids.len()).unwrap_or(i64::MAX / 128);
        let most = 2000.max(most.saturating_mul(128));
        let _ = client.execute(PURGE, &[&most]).await;
    }
    client.keep();
    still_held(&found)
}

fn still_held(rows: &[Row]) -> Result<HashSet<(i64, Fence)>, Error> {
    let held = |row: &Row| -> Result<_, tokio_postgres::Error> {
        let (attempts, locked_at) = (row.try_get(1)?, row.try_get(2)?);
        Ok((row.try_get(0)?, Fence { attempts, locked_at }))
    };
    let held: Result<_, _> = rows.iter().map(held).collect();
    Ok(held.map_err(told)?)
}

/// A sign of life, and then a look at which are still held: who takes a job
/// for abandoned has then seen the sign, or is seen.
pub(super) async fn extend(
    shared: &Shared,
    holds: Vec<Hold>,
    lease: Duration,
) -> Result<Vec<bool>, Error> {
    let known: HashMap<Hold, Fence> = {
        let fences = shared.fences();
        let known = holds.iter().filter_map(|hold| {
            fences.get(hold).map(|fence| (hold.clone(), *fence))
        });
        known.collect()
    };
    let client = connection(&shared.db).await?;
    let lease = serde_json::json!({ "lease_ms": in_millis(lease) });
    worker_heartbeat(&*client, "graphile_worker", &shared.worker, Some(lease))
        .await
        .map_err(|error| Error::Store(error.to_string()))?;
    crash::point("during-heartbeat");
    let mut rows = Rows::default();
    for (hold, fence) in &known {
        rows.push(hold.id.get(), *fence, Settlement::GiveBack);
    }
    let statement = client
        .prepare_cached(
            "select j.id, j.attempts, j.locked_at \
             from graphile_worker._private_jobs j \
             join unnest($2::bigint[], $3::int[], $4::timestamptz[]) \
             as u (id, attempts, locked_at) \
             on j.id = u.id and j.attempts = u.attempts \
             and j.locked_at = u.locked_at where j.locked_by = $1",
        )
        .await
        .map_err(told)?;
    let found = client
        .query(
            &statement,
            &[&shared.worker, &rows.ids, &rows.attempts, &rows.locked_ats],
        )
        .await
        .map_err(told)?;
    client.keep();
    let found = still_held(&found)?;
    let mut fences = shared.fences();
    let mut is_held = |hold: &Hold| {
        let fence = known.get(hold)?;
        let is_held = found.contains(&(hold.id.get(), *fence));
        if !is_held {
            fences.remove(hold);
        }
        Some(is_held)
    };
    Ok(holds.iter().map(|it| is_held(it).unwrap_or(false)).collect())
}
