//! What is to be done besides jobs, by every process that works.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use tokio::time::{MissedTickBehavior, interval};

use super::crew::{Crew, Hold};
use super::{connection, told};
use crate::backend::Schedule;
use crate::status::{millis, time_of};
use crate::{Error, cron, watch};

/// How often a pause is looked for, and what is due of a schedule.
const LOOK: Duration = Duration::from_millis(400);

/// Keeps all of it up. Does not return.
pub(super) async fn keep(crew: &Arc<Crew>) {
    let lease = crew.work.lease;
    tokio::join!(
        again(crew, LOOK, look),
        again(crew, lease / 3, sweep),
        again(crew, lease / 3, check),
        again(crew, Duration::from_secs(5), purge),
        again(crew, LOOK, tick),
    );
}

/// Does it every so often. What fails is told, and done again.
async fn again<'a, F>(
    crew: &'a Arc<Crew>,
    every: Duration,
    what: impl Fn(&'a Arc<Crew>) -> F,
) where
    F: Future<Output = Result<(), Error>>,
{
    let mut every = interval(every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = what(crew).await {
            watch::trouble(crew.work.kind, &error);
        }
    }
}

async fn look(crew: &Arc<Crew>) -> Result<(), Error> {
    let client = connection!(crew.db)?;
    let statement = client
        .prepare_cached("select paused from manyhands.kinds where kind = $1")
        .await
        .map_err(told)?;
    let row = client.query_opt(&statement, &[&crew.work.kind]).await;
    let is_paused = match row.map_err(told)? {
        Some(row) => row.try_get(0).map_err(told)?,
        None => false,
    };
    let was = crew.is_paused.swap(is_paused, Ordering::SeqCst);
    if was != is_paused {
        crew.changed.notify_one();
    }
    Ok(())
}

/// Jobs of workers that gave no sign for as long as they said are ready again,
/// at once the first time, and then after a wait that is drawn: so that a job
/// that kills its process does not take the same ones with it each time. One
/// with no attempt left is dead.
///
/// A process that was claiming ahead loses an attempt of what it had not begun
/// too: so little is claimed ahead, and only of jobs that are quick.
async fn sweep(crew: &Arc<Crew>) -> Result<(), Error> {
    const SWEEP: &str = "
        with vanished as (
            select jobs.id, jobs.locked_by, jobs.attempts
            from graphile_worker._private_jobs jobs
            left join graphile_worker._private_workers workers
                on workers.id = jobs.locked_by
            where jobs.task_id = $1 and jobs.locked_by is not null
                and greatest(
                    jobs.locked_at,
                    coalesce(workers.last_heartbeat_at, '-infinity')
                ) < now() - coalesce(
                    (workers.metadata->>'lease_ms')::bigint, $2
                ) * interval '1 millisecond'
            for update of jobs skip locked
        ), changed as (
            update graphile_worker._private_jobs jobs
            set locked_by = null,
                locked_at = null,
                updated_at = now(),
                last_error = 'its worker vanished, in attempt '
                    || jobs.attempts,
                run_at = case
                    when jobs.attempts < 2 then now()
                    else now() + random()
                        * least(60, power(2, jobs.attempts - 1))
                        * interval '1 second'
                end
            from vanished
            where jobs.id = vanished.id
                and jobs.locked_by = vanished.locked_by
                and jobs.attempts = vanished.attempts
            returning jobs.job_queue_id, vanished.locked_by
        ), freed as (
            update graphile_worker._private_job_queues queues
            set locked_by = null, locked_at = null
            from changed
            where queues.id = changed.job_queue_id
                and queues.locked_by = changed.locked_by
        ), told as (
            select pg_notify('jobs:insert', '{\"count\":1}')
            from changed limit 1
        )
        select count(*), (select count(*) from told) from changed";
    // One that comes back says so again. Its lease is in its metadata, so it
    // stays until its jobs are another's.
    const FORGET: &str = "
        delete from graphile_worker._private_workers workers
        where last_heartbeat_at < now() - interval '1 minute'
            - 2 * (metadata->>'lease_ms')::bigint * interval '1 millisecond'
            and metadata->>'kind' = $1
            and not exists (
                select from graphile_worker._private_jobs jobs
                where jobs.task_id = $2 and jobs.locked_by = workers.id
            )";
    let lease = i64::try_from(crew.work.lease.as_millis()).unwrap_or(i64::MAX);
    let client = connection!(crew.db)?;
    let statement = client.prepare_cached(SWEEP).await.map_err(told)?;
    client.query(&statement, &[&crew.task, &lease]).await.map_err(told)?;
    let statement = client.prepare_cached(FORGET).await.map_err(told)?;
    client
        .execute(&statement, &[&crew.work.kind, &crew.task])
        .await
        .map_err(told)?;
    Ok(())
}

/// Which of these are held no more?
pub(super) async fn not_held(
    db: &TokioPostgresDatabase,
    holds: &[Hold],
) -> Result<Vec<Hold>, Error> {
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = holds.iter().map(|it| it.id).collect();
    let attempts: Vec<_> = holds.iter().map(|it| it.attempt).collect();
    let workers: Vec<_> = holds.iter().map(|it| it.worker.as_str()).collect();
    let client = connection!(db)?;
    let statement = client
        .prepare_cached(
            "select jobs.id from graphile_worker._private_jobs jobs \
             join unnest($1::bigint[], $2::int[], $3::text[]) \
                 as holds (id, attempt, worker) \
             on jobs.id = holds.id and jobs.attempts = holds.attempt \
                 and jobs.locked_by = holds.worker",
        )
        .await
        .map_err(told)?;
    let rows = client.query(&statement, &[&ids, &attempts, &workers]).await;
    let held: HashSet<i64> = rows
        .map_err(told)?
        .iter()
        .filter_map(|row| row.try_get(0).ok())
        .collect();
    Ok(holds.iter().filter(|it| !held.contains(&it.id)).cloned().collect())
}

/// Compares what is held here with what the server knows: jobs that are
/// another's by now are told so; and claims of which the answer was lost on
/// its way are given back.
async fn check(crew: &Arc<Crew>) -> Result<(), Error> {
    let holds = crew.held();
    let lost = not_held(&crew.db, &holds).await?;
    crew.lost(&lost);
    // No claim is on its way meanwhile. (One that is waits for jobs, and comes
    // after.)
    let Ok(_claiming) = crew.claiming.try_lock() else { return Ok(()) };
    let client = connection!(crew.db)?;
    let statement = client
        .prepare_cached(
            "select id, attempts, locked_by \
             from graphile_worker._private_jobs \
             where task_id = $1 and locked_by = any($2)",
        )
        .await
        .map_err(told)?;
    let rows = client
        .query(&statement, &[&crew.task, &crew.workers()])
        .await
        .map_err(told)?;
    let known: HashSet<i64> = crew.held().iter().map(|it| it.id).collect();
    let mut strays: (Vec<i64>, Vec<i16>, Vec<String>) = Default::default();
    for row in rows {
        let id: i64 = row.try_get(0).map_err(told)?;
        if !known.contains(&id) {
            strays.0.push(id);
            strays.1.push(row.try_get(1).map_err(told)?);
            strays.2.push(row.try_get(2).map_err(told)?);
        }
    }
    if strays.0.is_empty() {
        return Ok(());
    }
    client
        .execute(
            "with changed as ( \
                 update graphile_worker._private_jobs jobs \
                 set locked_by = null, locked_at = null, \
                     attempts = greatest(0, jobs.attempts - 1) \
                 from unnest($1::bigint[], $2::smallint[], $3::text[]) \
                     as strays (id, attempt, worker) \
                 where jobs.id = strays.id \
                     and jobs.attempts = strays.attempt \
                     and jobs.locked_by = strays.worker \
                 returning jobs.job_queue_id, strays.worker \
             ) \
             update graphile_worker._private_job_queues queues \
             set locked_by = null, locked_at = null \
             from changed where queues.id = changed.job_queue_id \
                 and queues.locked_by = changed.worker",
            &[&strays.0, &strays.1, &strays.2],
        )
        .await
        .map_err(told)?;
    Ok(())
}

/// Forgets what has been done for longer than it is kept.
async fn purge(crew: &Arc<Crew>) -> Result<(), Error> {
    const SOME: i64 = 2000;
    const PURGE: &str = "
        with old as (
            select id from manyhands.done
            where kind = $1 and keep_until < now()
            order by keep_until limit $2
            for update skip locked
        ), gone as (
            delete from manyhands.done using old where done.id = old.id
            returning done.id
        ), keyless as (
            delete from manyhands.keys using gone where keys.id = gone.id
        )
        select count(*) from gone";
    let client = connection!(crew.db)?;
    let statement = client.prepare_cached(PURGE).await.map_err(told)?;
    loop {
        let row = client
            .query_one(&statement, &[&crew.work.kind, &SOME])
            .await
            .map_err(told)?;
        let gone: i64 = row.try_get(0).map_err(told)?;
        if gone < SOME {
            return Ok(());
        }
    }
}

/// Makes these the schedules of the kind.
pub(super) async fn set_schedules(
    db: &TokioPostgresDatabase,
    kind: &str,
    schedules: &[Schedule],
) -> Result<(), Error> {
    let mut client = connection!(db)?;
    let transaction = client.transaction().await.map_err(told)?;
    let now = transaction
        .query_one(
            "select floor(extract(epoch from now()) * 1000)::bigint",
            &[],
        )
        .await
        .map_err(told)?;
    let now = time_of(now.try_get(0).map_err(told)?);
    let names: Vec<_> = schedules.iter().map(|it| it.name.as_str()).collect();
    transaction
        .execute(
            "delete from manyhands.schedules \
             where kind = $1 and not name = any($2)",
            &[&kind, &names],
        )
        .await
        .map_err(told)?;
    for it in schedules {
        let next = millis(cron::next_after(&it.cron, now)?);
        let most = i32::try_from(it.job.max_attempts).unwrap_or(1000);
        transaction
            .execute(
                // One that is there keeps its time, which may have passed.
                "insert into manyhands.schedules as known \
                 (kind, name, expression, job, max_attempts, next_at) \
                 values ($1, $2, $3, $4, $5, \
                     to_timestamp($6::bigint / 1000.0)) \
                 on conflict (kind, name) do update set \
                     job = excluded.job, \
                     max_attempts = excluded.max_attempts, \
                     expression = excluded.expression, \
                     next_at = case \
                         when known.expression = excluded.expression \
                         then known.next_at else excluded.next_at end",
                &[&kind, &it.name, &it.cron, &it.job.job, &most, &next],
            )
            .await
            .map_err(told)?;
    }
    transaction.commit().await.map_err(told)
}

/// Submits what is due.
async fn tick(crew: &Arc<Crew>) -> Result<(), Error> {
    const DUE: &str = "
        select name, expression, job, max_attempts,
            floor(extract(epoch from clock_timestamp()) * 1000)::bigint
        from manyhands.schedules
        where kind = $1 and next_at <= now()
        for update skip locked";
    // No transaction is made for what is hardly ever there.
    let mut client = connection!(crew.db)?;
    let statement = client
        .prepare_cached(
            "select from manyhands.schedules \
             where kind = $1 and next_at <= now() limit 1",
        )
        .await
        .map_err(told)?;
    let due = client.query_opt(&statement, &[&crew.work.kind]).await;
    if due.map_err(told)?.is_none() {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(told)?;
    let due = transaction.query(DUE, &[&crew.work.kind]).await;
    for row in due.map_err(told)? {
        let name: String = row.try_get(0).map_err(told)?;
        let expression: String = row.try_get(1).map_err(told)?;
        let job: String = row.try_get(2).map_err(told)?;
        let most: i32 = row.try_get(3).map_err(told)?;
        let now = time_of(row.try_get(4).map_err(told)?);
        let next = millis(cron::next_after(&expression, now)?);
        transaction
            .execute(
                "select manyhands.submit( \
                 $1, $2::text::json, max_attempts => $3)",
                &[&crew.work.kind, &job, &most],
            )
            .await
            .map_err(told)?;
        transaction
            .execute(
                "update manyhands.schedules \
                 set next_at = to_timestamp($3::bigint / 1000.0) \
                 where kind = $1 and name = $2",
                &[&crew.work.kind, &name, &next],
            )
            .await
            .map_err(told)?;
    }
    transaction.commit().await.map_err(told)
}
