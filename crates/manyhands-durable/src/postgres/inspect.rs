//! What is kept, for people. Counts and lists read all rows of a kind: they
//! are for a look, not for a loop.

use std::time::Duration;

use graphile_worker::tokio_postgres::TokioPostgresDatabase;

use super::{Postgres, connection, in_millis, told, unsure};
use crate::backend::Inspect;
use crate::envelope::Envelope;
use crate::status::time_of;
use crate::{Counts, Error, Filter, JobId, State, Status};

/// Every job, in the columns of `status_of`; `$1` to `$6` are a filter's.
const JOBS: &str = "
    select * from (
        select jobs.id, tasks.identifier as kind,
            case
                when jobs.locked_at is not null then 'running'
                when jobs.attempts >= jobs.max_attempts then 'dead'
                when jobs.run_at > now() then 'scheduled'
                else 'ready'
            end as state,
            coalesce((jobs.flags->>'attempts')::int, jobs.attempts)
                as attempts,
            jobs.max_attempts::int, -jobs.priority::int as priority,
            jobs.created_at as submitted_at, jobs.run_at,
            case
                when jobs.locked_at is null
                    and jobs.attempts >= jobs.max_attempts
                    then jobs.updated_at
            end as finished_at,
            jobs.last_error, jobs.payload::text as stored,
            null as key, null as serial, null as trace, null as output
        from graphile_worker._private_jobs jobs
        join graphile_worker._private_tasks tasks on tasks.id = jobs.task_id
        where ($1::bigint[] is null or jobs.id = any($1))
            and ($2::text is null or tasks.identifier = $2)
        union all
        select id, kind, 'done', attempts, max_attempts, priority,
            submitted_at, run_at, finished_at, last_error, null,
            key, serial, trace, output
        from manyhands.done
        where ($1::bigint[] is null or id = any($1))
            and ($2::text is null or kind = $2)
    ) all_jobs
    where ($3::text is null or state = $3)
        and ($4::bigint is null
            or finished_at < now() - $4 * interval '1 millisecond')
        and ($5::bigint is null or id > $5)
    order by id
    limit $6";

/// A filter, as parameters.
struct Asked {
    ids: Option<Vec<i64>>,
    kind: Option<String>,
    state: Option<&'static str>,
    older_than: Option<i64>,
    after: Option<i64>,
    limit: i64,
}

impl Asked {
    fn new(filter: &Filter) -> Self {
        let ids = filter.ids.as_ref();
        Self {
            ids: ids.map(|ids| ids.iter().map(|it| it.get()).collect()),
            kind: filter.kind.clone(),
            state: filter.state.map(State::name),
            older_than: filter.older_than.map(in_millis),
            after: filter.after.map(JobId::get),
            limit: i64::try_from(filter.limit).unwrap_or(i64::MAX),
        }
    }
}

async fn list(
    db: &TokioPostgresDatabase,
    asked: &Asked,
) -> Result<Vec<Status>, Error> {
    let millis = "(extract(epoch from";
    let sql = format!(
        "select id, kind, state, attempts, max_attempts, priority, \
         {millis} submitted_at) * 1000)::bigint, \
         {millis} greatest(run_at, '1970-01-01Z')) * 1000)::bigint, \
         {millis} finished_at) * 1000)::bigint, \
         last_error, stored, key, serial, trace, output from ({JOBS}) listed"
    );
    let client = connection!(db)?;
    let statement = client.prepare_cached(&sql).await.map_err(told)?;
    let rows = client
        .query(
            &statement,
            &[
                &asked.ids,
                &asked.kind,
                &asked.state,
                &asked.older_than,
                &asked.after,
                &asked.limit,
            ],
        )
        .await
        .map_err(told)?;
    rows.iter().map(|row| status_of(row).map_err(told)).collect()
}

fn status_of(
    row: &tokio_postgres::Row,
) -> Result<Status, tokio_postgres::Error> {
    let state: String = row.try_get(2)?;
    let state = state.parse().unwrap_or(State::Ready);
    let count = |it: i32| u32::try_from(it).unwrap_or(0);
    let priority: i32 = row.try_get(5)?;
    let finished: Option<i64> = row.try_get(8)?;
    let stored: Option<String> = row.try_get(10)?;
    let mut status = Status {
        id: JobId::new(row.try_get(0)?),
        kind: row.try_get(1)?,
        state,
        attempts: count(row.try_get(3)?),
        max_attempts: count(row.try_get(4)?),
        priority: i16::try_from(priority).unwrap_or(i16::MAX),
        submitted_at: time_of(row.try_get(6)?),
        run_at: time_of(row.try_get(7)?),
        finished_at: finished.map(time_of),
        last_error: row.try_get(9)?,
        key: row.try_get(11)?,
        serial: row.try_get(12)?,
        trace_parent: row.try_get(13)?,
        job: None,
        output: row.try_get(14)?,
    };
    if let Some(stored) = stored {
        status.job = Some(match Envelope::open(&stored) {
            Ok(envelope) => {
                status.key = envelope.key;
                status.serial = envelope.serial;
                status.trace_parent = envelope.trace;
                envelope.job.get().to_owned()
            }
            // Whatever it is, it is to be seen.
            Err(_) => stored,
        });
    }
    Ok(status)
}

async fn counts(db: &TokioPostgresDatabase) -> Result<Vec<Counts>, Error> {
    const COUNTS: &str = "
        with live as (
            select tasks.identifier as kind,
                count(*) filter (where locked_at is null
                    and attempts < max_attempts and run_at > now())
                    as scheduled,
                count(*) filter (where locked_at is null
                    and attempts < max_attempts and run_at <= now()) as ready,
                count(*) filter (where locked_at is not null) as running,
                count(*) filter (where locked_at is null
                    and attempts >= max_attempts) as dead,
                min(run_at) filter (where locked_at is null
                    and attempts < max_attempts and run_at <= now()) as oldest
            from graphile_worker._private_jobs jobs
            join graphile_worker._private_tasks tasks
                on tasks.id = jobs.task_id
            group by tasks.identifier
        ), done as (
            select kind, count(*) as done from manyhands.done group by kind
        )
        select kind, coalesce(paused, false), coalesce(scheduled, 0),
            coalesce(ready, 0), coalesce(running, 0), coalesce(done, 0),
            coalesce(dead, 0), coalesce(greatest(0, extract(
                epoch from now() - oldest) * 1000)::bigint, 0)
        from live
        full join done using (kind)
        full join manyhands.kinds using (kind)
        order by kind collate \"C\"";
    let client = connection!(db)?;
    let rows = client.query(COUNTS, &[]).await.map_err(told)?;
    let read = |row: &tokio_postgres::Row| {
        let count = |at: usize| {
            let count: i64 = row.try_get(at)?;
            Ok::<_, tokio_postgres::Error>(u64::try_from(count).unwrap_or(0))
        };
        Ok(Counts {
            kind: row.try_get(0)?,
            is_paused: row.try_get(1)?,
            scheduled: count(2)?,
            ready: count(3)?,
            running: count(4)?,
            done: count(5)?,
            dead: count(6)?,
            oldest_ready: Duration::from_millis(count(7)?),
        })
    };
    let all: Result<_, tokio_postgres::Error> =
        rows.iter().map(read).collect();
    all.map_err(told)
}

/// Dead letters that match a filter.
const DEAD: &str = "
    select jobs.id from graphile_worker._private_jobs jobs
    join graphile_worker._private_tasks tasks on tasks.id = jobs.task_id
    where jobs.locked_at is null and jobs.attempts >= jobs.max_attempts
        and ($1::bigint[] is null or jobs.id = any($1))
        and ($2::text is null or tasks.identifier = $2)
        and ($3::text is null or $3 = 'dead')
        and ($4::bigint is null
            or jobs.updated_at < now() - $4 * interval '1 millisecond')
        and ($5::bigint is null or jobs.id > $5)
    order by jobs.id limit $6
    for update of jobs skip locked";

async fn retry(
    db: &TokioPostgresDatabase,
    asked: &Asked,
) -> Result<u64, Error> {
    let sql = format!(
        "with dead as ({DEAD}), changed as (
             update graphile_worker._private_jobs jobs
             set attempts = 0, run_at = now(), flags = null,
                 updated_at = now()
             from dead where jobs.id = dead.id
             returning jobs.id
         ), told as (
             select pg_notify('jobs:insert', '{{\"count\":1}}')
             from changed limit 1
         )
         select count(*), (select count(*) from told) from changed"
    );
    change(db, &sql, asked).await
}

async fn purge(
    db: &TokioPostgresDatabase,
    asked: &Asked,
) -> Result<u64, Error> {
    let sql = format!(
        "with old as (
             select id from ({JOBS}) listed where state in ('done', 'dead')
         ), dead as (
             delete from graphile_worker._private_jobs jobs using old
             where jobs.id = old.id and jobs.locked_at is null
                 and jobs.attempts >= jobs.max_attempts
             returning jobs.id
         ), done as (
             delete from manyhands.done using old where done.id = old.id
             returning done.id
         ), gone as (
             select id from dead union all select id from done
         ), keyless as (
             delete from manyhands.keys using gone where keys.id = gone.id
         )
         select count(*) from gone"
    );
    // What is asked for is what is final, and so much of it.
    let sql = sql.replace(
        "where ($3::text is null or state = $3)",
        "where state in ('done', 'dead') and ($3::text is null or state = $3)",
    );
    change(db, &sql, asked).await
}

async fn change(
    db: &TokioPostgresDatabase,
    sql: &str,
    asked: &Asked,
) -> Result<u64, Error> {
    let client = connection!(db)?;
    let row = client
        .query_one(
            sql,
            &[
                &asked.ids,
                &asked.kind,
                &asked.state,
                &asked.older_than,
                &asked.after,
                &asked.limit,
            ],
        )
        .await
        .map_err(unsure)?;
    let count: i64 = row.try_get(0).map_err(told)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Inspect for Postgres {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        let all = self.list(&Filter::new().ids([id]))?;
        Ok(all.into_iter().next())
    }

    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        let (db, asked) = (self.db.clone(), Asked::new(filter));
        self.wait(async move { list(&db, &asked).await })
    }

    fn counts(&self) -> Result<Vec<Counts>, Error> {
        let db = self.db.clone();
        self.wait(async move { counts(&db).await })
    }

    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        let (db, asked) = (self.db.clone(), Asked::new(filter));
        self.wait(async move { retry(&db, &asked).await })
    }

    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        const CANCEL: &str = "
            with gone as (
                delete from graphile_worker._private_jobs
                where id = $1 and locked_at is null
                returning id
            ), keyless as (
                delete from manyhands.keys using gone where keys.id = gone.id
            )
            select count(*) from gone";
        let db = self.db.clone();
        self.wait(async move {
            let client = connection!(db)?;
            let row = client.query_one(CANCEL, &[&id.get()]).await;
            let gone: i64 =
                row.and_then(|row| row.try_get(0)).map_err(unsure)?;
            Ok(gone > 0)
        })
    }

    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        let (db, asked) = (self.db.clone(), Asked::new(filter));
        self.wait(async move { purge(&db, &asked).await })
    }

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        let (db, kind) = (self.db.clone(), kind.to_owned());
        self.wait(async move {
            let client = connection!(db)?;
            client
                .execute(
                    "insert into manyhands.kinds (kind, paused) \
                     values ($1, $2) on conflict (kind) \
                     do update set paused = excluded.paused",
                    &[&kind, &paused],
                )
                .await
                .map_err(unsure)?;
            Ok(())
        })
    }
}
