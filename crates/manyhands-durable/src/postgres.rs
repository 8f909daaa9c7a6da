//! PostgreSQL, by the database half of the engine graphile_worker.
//!
//! A job may be stored in a transaction of the caller's own, so that it is
//! there if, and only if, what else the transaction wrote is: with
//! [`submit_in`], or from any language by the function
//! `manyhands.submit(kind, job, …)` in the database itself:
//!
//! ```sql
//! manyhands.submit(
//!     kind text, job json, key text default null, serial text default null,
//!     priority int default 0, run_at timestamptz default now(),
//!     delay interval default null, max_attempts int default 10,
//!     trace_parent text default null
//! ) returns bigint
//! ```
//!
//! # TLS
//!
//! As `sslmode` in the URL says, which is `prefer` where it says nothing. A
//! server's certificate is always verified, by the authorities that are public
//! and those in the file that the variable `PGSSLROOTCERT` names.
//!
//! | `sslmode` | |
//! |---|---|
//! | `disable` | no TLS |
//! | `prefer` | TLS where the server offers it; a certificate that cannot be verified is an error, but of a server on this machine: it is then asked without TLS |
//! | `require`, `verify-ca`, `verify-full` | TLS, with a certificate for the name of the host, or an error |
//!
//! So `prefer` is stricter than libpq's, which verifies nothing, and `require`
//! is libpq's `verify-full`.
//!
//! # How it is made
//!
//! The engine's are the tables and their migrations, the functions that store
//! jobs, its query that claims them, past those that others are claiming, its
//! named queues, the signs of life of workers, and the notification that a job
//! was stored. So its own tools see these jobs. What came of an attempt is
//! written here, with what tells that the job is still held: the engine's own
//! worker leaves that out.

mod claim;
mod connection;
mod inspect;
mod schedule;
mod settle;
mod wake;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime};

use graphile_worker_database::tokio_postgres::TokioPostgresDatabase;
use graphile_worker_migrations::migrate;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
/// The driver, for [`submit_in`].
pub use tokio_postgres;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::status::millis;
use crate::store::{
    Ask, Claimed, Hold, NewJob, Schedule, Settled, Store, Then,
};
use crate::submission::When;
use crate::{DurableJob, Error, JobId, Submission, check, crash};

use claim::Claiming;
use connection::{Connection, connection};
use wake::Bell;

/// What this version needs of its schema.
const SCHEMA: i32 = 1;

/// Connections, but for the one that listens. Of a process's queue one may
/// claim, one write, one renew, one submit, at once.
const CONNECTIONS: usize = 6;

/// After this long without an answer there is none.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with jobs in it.
pub(crate) struct Postgres {
    threads: Threads,
    shared: Arc<Shared>,
    submits: UnboundedSender<Submit>,
}

/// What the tasks of the runtime share.
struct Shared {
    db: TokioPostgresDatabase,
    /// By which the engine knows this process.
    worker: String,
    claiming: tokio::sync::Mutex<Claiming>,
    /// What was claimed and not settled.
    fences: Mutex<HashMap<Hold, Fence>>,
    bell: Bell,
}

/// What tells a claim of a job from any other, with its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fence {
    attempts: i32,
    locked_at: SystemTime,
}

/// Jobs to be stored, all or none.
struct Submit {
    jobs: Vec<NewJob>,
    then: Then<Vec<JobId>>,
}

impl Postgres {
    /// Connects, and makes the tables that are not there.
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        Self::open(url, true)
    }

    /// Connects to a store that is there.
    pub(crate) fn connect_existing(url: &str) -> Result<Self, Error> {
        Self::open(url, false)
    }

    fn open(url: &str, makes: bool) -> Result<Self, Error> {
        let config = connection::config(url)?;
        let threads = Threads::new()?;
        let db = threads.wait(async move {
            let db = connection::database(config).await?;
            prepare(&db, makes).await?;
            Ok(db)
        })?;
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let shared = Arc::new(Shared {
            db,
            worker: format!(
                "manyhands-{:x}-{:x}-{:x}",
                since.as_nanos(),
                std::process::id(),
                fastrand::u64(..),
            ),
            claiming: tokio::sync::Mutex::default(),
            fences: Mutex::default(),
            bell: Bell::default(),
        });
        let (submits, submitted) = tokio::sync::mpsc::unbounded_channel();
        threads.spawn(submitter(Arc::clone(&shared), submitted));
        threads.spawn(wake::listen(Arc::clone(&shared)));
        Ok(Self { threads, shared, submits })
    }

    fn wait<T, F>(
        &self,
        task: impl FnOnce(Arc<Shared>) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.threads.wait(task(Arc::clone(&self.shared)))
    }
}

/// A runtime of the store's own; `None` while it is dropped.
struct Threads(Option<Runtime>);

impl Threads {
    fn new() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("manyhands-pg")
            .enable_all()
            .build()
            .map_err(|error| Error::Store(format!("no thread: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a task, and waits for it: on any thread but these, also inside of
    /// somebody's async code.
    fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = mpsc::sync_channel(1);
        self.spawn(async move {
            let _ = tell.send(within(PATIENCE, task).await);
        });
        told.recv().unwrap_or_else(|_| Err(ended()))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // It may be dropped by async code, which must not block.
            runtime.shutdown_background();
        }
    }
}

/// No network, however dead, keeps anybody waiting for ever.
async fn within<T>(
    patience: Duration,
    task: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let answer = tokio::time::timeout(patience, task).await;
    answer.unwrap_or_else(|_| {
        Err(Error::Unknown("the server does not answer".into()))
    })
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Shared {
    fn fences(&self) -> MutexGuard<'_, HashMap<Hold, Fence>> {
        self.fences.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Postgres {
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        if let Err(unsent) = self.submits.send(Submit { jobs, then }) {
            (unsent.0.then)(Err(ended()));
        }
    }

    fn claim(&self, ask: Ask<'_>) -> Result<Claimed, Error> {
        let asked = claim::Asked::new(ask);
        self.wait(|shared| async move { claim::claim(&shared, asked).await })
    }

    fn settle(&self, settled: Vec<Settled>) -> Result<Vec<bool>, Error> {
        self.wait(
            |shared| async move { settle::settle(&shared, settled).await },
        )
    }

    fn extend(
        &self,
        holds: &[Hold],
        lease: Duration,
    ) -> Result<Vec<bool>, Error> {
        let holds = holds.to_vec();
        self.wait(|shared| async move {
            settle::extend(&shared, holds, lease).await
        })
    }

    fn schedule(
        &self,
        kind: &str,
        schedules: &[Schedule],
    ) -> Result<(), Error> {
        let (kind, schedules) = (kind.to_owned(), schedules.to_vec());
        self.wait(|shared| async move {
            schedule::set(&shared.db, &kind, &schedules).await
        })
    }

    fn tick(&self, kind: &str) -> Result<Option<Duration>, Error> {
        let kind = kind.to_owned();
        self.wait(
            |shared| async move { schedule::tick(&shared.db, &kind).await },
        )
    }

    fn wait(&self, seen: u64, until: Instant) -> u64 {
        self.shared.bell.wait(seen, until)
    }

    fn wake(&self) {
        self.shared.bell.ring();
    }
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

/// Stores what is submitted: what comes while a transaction runs goes into
/// the next, all in one, since the server can commit only one at a time that
/// notifies, and a commit is a wait for the disk.
async fn submitter(
    shared: Arc<Shared>,
    mut submitted: UnboundedReceiver<Submit>,
) {
    /// Jobs in a transaction, if those of one caller are not more.
    const MOST: usize = 512;
    while let Some(first) = submitted.recv().await {
        let mut jobs = first.jobs.len();
        let mut batch = vec![first];
        while jobs < MOST
            && let Ok(more) = submitted.try_recv()
        {
            jobs += more.jobs.len();
            batch.push(more);
        }
        store(&shared, batch).await;
        shared.bell.ring();
    }
}

async fn store(shared: &Shared, batch: Vec<Submit>) {
    let all: Vec<&NewJob> = batch.iter().flat_map(|it| &it.jobs).collect();
    match submit(&shared.db, &all).await {
        Ok(ids) => {
            crash::point("after-enqueue-before-ack");
            let mut ids = ids.into_iter();
            for Submit { jobs, then } in batch {
                then(Ok(ids.by_ref().take(jobs.len()).collect()));
            }
        }
        // Nothing is stored. If that is for what one of them asked, then not
        // the others.
        Err(Error::Invalid(_)) if batch.len() > 1 => {
            for Submit { jobs, then } in batch {
                let all: Vec<&NewJob> = jobs.iter().collect();
                then(submit(&shared.db, &all).await);
            }
        }
        Err(error) => {
            for Submit { then, .. } in batch {
                then(Err(error.clone()));
            }
        }
    }
}

async fn submit(
    db: &TokioPostgresDatabase,
    jobs: &[&NewJob],
) -> Result<Vec<JobId>, Error> {
    // Many, large and with keys, on a slow machine.
    let each = Duration::from_millis(10);
    let jobs_at_most = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
    let patience = PATIENCE + each.saturating_mul(jobs_at_most);
    within(patience, async {
        let mut conflicts = Conflicts::default();
        loop {
            match try_submit(db, jobs).await {
                Err(Failed { is_conflict: true, .. })
                    if conflicts.pause().await => {}
                answer => break Ok(answer?),
            }
        }
    })
    .await
}

async fn try_submit(
    db: &TokioPostgresDatabase,
    jobs: &[&NewJob],
) -> Result<Vec<JobId>, Failed> {
    let Some(first) = jobs.first() else { return Ok(Vec::new()) };
    if jobs.iter().any(|job| job.kind != first.kind) {
        return Err(Error::Invalid("jobs of several kinds".into()).into());
    }
    let mut client = connection(db).await?;
    let many;
    let asked;
    let one;
    let (sql, params): (_, &[&(dyn ToSql + Sync)]) = if jobs.len() == 1 {
        asked = Asked::new(first);
        one = asked.params();
        (SUBMIT, &one)
    } else {
        many = Many::new(jobs);
        one = many.params(&first.kind);
        (SUBMIT_MANY, &one)
    };
    let row = if crash::is_armed() {
        // A process that is to die before the commit needs one to be seen;
        // otherwise the statement is a transaction by itself.
        let transaction = client.transaction().await.map_err(told)?;
        let row = transaction.query_one(sql, params).await.map_err(unsure)?;
        crash::point("before-enqueue-commit");
        transaction.commit().await.map(|()| row)
    } else {
        let statement = client.prepare_cached(sql).await.map_err(told)?;
        client.query_one(&statement, params).await
    };
    let ids = if jobs.len() == 1 {
        row.and_then(|row| row.try_get(0)).map(|id| vec![id])
    } else {
        row.and_then(|row| row.try_get(0))
    };
    let ids: Vec<i64> = ids.map_err(unsure)?;
    client.keep();
    Ok(ids.into_iter().map(JobId::new).collect())
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
    fn new(jobs: &[&'a NewJob]) -> Self {
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

/// The engine's tables, and then those beside them.
async fn prepare(
    db: &TokioPostgresDatabase,
    makes: bool,
) -> Result<(), Error> {
    let mut client = connection(db).await?;
    if is_there(&client).await? {
        client.keep();
        return Ok(());
    }
    if !makes {
        return Err(Error::Store(
            "no queue is in this database: it has no schema 'manyhands'"
                .into(),
        ));
    }
    // Its own connection's lock: the engine migrates over another.
    client
        .batch_execute("select pg_advisory_lock(7812045223145)")
        .await
        .map_err(told)?;
    let made = async {
        migrate(db.clone(), "graphile_worker").await.map_err(|error| {
            Error::Store(format!("the engine's tables: {error}"))
        })?;
        // Another process may have come first.
        if is_there(&client).await? {
            return Ok(());
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
    made?;
    unlocked.map_err(told)?;
    client.keep();
    Ok(())
}

/// Whether the schema is there, of this form.
async fn is_there(client: &deadpool_postgres::Client) -> Result<bool, Error> {
    let there = client
        .query_opt(
            "select obj_description(oid, 'pg_namespace') \
             from pg_namespace where nspname = 'manyhands'",
            &[],
        )
        .await
        .map_err(told)?;
    let there: Option<String> = there.and_then(|row| row.get(0));
    let there =
        there.and_then(|it| it.strip_prefix("schema ")?.parse::<i32>().ok());
    match there {
        Some(there) if there > SCHEMA => Err(Error::Store(format!(
            "schema 'manyhands' is of version {there}, and this program \
             knows {SCHEMA}"
        ))),
        there => Ok(there == Some(SCHEMA)),
    }
}

/// An error, and whether another transaction came first: then nothing was
/// done, and the same again may be.
struct Failed {
    error: Error,
    is_conflict: bool,
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, is_conflict: false }
    }
}

/// How often the same was asked because another came first.
#[derive(Default)]
struct Conflicts(u32);

impl Conflicts {
    /// Waits, for a time by chance. False if it was often enough.
    async fn pause(&mut self) -> bool {
        const MOST: u32 = 8;
        if self.0 == MOST {
            return false;
        }
        let longest = Duration::from_millis(2 << self.0);
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        self.0 += 1;
        true
    }
}

/// An error where nothing can have been changed.
fn told(error: tokio_postgres::Error) -> Failed {
    let conflicts =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    let is_conflict = error.code().is_some_and(|it| conflicts.contains(it));
    let said = words(&error);
    let error = match is_refusal(&error) && is_for_data(&error) {
        true => Error::Invalid(said),
        false => Error::Store(said),
    };
    Failed { error, is_conflict }
}

/// An error of a statement that changes something, and was sent.
fn unsure(error: tokio_postgres::Error) -> Failed {
    if is_refusal(&error) {
        return told(error);
    }
    Error::Unknown(words(&error)).into()
}

/// True if the server refused what it was given, and will the next time.
fn is_for_data(error: &tokio_postgres::Error) -> bool {
    // Class 22 is wrong data, 23 a broken constraint, 54 something too large.
    let code = error.code().map(SqlState::code);
    code.is_some_and(|code| {
        ["22", "23", "54"].iter().any(|class| code.starts_with(class))
    })
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
