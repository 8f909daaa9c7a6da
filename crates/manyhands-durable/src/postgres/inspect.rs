//! What is kept, for who looks after it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::claim::Json;
use super::{
    Conflicts, Failed, Postgres, Shared, connection, in_millis, told, unsure,
};
use crate::envelope::Envelope;
use crate::store::Inspect;
use crate::{Counts, Error, Filter, JobId, State, Status};

/// A filter, as the parameters of a statement.
#[derive(Clone)]
struct Wanted {
    kind: Option<String>,
    ids: Option<Vec<i64>>,
    age: Option<i64>,
    after: Option<i64>,
    limit: i64,
    state: Option<State>,
}

impl Wanted {
    fn new(filter: &Filter) -> Self {
        let ids = filter.ids.as_ref();
        Self {
            kind: filter.kind.clone(),
            ids: ids.map(|ids| ids.iter().map(|id| id.get()).collect()),
            age: filter.older_than.map(in_millis),
            after: filter.after.map(JobId::get),
            limit: i64::try_from(filter.limit).unwrap_or(i64::MAX),
            state: filter.state,
        }
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 5] {
        [&self.kind, &self.ids, &self.age, &self.after, &self.limit]
    }

    /// Which of the engine's jobs, with `j` for them and `t` for their kinds.
    fn engines(&self) -> String {
        let state = match self.state {
            None => "true",
            Some(State::Scheduled) => "j.is_available and j.run_at > now()",
            Some(State::Ready) => "j.is_available and j.run_at <= now()",
            Some(State::Running) => "j.locked_by is not null",
            Some(State::Dead) => DEAD,
            Some(State::Done) => "false",
        };
        format!(
            "{state} and ($1::text is null or t.identifier = $1) \
             and ($2::bigint[] is null or j.id = any($2)) \
             and ($3::bigint is null or {DEAD} \
                 and j.updated_at <= now() - $3 * interval '1 millisecond') \
             and ($4::bigint is null or j.id > $4)"
        )
    }

    fn done(&self) -> String {
        let state = matches!(self.state, None | Some(State::Done));
        format!(
            "{state} and ($1::text is null or d.kind = $1) \
             and ($2::bigint[] is null or d.id = any($2)) \
             and ($3::bigint is null \
                 or d.finished_at <= now() - $3 * interval '1 millisecond') \
             and ($4::bigint is null or d.id > $4)"
        )
    }
}

const DEAD: &str = "(not j.is_available and j.locked_at is null)";

const ENGINES: &str = "graphile_worker._private_jobs j \
    join graphile_worker._private_tasks t on t.id = j.task_id";

impl Inspect for Postgres {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        let filter = Filter::new().ids([id]);
        let mut found = self.find(&filter)?.pop();
        let is_running = |it: &Status| it.state == State::Running;
        if found.as_ref().is_some_and(is_running) && self.sweep() {
            found = self.find(&filter)?.pop();
        }
        Ok(found)
    }

    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        self.sweep();
        self.find(filter)
    }

    fn counts(&self) -> Result<Vec<Counts>, Error> {
        self.sweep();
        self.count()
    }

    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        self.sweep();
        let wanted = Wanted::new(filter);
        let engines = wanted.engines();
        // Each once: who is second finds them dead no more.
        let sql = format!(
            "with dead as materialized ( \
                 select j.id from {ENGINES} where {engines} and {DEAD} \
                 order by j.id limit $5 for update of j \
             ), again as ( \
                 update graphile_worker._private_jobs j \
                 set attempts = 0, run_at = now(), updated_at = now() \
                 from dead where j.id = dead.id returning j.id \
             ), revived as ( \
                 delete from graphile_worker._private_job_retirements r \
                 using dead where r.id = dead.id \
             ), raised as ( \
                 delete from manyhands.dead d \
                 using dead where d.id = dead.id \
             ) \
             select (select count(*) from again), count(*), max(id), \
                 pg_notify('jobs:insert', ''), manyhands.keep() from dead"
        );
        self.change(sql, wanted)
    }

    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.sweep();
        let wanted = Wanted::new(&Filter::new().ids([id]));
        let sql = "with gone as ( \
                delete from graphile_worker._private_jobs j \
                where j.id = any($2) and j.locked_at is null \
                returning j.id \
            ), buried as ( \
                 delete from manyhands.dead d using gone \
                 where d.id = gone.id \
             ), keys as ( \
                delete from manyhands.keys taken using gone \
                where taken.id = gone.id \
            ) \
            select count(*), 0::bigint, null::bigint, manyhands.keep() \
            from gone where ($1::text, $3::bigint, $4::bigint, $5::bigint) \
                is distinct from (null, null, null, null)";
        Ok(self.change(sql.into(), wanted)? > 0)
    }

    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        self.sweep();
        let wanted = Wanted::new(filter);
        let (engines, done) = (wanted.engines(), wanted.done());
        let sql = format!(
            "with dead_ones as materialized ( \
                 select j.id from {ENGINES} where {engines} and {DEAD} \
                 order by j.id limit $5 for update of j \
             ), done_ones as materialized ( \
                 select d.id from manyhands.done d where {done} \
                 order by d.id limit $5 for update of d \
             ), chosen as materialized ( \
                 select id from dead_ones union all \
                 select id from done_ones order by id limit $5 \
             ), dead as ( \
                 delete from graphile_worker._private_jobs j using chosen \
                 where j.id = chosen.id returning j.id \
             ), done as ( \
                 delete from manyhands.done d using chosen \
                 where d.id = chosen.id returning d.id \
             ), gone as ( \
                 select id from dead union all select id from done \
             ), buried as ( \
                 delete from manyhands.dead d using gone \
                 where d.id = gone.id \
             ), keys as ( \
                 delete from manyhands.keys taken using gone \
                 where taken.id = gone.id \
             ) \
             select (select count(*) from gone), count(*), max(id), \
                 manyhands.keep() from chosen"
        );
        self.change(sql, wanted)
    }

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        let kind = kind.to_owned();
        self.wait(|shared| async move {
            let client = connection(&shared.db).await?;
            client
                .query(
                    "with kept as ( \
                         insert into manyhands.kinds (kind, paused) \
                         values ($1, $2) on conflict (kind) \
                         do update set paused = excluded.paused \
                     ) select pg_notify('jobs:insert', ''), \
                     manyhands.keep()",
                    &[&kind, &paused],
                )
                .await
                .map_err(unsure)?;
            client.keep();
            Ok(())
        })
    }
}

impl Postgres {
    fn find(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        let wanted = Wanted::new(filter);
        let (engines, done) = (wanted.engines(), wanted.done());
        let sql = format!(
            "(select j.id, t.identifier as kind, case \
                 when j.locked_at is not null then 'running' \
                 when not j.is_available then 'dead' \
                 when j.run_at > now() then 'scheduled' \
                 else 'ready' end as state, \
                 case when {DEAD} then coalesce(( \
                     select x.attempts from manyhands.dead x \
                     where x.id = j.id \
                 ), j.attempts) else j.attempts end::int as attempts, \
                 j.max_attempts::int, j.priority::int, \
                 j.created_at as submitted_at, j.run_at, \
                 case when {DEAD} then j.updated_at end as finished_at, \
                 j.last_error, j.payload, null as key, null as serial, \
                 null as trace, null as output \
             from {ENGINES} where {engines} order by j.id limit $5) \
             union all \
             (select d.id, d.kind, 'done', d.attempts, d.max_attempts, \
                 d.priority, d.submitted_at, d.run_at, d.finished_at, \
                 d.last_error, null, d.key, d.serial, d.trace, d.output \
             from manyhands.done d where {done} order by d.id limit $5) \
             order by id limit $5"
        );
        self.wait(|shared| async move {
            let client = connection(&shared.db).await?;
            let rows = client.query(&sql, &wanted.params()).await;
            let rows = rows.map_err(told)?;
            client.keep();
            let found: Result<_, _> = rows.iter().map(status).collect();
            Ok(found.map_err(told)?)
        })
    }

    fn count(&self) -> Result<Vec<Counts>, Error> {
        const SQL: &str = "select kind, coalesce(bool_or(paused), false), \
            sum(scheduled)::bigint, sum(ready)::bigint, \
            sum(running)::bigint, sum(done)::bigint, sum(dead)::bigint, \
            coalesce(max(age), 0)::bigint \
            from ( \
                select t.identifier as kind, null::boolean as paused, \
                count(*) filter (where is_available and run_at > now()) \
                    as scheduled, \
                count(*) filter (where is_available and run_at <= now()) \
                    as ready, \
                count(*) filter (where locked_at is not null) as running, \
                0 as done, \
                count(*) filter \
                    (where not is_available and locked_at is null) as dead, \
                extract(epoch from now() - min(run_at) filter \
                    (where is_available and run_at <= now())) * 1000 as age \
                from graphile_worker._private_tasks t \
                left join graphile_worker._private_jobs j \
                    on t.id = j.task_id group by 1 \
                union all \
                select kind, null, 0, 0, 0, count(*), 0, 0 \
                from manyhands.done group by 1 \
                union all \
                select kind, paused, 0, 0, 0, 0, 0, 0 from manyhands.kinds \
            ) kinds group by kind order by kind collate \"C\"";
        self.wait(|shared| async move {
            let client = connection(&shared.db).await?;
            let rows = client.query(SQL, &[]).await.map_err(told)?;
            client.keep();
            let found: Result<_, _> = rows.iter().map(counts).collect();
            Ok(found.map_err(told)?)
        })
    }

    /// Frees what vanished workers held, of all kinds: of one that nobody works
    /// on now, nobody else would. True if there was such. Who may only read
    /// sees it as it was.
    fn sweep(&self) -> bool {
        let swept = self.wait(|shared| async move {
            let client = connection(&shared.db).await?;
            let row = client.query_one("select manyhands.sweep()", &[]).await;
            let jobs = row.and_then(|row| row.try_get(0)).map_err(told)?;
            client.keep();
            Ok(jobs)
        });
        swept.is_ok_and(|jobs: i64| jobs > 0)
    }

    /// Runs a statement as often as it finds as many jobs as it may, each time
    /// for those after the last. Says how many it changed.
    fn change(&self, sql: String, mut wanted: Wanted) -> Result<u64, Error> {
        let sql = Arc::new(sql);
        let mut left = wanted.limit;
        let mut changed = 0;
        loop {
            wanted.limit = left.min(PORTION);
            let (asked, sql) = (wanted.clone(), Arc::clone(&sql));
            let portion = self.wait(|shared| async move {
                let mut conflicts = Conflicts::default();
                loop {
                    match portion(&shared, &sql, &asked).await {
                        Err(Failed { is_conflict: true, .. })
                            if conflicts.pause().await => {}
                        answer => break Ok(answer?),
                    }
                }
            })?;
            changed += portion.changed;
            left -= portion.found;
            if portion.found < wanted.limit || left == 0 {
                return Ok(changed);
            }
            wanted.after = portion.last;
        }
    }
}

/// Jobs that are changed at a time: the locks of all, and the time it takes,
/// are to stay small.
const PORTION: i64 = 5000;

struct Portion {
    changed: u64,
    found: i64,
    /// The greatest id.
    last: Option<i64>,
}

async fn portion(
    shared: &Shared,
    sql: &str,
    wanted: &Wanted,
) -> Result<Portion, Failed> {
    let client = connection(&shared.db).await?;
    let row = client.query_one(sql, &wanted.params()).await;
    let row = row.map_err(unsure)?;
    client.keep();
    let changed: i64 = row.try_get(0).map_err(told)?;
    Ok(Portion {
        changed: changed.unsigned_abs(),
        found: row.try_get(1).map_err(told)?,
        last: row.try_get(2).map_err(told)?,
    })
}

fn status(row: &Row) -> Result<Status, tokio_postgres::Error> {
    let attempts: i32 = row.try_get("attempts")?;
    let most: i32 = row.try_get("max_attempts")?;
    let priority: i32 = row.try_get("priority")?;
    let state: &str = row.try_get("state")?;
    let stored: Option<Json> = row.try_get("payload")?;
    let mut status = Status {
        id: JobId::new(row.try_get("id")?),
        kind: row.try_get("kind")?,
        state: state.parse().unwrap_or(State::Ready),
        attempts: attempts.unsigned_abs(),
        max_attempts: most.unsigned_abs(),
        priority: i16::try_from(!priority).unwrap_or_default(),
        submitted_at: row.try_get("submitted_at")?,
        run_at: row.try_get::<_, SystemTime>("run_at")?,
        finished_at: row.try_get("finished_at")?,
        last_error: row.try_get("last_error")?,
        key: row.try_get("key")?,
        serial: row.try_get("serial")?,
        trace_parent: row.try_get("trace")?,
        job: None,
        output: row.try_get("output")?,
    };
    if let Some(Json(stored)) = stored
        && let Ok(envelope) = Envelope::open(&stored)
    {
        status.job = Some(envelope.job.get().to_owned());
        status.key = envelope.key;
        status.serial = envelope.serial;
        status.trace_parent = envelope.trace;
    }
    Ok(status)
}

fn counts(row: &Row) -> Result<Counts, tokio_postgres::Error> {
    let count = |column: usize| {
        row.try_get::<_, i64>(column).map(|count| count.max(0).unsigned_abs())
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
}
