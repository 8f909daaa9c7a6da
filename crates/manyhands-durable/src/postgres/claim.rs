//! Claims, by the engine's query.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{Client, Transaction};
use graphile_worker_database::{
    BoxFuture, DbError, DbExecutorArg, DbParams, DbRow, DbValue,
};
use graphile_worker_queries::batch_get_jobs::batch_get_jobs;
use graphile_worker_queries::task_identifiers::{
    TaskDetails, get_tasks_details,
};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{IsolationLevel, Row};

use super::{Connection, Fence, Shared, connection, told, unsure, words};
use crate::store::{Ask, Claimed, Given, Hold};
use crate::{Error, JobId, Rate};

/// How many priorities the database looks for at a time: `manyhands.levels`.
const LEVELS: usize = 64;

/// What is known from claim to claim. They are one at a time.
#[derive(Default)]
pub(super) struct Claiming {
    kinds: HashMap<String, Kind>,
}

struct Kind {
    /// The engine's number for it.
    task: TaskDetails,
    swept_at: Instant,
    /// Up to which serial words were looked at.
    pruned: i32,
    front: Front,
    /// The last claim was not answered: it may have taken jobs that nobody
    /// knows of.
    is_unsure: bool,
}

/// Where the last claim found all that it wanted. What was there before is
/// claimed, but for what was given back or committed late since, and the index
/// keeps its entries until the next vacuum: of a backlog of a million, a
/// million. So a claim begins there, if another has looked at all a moment ago.
#[derive(Clone, Copy)]
struct Front {
    /// A priority, and when the first that was claimed of it was to run.
    found: Option<(i16, SystemTime)>,
    looked_at: Instant,
}

impl Front {
    /// For how long what is before it may be overlooked.
    const HOLDS: Duration = Duration::from_millis(100);

    fn new() -> Self {
        Self { found: None, looked_at: Instant::now() }
    }

    /// What is known of it, if not all is to be looked at now.
    fn known(&mut self) -> Option<(i16, SystemTime)> {
        let is_fresh = self.looked_at.elapsed() < Self::HOLDS;
        let found = self.found.take().filter(|_| is_fresh);
        if found.is_none() {
            self.looked_at = Instant::now();
        }
        found
    }
}

/// An [`Ask`] that can be sent to another thread.
pub(super) struct Asked {
    kind: String,
    token: String,
    most: usize,
    lease: Duration,
    limit: Option<NonZeroUsize>,
    rate: Option<Rate>,
}

impl Asked {
    pub(super) fn new(ask: Ask<'_>) -> Self {
        Self {
            kind: ask.kind.to_owned(),
            token: ask.token.to_owned(),
            most: ask.most,
            lease: ask.lease,
            limit: ask.limit,
            rate: ask.rate,
        }
    }

    fn lease_ms(&self) -> i64 {
        super::in_millis(self.lease)
    }
}

pub(super) async fn claim(
    shared: &Shared,
    ask: Asked,
) -> Result<Claimed, Error> {
    let mut claiming = shared.claiming.lock().await;
    let mut client = connection(&shared.db).await?;
    let every = ask.lease / 3;
    let is_due = claiming
        .kinds
        .get(&ask.kind)
        .is_none_or(|kind| kind.is_unsure || kind.swept_at.elapsed() >= every);
    if is_due {
        let pruned = claiming.kinds.get(&ask.kind).map_or(0, |it| it.pruned);
        let kind = sweep(shared, &client, &ask, pruned).await?;
        claiming.kinds.insert(ask.kind.clone(), kind);
    }
    let Some(kind) = claiming.kinds.get_mut(&ask.kind) else {
        return Ok(Claimed::default());
    };
    // Also if this future is dropped on the way.
    kind.is_unsure = true;
    let claimed = take(shared, &mut client, &ask, kind).await?;
    kind.is_unsure = false;
    client.keep();
    let sweep = every.saturating_sub(kind.swept_at.elapsed());
    let again = claimed.again.map_or(sweep, |again| again.min(sweep));
    Ok(Claimed { again: Some(again), ..claimed })
}

/// Looks for jobs whose worker vanished, and that the engine still knows the
/// kind.
async fn sweep(
    shared: &Shared,
    client: &Client,
    ask: &Asked,
    pruned: i32,
) -> Result<Kind, Error> {
    let swept_at = Instant::now();
    let task =
        get_tasks_details(client, "graphile_worker", vec![ask.kind.clone()]);
    let task = task.await.map_err(|error| Error::Store(error.to_string()))?;
    let Some(&id) = task.task_ids().first() else {
        return Err(Error::Store("the engine has no such kind".into()));
    };
    let held: Vec<i64> =
        shared.fences().keys().map(|hold| hold.id.get()).collect();
    let statement = client
        .prepare_cached("select manyhands.sweep($1, $2, $3)")
        .await
        .map_err(told)?;
    client
        .query_one(&statement, &[&id, &shared.worker, &held])
        .await
        .map_err(told)?;
    let pruned = prune(client, pruned).await?;
    let front = Front::new();
    Ok(Kind { task, swept_at, pruned, front, is_unsure: false })
}

/// Removes serial words that have no jobs: some at a time, and more as long as
/// most of them have none. Up to which?
async fn prune(client: &Client, mut pruned: i32) -> Result<i32, Error> {
    const WORDS: i32 = 2000;
    let statement = client
        .prepare_cached("select after, removed from manyhands.prune($1, $2)")
        .await
        .map_err(told)?;
    for _ in 0..16 {
        let row = client.query_one(&statement, &[&WORDS, &pruned]).await;
        let row = row.map_err(told)?;
        pruned = row.try_get(0).map_err(told)?;
        let removed: i32 = row.try_get(1).map_err(told)?;
        if removed < WORDS / 2 || pruned == 0 {
            break;
        }
    }
    Ok(pruned)
}

async fn take(
    shared: &Shared,
    client: &mut Connection,
    ask: &Asked,
    Kind { task, front, .. }: &mut Kind,
) -> Result<Claimed, Error> {
    let known = front.known();
    let (known_priority, since) = known.unzip();
    // Whatever a database has as its default: who waited for another's claim
    // is to see what it took.
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await
        .map_err(told)?;
    let gate = transaction
        .prepare_cached(
            "select granted, again_us, due \
             from manyhands.gate($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .await
        .map_err(told)?;
    let limit =
        ask.limit.map(|it| i32::try_from(it.get()).unwrap_or(i32::MAX));
    let interval = ask.rate.map(|rate| {
        i64::try_from(rate.interval().as_micros()).unwrap_or(i64::MAX)
    });
    let most = i32::try_from(ask.most).unwrap_or(i32::MAX);
    let row = transaction
        .query_one(
            &gate,
            &[
                &ask.kind,
                &task.task_ids().first(),
                &shared.worker,
                &ask.lease_ms(),
                &most,
                &limit,
                &interval,
                &known_priority.map(i32::from),
                &since,
            ],
        )
        .await
        .map_err(told)?;
    let granted: i32 = row.try_get(0).map_err(told)?;
    let again: Option<i64> = row.try_get(1).map_err(told)?;
    let due: Vec<i16> = row.try_get(2).map_err(told)?;
    let mut due = VecDeque::from(due);
    let mut is_more = due.len() == LEVELS;
    let mut jobs = Vec::new();
    while let Some(priority) = due.pop_front() {
        let left = granted - i32::try_from(jobs.len()).unwrap_or(granted);
        if left <= 0 {
            break;
        }
        if due.is_empty() && is_more {
            // All before may stand behind others of their serial words.
            let more = transaction
                .prepare_cached("select due from manyhands.levels($1, $2)")
                .await
                .map_err(told)?;
            let above = i32::from(priority);
            let row = transaction
                .query_one(&more, &[&task.task_ids().first(), &above])
                .await
                .map_err(told)?;
            due.extend(row.try_get::<_, Vec<i16>>(0).map_err(told)?);
            is_more = due.len() == LEVELS;
        }
        let mut seam = Seam {
            transaction: &transaction,
            priority,
            since: since.filter(|_| known_priority == Some(priority)),
            rows: Vec::new(),
        };
        batch_get_jobs(
            &mut seam,
            task,
            "graphile_worker",
            &shared.worker,
            &[],
            left,
            None,
        )
        .await
        .map_err(|error| Error::Store(error.to_string()))?;
        let level = seam.rows.iter().map(Taken::read);
        let mut level = level.collect::<Result<Vec<_>, _>>().map_err(told)?;
        // The engine gives them in no order.
        level.sort_by_key(|taken| (taken.run_at, taken.given.id));
        if i32::try_from(level.len()) == Ok(left) {
            front.found = level.first().map(|it| (priority, it.run_at));
        }
        jobs.extend(level);
    }
    if let Some(interval) = interval
        && !jobs.is_empty()
    {
        transaction
            .execute(
                "update manyhands.kinds set next_start = clock_timestamp() \
                 + $2::bigint * interval '1 microsecond' where kind = $1",
                &[&ask.kind, &interval],
            )
            .await
            .map_err(told)?;
    }
    transaction.commit().await.map_err(unsure)?;
    let mut fences = shared.fences();
    let jobs = jobs.into_iter().map(|taken| {
        let hold = Hold { id: taken.given.id, token: ask.token.clone() };
        fences.insert(hold, taken.fence);
        taken.given
    });
    let jobs: Vec<_> = jobs.collect();
    let mut again =
        again.map(|us| Duration::from_micros(us.max(0).unsigned_abs()));
    let is_short = jobs.len() < granted as usize;
    if ask.rate.is_none() && !jobs.is_empty() && is_short {
        // Rows of one serial word were looked at where one could be had.
        again = Some(Duration::ZERO);
    }
    if known.is_some() && (is_short || granted == 0) {
        // There may be more before the front, at which the next looks.
        again = Some(Duration::ZERO);
    }
    Ok(Claimed { jobs, again })
}

/// A row of the engine's.
struct Taken {
    given: Given,
    fence: Fence,
    run_at: SystemTime,
}

impl Taken {
    fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let attempts: i16 = row.try_get("attempts")?;
        let most: i16 = row.try_get("max_attempts")?;
        let Json(stored) = row.try_get("payload")?;
        Ok(Self {
            given: Given {
                id: JobId::new(row.try_get("id")?),
                attempt: u32::from(attempts.unsigned_abs()),
                max_attempts: u32::from(most.unsigned_abs()),
                stored,
            },
            fence: Fence {
                attempts: i32::from(attempts),
                locked_at: row.try_get("locked_at")?,
            },
            run_at: row.try_get("run_at")?,
        })
    }
}

/// JSON as it is written.
pub(super) struct Json(pub(super) String);

impl<'a> FromSql<'a> for Json {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::JSON
    }
}

/// Through which the engine's query goes to the server: prepared, and made
/// narrower, so that an index says what is next.
struct Seam<'a> {
    transaction: &'a Transaction<'a>,
    priority: i16,
    /// Jobs that were to run earlier are left.
    since: Option<SystemTime>,
    /// What was claimed. The engine is told of none: it would read their
    /// payloads, and forget how they were written.
    rows: Vec<Row>,
}

impl DbExecutorArg for &mut Seam<'_> {
    fn execute<'a>(
        &'a mut self,
        _: &'a str,
        _: DbParams,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(async { Err(DbError::new("not a claim")) })
    }

    fn fetch_all<'a>(
        &'a mut self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(async move {
            let [
                DbValue::Text(worker),
                DbValue::I32Array(tasks),
                DbValue::I32(most),
            ] = params.values()
            else {
                return Err(DbError::new("not the claim that is known"));
            };
            let sql = narrow(sql)
                .ok_or_else(|| DbError::new("not the claim that is known"))?;
            let error = |error| DbError::new(words(&error));
            let statement =
                self.transaction.prepare_cached(&sql).await.map_err(error)?;
            let params: [&(dyn ToSql + Sync); 5] =
                [worker, tasks, most, &self.priority, &self.since];
            let rows = self.transaction.query(&statement, &params).await;
            self.rows = rows.map_err(error)?;
            Ok(Vec::new())
        })
    }
}

/// The engine's query for one kind and one priority; and of a serial word only
/// what is next. `None` if it is not as it was.
fn narrow(sql: &str) -> Option<String> {
    const KINDS: &str = "task_id = any($2::int[])";
    const QUEUES: &str = "where job_queues.is_available = true";
    const ORDER: &str = "order by priority asc, run_at asc";
    if [KINDS, QUEUES, ORDER].iter().any(|it| sql.matches(it).count() != 1) {
        return None;
    }
    // Kinds are asked for as a set, of one, and are first in the order: of all
    // indexes only ours has it, so the planner takes that one, whatever it
    // knows of the others. Bounds as pairs would do that too, but a scan does
    // not end at the second of a pair.
    let sql = sql.replace(ORDER, "order by jobs.task_id asc, jobs.run_at asc");
    // Of a serial word that is long, all but the next are passed over: with as
    // little work for each as can be, and from the last to the first, since
    // the index still has those that are done.
    let sql = sql.replace(
        KINDS,
        "jobs.task_id = any($2::int[]) and jobs.priority = $4::smallint \
         and jobs.run_at >= coalesce($5::timestamptz, '-infinity') \
         and (jobs.job_queue_id is null or ( \
             jobs.job_queue_id <> all (array( \
                 select held.job_queue_id \
                 from graphile_worker._private_jobs held \
                 where held.task_id = ($2::int[])[1] \
                     and held.locked_by is not null \
                     and held.job_queue_id is not null \
             )) \
             and (jobs.attempts > 0 or ( \
                 select earlier.id \
                 from graphile_worker._private_jobs earlier \
                 where earlier.job_queue_id = jobs.job_queue_id \
                     and earlier.id < jobs.id and earlier.attempts = 0 \
                 order by earlier.id desc limit 1 \
             ) is null) \
         ))",
    );
    // The engine looks for free queues among all, and locks them all.
    Some(sql.replace(
        QUEUES,
        "where job_queues.is_available = true \
         and job_queues.id = jobs.job_queue_id",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_query_is_the_one_that_is_known() {
        struct Look(Option<String>);
        impl DbExecutorArg for &mut Look {
            fn execute<'a>(
                &'a mut self,
                _: &'a str,
                _: DbParams,
            ) -> BoxFuture<'a, Result<u64, DbError>> {
                Box::pin(async { Ok(0) })
            }

            fn fetch_all<'a>(
                &'a mut self,
                sql: &'a str,
                _: DbParams,
            ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
                self.0 = narrow(sql);
                Box::pin(async { Ok(Vec::new()) })
            }
        }
        let mut look = Look(None);
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().unwrap();
        runtime
            .block_on(batch_get_jobs(
                &mut look,
                &TaskDetails::new(),
                "graphile_worker",
                "w",
                &[],
                1,
                None,
            ))
            .unwrap();
        let sql = look.0.unwrap();
        assert!(sql.contains("skip locked"), "{sql}");
        assert_eq!(narrow(&sql), None);
    }
}
