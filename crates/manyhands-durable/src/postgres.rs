//! PostgreSQL, by the engine graphile_worker.
//!
//! A job may be stored in a transaction of the caller's own, so that it is
//! there if, and only if, what else the transaction wrote is: with
//! [`submit_in`], or from any language by the function
//! `manyhands.submit(kind, job, …)` in the database itself.
//!
//! # How it is made
//!
//! The engine's own worker claims, is woken, polls, and gives signs of life.
//! What it sends to the server goes through the [seam], which says how much is
//! claimed, and keeps back the engine's unfenced completions: what came of an
//! attempt is [written here](settle), with what tells that the job is still
//! held. The engine is named in this file and in the seam's.

mod crew;
mod inspect;
mod seam;
mod settle;
mod upkeep;

use std::fmt;
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use graphile_worker::WorkerOptions;
use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{
    UnboundedReceiver, UnboundedSender, unbounded_channel,
};
/// The driver, for [`submit_in`].
pub use tokio_postgres;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::backend::{Backend, NewJob, Then, Work, Working};
use crate::status::millis;
use crate::submission::When;
use crate::{DurableJob, Error, JobId, Submission, check, crash};

/// What this version needs of its schema.
const SCHEMA: i32 = 1;

/// Connections for those who submit and look.
const CONNECTIONS: usize = 8;

/// Connections of the workers: these must not wait for those.
const WORKERS_CONNECTIONS: usize = 6;

/// A database with jobs in it.
pub(crate) struct Postgres {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    db: TokioPostgresDatabase,
    config: tokio_postgres::Config,
    singles: UnboundedSender<Single>,
}

/// A job that is submitted by itself.
type Single = (NewJob, Then<Vec<JobId>>);

impl Postgres {
    /// Connects, and makes the tables that are not there.
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|_| {
                // The driver's own words may show a part of it.
                Error::Invalid(
                    "not an address of PostgreSQL: it is \
                     postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                        .into(),
                )
            })?;
        if config.get_application_name().is_none() {
            config.application_name("manyhands");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        // A server that vanished without a word is noticed.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("manyhands-pg")
            .enable_all()
            .build()
            .map_err(|error| Error::Store(format!("no thread: {error}")))?;
        let db = {
            let _entered = runtime.enter();
            pool(&config, CONNECTIONS)?
        };
        let (singles, asked) = unbounded_channel();
        runtime.spawn(submit_singles(db.clone(), asked));
        let this = Self { runtime: Some(runtime), db, config, singles };
        this.wait(prepare(this.db.clone()))?;
        Ok(this)
    }

    /// Runs `task` on the runtime, and waits for it: on any thread but the
    /// runtime's own, also inside of somebody's async code.
    fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = mpsc::sync_channel(1);
        self.spawn(async move {
            let _ = tell.send(task.await);
        });
        told.recv().unwrap_or_else(|_| Err(ended()))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped by async code, which must not block.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Backend for Postgres {
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        let jobs = match <[NewJob; 1]>::try_from(jobs) {
            Ok([job]) => {
                // It is there for as long as the runtime.
                let _ = self.singles.send((job, then));
                return;
            }
            Err(jobs) => jobs,
        };
        let db = self.db.clone();
        self.spawn(async move { then(submit(&db, jobs).await) });
    }

    fn work(&self, work: Work) -> Result<Box<dyn Working>, Error> {
        let Some(runtime) = &self.runtime else { return Err(ended()) };
        let db = pool(&self.config, WORKERS_CONNECTIONS)?;
        let kind = work.kind;
        let schedules = work.schedules.clone();
        let task = {
            let db = db.clone();
            self.wait(async move {
                let task = task_id(&db, kind).await?;
                upkeep::set_schedules(&db, kind, &schedules).await?;
                Ok(task)
            })?
        };
        crew::start(runtime.handle(), db, task, work)
    }
}

fn pool(
    config: &tokio_postgres::Config,
    size: usize,
) -> Result<TokioPostgresDatabase, Error> {
    TokioPostgresDatabase::from_config(config.clone(), size)
        .map_err(|error| Error::Store(error.to_string()))
}

/// The engine's tables, and then those beside them.
async fn prepare(db: TokioPostgresDatabase) -> Result<(), Error> {
    let mut client = connection!(db)?;
    // Its own connection's lock: the engine migrates over another.
    client
        .batch_execute("select pg_advisory_lock(7812045223145)")
        .await
        .map_err(told)?;
    let made = async {
        let engine = WorkerOptions::default()
            .listen_os_shutdown_signals(false)
            .database(db.clone());
        engine.init().await.map_err(|error| {
            Error::Store(format!("the engine's tables: {error}"))
        })?;
        let there = client
            .query_opt(
                "select obj_description(oid, 'pg_namespace') \
                 from pg_namespace where nspname = 'manyhands'",
                &[],
            )
            .await
            .map_err(told)?;
        let there: Option<String> = there.and_then(|row| row.get(0));
        let there = there
            .and_then(|it| it.strip_prefix("schema ")?.parse::<i32>().ok());
        match there {
            Some(there) if there == SCHEMA => return Ok(()),
            Some(there) if there > SCHEMA => {
                return Err(Error::Store(format!(
                    "schema 'manyhands' is of version {there}, and this \
                     program knows {SCHEMA}"
                )));
            }
            _ => {}
        }
        let making = client.transaction().await.map_err(told)?;
        making
            .batch_execute(include_str!("postgres/schema.sql"))
            .await
            .map_err(told)?;
        let version =
            format!("comment on schema manyhands is 'schema {SCHEMA}'");
        making.batch_execute(&version).await.map_err(told)?;
        making.commit().await.map_err(told)
    }
    .await;
    // The lock ends with the connection too.
    let unlocked =
        client.batch_execute("select pg_advisory_unlock(7812045223145)").await;
    made.and(unlocked.map_err(told))
}

/// The engine's number for the kind.
async fn task_id(
    db: &TokioPostgresDatabase,
    kind: &str,
) -> Result<i32, Error> {
    let client = connection!(db)?;
    client
        .execute(
            "insert into graphile_worker._private_tasks (identifier) \
             select $1 where not exists (select from \
             graphile_worker._private_tasks where identifier = $1) \
             on conflict do nothing",
            &[&kind],
        )
        .await
        .map_err(told)?;
    let row = client
        .query_one(
            "select id from graphile_worker._private_tasks \
             where identifier = $1",
            &[&kind],
        )
        .await
        .map_err(told)?;
    row.try_get(0).map_err(told)
}

const SUBMIT: &str = "select manyhands.submit($1, $2::text::json, $3, $4, \
    $5, coalesce(to_timestamp($6::bigint / 1000.0), now()), \
    $7::bigint * interval '1 millisecond', $8, $9)";

const SUBMIT_MANY: &str =
    "select manyhands.submit_many($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Stores a job in a transaction of the caller's: it is there once that is
/// committed, and never if it is not. So a job and what it is about are there
/// together.
///
/// ```no_run
/// # use manyhands_durable::{Attempt, DurableJob, Failure};
/// # use serde::{Deserialize, Serialize};
/// use manyhands_durable::Submission;
/// use manyhands_durable::postgres::{submit_in, tokio_postgres};
///
/// #[derive(Serialize, Deserialize)]
/// struct SendEmail {
///     to: String,
/// }
/// # impl DurableJob for SendEmail {
/// #     const KIND: &'static str = "send-email";
/// #     type Output = ();
/// #     fn run(self, _: &Attempt) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
///
/// async fn sign_up(
///     client: &mut tokio_postgres::Client,
///     to: &str,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let transaction = client.transaction().await?;
///     transaction
///         .execute("insert into customers (mail) values ($1)", &[&to])
///         .await?;
///     let job = SendEmail { to: to.into() };
///     submit_in(&transaction, &job, Submission::new()).await?;
///     transaction.commit().await?;
///     Ok(())
/// }
/// ```
///
/// The database is one that a [`JobQueue`](crate::JobQueue) has been opened
/// on. Without this driver, the same is
/// `select manyhands.submit('send-email', '{"to": "ada@example.org"}')`.
///
/// # Errors
///
/// [`Error::Invalid`] for what is not allowed; [`Error::Store`] if the server
/// refuses. The transaction is then to be rolled back.
pub async fn submit_in<J: DurableJob>(
    transaction: &tokio_postgres::Transaction<'_>,
    job: &J,
    how: Submission,
) -> Result<JobId, Error> {
    let new = check::new_job(job, how)?;
    let asked = Asked::new(&new);
    let row = transaction.query_one(SUBMIT, &asked.params()).await;
    // Whatever happened to it, nothing is committed.
    let id = row.and_then(|row| row.try_get(0));
    id.map(JobId::new).map_err(|error| Error::Store(words(&error)))
}

/// A job, as its parameters.
struct Asked<'a> {
    new: &'a NewJob,
    priority: i32,
    run_at: Option<i64>,
    delay: Option<i64>,
    max_attempts: i32,
}

impl<'a> Asked<'a> {
    fn new(new: &'a NewJob) -> Self {
        let (run_at, delay) = match new.how.when {
            When::Now => (None, None),
            When::At(time) => (Some(millis(time).min(LATEST)), None),
            When::After(delay) => (None, Some(in_millis(delay))),
        };
        Self {
            new,
            priority: i32::from(new.how.priority),
            run_at,
            delay,
            max_attempts: i32::try_from(new.max_attempts).unwrap_or(1000),
        }
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 9] {
        [
            &self.new.kind,
            &self.new.job,
            &self.new.how.key,
            &self.new.how.serial,
            &self.priority,
            &self.run_at,
            &self.delay,
            &self.max_attempts,
            &self.new.how.trace_parent,
        ]
    }
}

/// The year 9999, in milliseconds since 1970: later times are that.
const LATEST: i64 = 253_370_764_800_000;

/// A wait, of a thousand years at most.
fn in_millis(time: Duration) -> i64 {
    const MOST: i64 = 1000 * 365 * 24 * 3600 * 1000;
    i64::try_from(time.as_millis()).map_or(MOST, |it| it.min(MOST))
}

async fn submit(
    db: &TokioPostgresDatabase,
    jobs: Vec<NewJob>,
) -> Result<Vec<JobId>, Error> {
    let one_kind = jobs.windows(2).all(|two| match two {
        [a, b] => a.kind == b.kind,
        _ => true,
    });
    if !one_kind {
        return Err(Error::Invalid("jobs of several kinds".into()));
    }
    let Some(first) = jobs.first() else { return Ok(Vec::new()) };
    let client = connection!(db)?;
    // The statement is a transaction by itself, but where a test has the
    // process die before the commit.
    let in_two = cfg!(feature = "crash-points");
    if in_two {
        client.batch_execute("begin").await.map_err(told)?;
    }
    let stored: Result<Vec<i64>, _> = if jobs.len() == 1 {
        let asked = Asked::new(first);
        let statement = client.prepare_cached(SUBMIT).await.map_err(told)?;
        let row = client.query_one(&statement, &asked.params()).await;
        row.and_then(|row| Ok(vec![row.try_get(0)?]))
    } else {
        let many = Many::new(&jobs);
        let statement =
            client.prepare_cached(SUBMIT_MANY).await.map_err(told)?;
        let params = many.params(&first.kind);
        let row = client.query_one(&statement, &params).await;
        row.and_then(|row| row.try_get(0))
    };
    if in_two {
        crash::point("before-enqueue-commit");
        let end = if stored.is_ok() { "commit" } else { "rollback" };
        client.batch_execute(end).await.map_err(unsure)?;
    }
    let ids = stored.map_err(unsure)?;
    crash::point("after-enqueue-before-ack");
    Ok(ids.into_iter().map(JobId::new).collect())
}

/// Those that are submitted one by one, while others are being stored, are
/// stored together: commits that wake workers are done one after the other, by
/// the server, and each waits for its disk.
async fn submit_singles(
    db: TokioPostgresDatabase,
    mut asked: UnboundedReceiver<Single>,
) {
    const MOST: usize = 256;
    let mut batch = Vec::new();
    while asked.recv_many(&mut batch, MOST).await > 0 {
        let (jobs, thens): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let is_one = jobs.len() == 1;
        match submit(&db, jobs.clone()).await {
            Ok(ids) => {
                for (id, then) in ids.into_iter().zip(thens) {
                    then(Ok(vec![id]));
                }
            }
            // One of them may be why, and none is stored.
            Err(Error::Store(_) | Error::Invalid(_)) if !is_one => {
                for (job, then) in jobs.into_iter().zip(thens) {
                    then(submit(&db, vec![job]).await);
                }
            }
            Err(error) => {
                for then in thens {
                    then(Err(error.clone()));
                }
            }
        }
    }
}

/// Jobs of one kind, as arrays.
#[derive(Default)]
struct Many<'a> {
    jobs: Vec<&'a str>,
    keys: Vec<Option<&'a str>>,
    serials: Vec<Option<&'a str>>,
    priorities: Vec<i32>,
    run_ats: Vec<Option<i64>>,
    delays: Vec<Option<i64>>,
    max_attempts: Vec<i32>,
    traces: Vec<Option<&'a str>>,
}

impl<'a> Many<'a> {
    fn new(jobs: &'a [NewJob]) -> Self {
        let mut many = Self::default();
        for new in jobs {
            let asked = Asked::new(new);
            many.jobs.push(&new.job);
            many.keys.push(new.how.key.as_deref());
            many.serials.push(new.how.serial.as_deref());
            many.priorities.push(asked.priority);
            many.run_ats.push(asked.run_at);
            many.delays.push(asked.delay);
            many.max_attempts.push(asked.max_attempts);
            many.traces.push(new.how.trace_parent.as_deref());
        }
        many
    }

    fn params<'b>(&'b self, kind: &'b String) -> [&'b (dyn ToSql + Sync); 9] {
        [
            kind,
            &self.jobs,
            &self.keys,
            &self.serials,
            &self.priorities,
            &self.run_ats,
            &self.delays,
            &self.max_attempts,
            &self.traces,
        ]
    }
}

/// A connection of `$db`'s pool. (Its type is of a crate that only the engine
/// names.)
macro_rules! connection {
    ($db:expr) => {
        $db.pool().get().await.map_err(|error| {
            $crate::Error::Store($crate::postgres::chain(&error))
        })
    };
}
use connection;

/// An error where nothing can have been changed.
fn told(error: tokio_postgres::Error) -> Error {
    Error::Store(words(&error))
}

/// An error of a statement that changes something, and was sent.
fn unsure(error: tokio_postgres::Error) -> Error {
    if is_refusal(&error) {
        return Error::Store(words(&error));
    }
    Error::Unknown(words(&error))
}

/// True if the server said no, and so did nothing.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else { return false };
    // As it goes away, it says so to whoever waits, whatever it did before.
    let goes = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
    ];
    // Class 08 is the connection's.
    !goes.contains(code) && !code.code().starts_with("08")
}

/// What the server said, without what it was said of: details may show data.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => {
            format!("{} ({})", error.message(), error.code().code())
        }
        None => chain(error),
    }
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn ended() -> Error {
    Error::Unknown("the store has ended".into())
}
