//! What the engine's worker says to the server goes through here.
//!
//! The engine asks for a driver, and this is one: the engine's own, which
//! - asks for as many jobs as there are threads for, by the engine's claim;
//! - reads what is stored as it was written, and leaves it out of what the
//!   engine reads, which would take numbers apart, and shows it in its log;
//! - notices when a sign of life arrives, and when jobs are given back;
//! - keeps back completions: the engine deletes a job by its id, whoever holds
//!   it by then. What came of an attempt has been written already.
//!
//! Statements are known by their words, so this goes with one version of the
//! engine, and tests of its own say if that changed.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Instant;

use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use graphile_worker::{
    BoxFuture, DatabaseDriver, DbError, DbExecutor, DbParams, DbRow,
    DbTransaction, DbValue, NotificationStream,
};

use super::crew::Crew;
use crate::crash;

pub(super) struct Seam {
    db: TokioPostgresDatabase,
    /// It holds the engine's worker, which holds this.
    crew: Weak<Crew>,
}

impl Seam {
    pub(super) fn new(crew: &Arc<Crew>) -> Self {
        Self { db: crew.db.clone(), crew: Arc::downgrade(crew) }
    }

    fn crew(&self) -> Result<Arc<Crew>, DbError> {
        self.crew.upgrade().ok_or_else(|| DbError::new("it is stopped"))
    }
}

/// What a statement of the engine's is for.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Claim,
    Heartbeat,
    Complete,
    GiveBack,
    Other,
}

fn meaning(sql: &str) -> Meaning {
    if sql.contains("_private_return_jobs") {
        return Meaning::GiveBack;
    }
    if sql.contains("worker_heartbeat") {
        return Meaning::Heartbeat;
    }
    if sql.contains("_private_jobs") {
        if sql.contains("skip locked") {
            return Meaning::Claim;
        }
        if sql.contains("delete from") {
            return Meaning::Complete;
        }
    }
    Meaning::Other
}

/// The engine's claim, but of one kind, so that an index serves it, and with
/// what is stored as text, beside what the engine takes it for.
pub(super) fn claim_of(sql: &str) -> Option<String> {
    const TASKS: &str = "task_id = any($2::int[])";
    const ALL: &str = "returning *";
    const COLUMNS: &str = "returning jobs.id, jobs.job_queue_id, \
        jobs.task_id, jobs.priority, jobs.run_at, jobs.attempts, \
        jobs.max_attempts, jobs.created_at, jobs.updated_at, \
        jobs.locked_at, jobs.locked_by, jobs.revision, \
        jobs.payload::text as stored";
    if !sql.contains(TASKS)
        || !sql.contains(ALL)
        || !sql.contains("limit $3::int")
    {
        return None;
    }
    let sql = sql.replace(TASKS, "task_id = $2::int");
    Some(sql.replace(ALL, COLUMNS))
}

impl DbExecutor for Seam {
    fn execute<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        match meaning(sql) {
            Meaning::Complete => Box::pin(async { Ok(0) }),
            Meaning::Heartbeat => Box::pin(async move {
                let crew = self.crew()?;
                crash::point("during-heartbeat");
                // What the server hears counts from then on at the earliest.
                let at = Instant::now();
                let params = crew.introduced(params);
                let done = self.db.execute(sql, params).await?;
                crew.heard(at);
                Ok(done)
            }),
            Meaning::GiveBack => Box::pin(async move {
                let ids = match params.values().get(1) {
                    Some(DbValue::I64Array(ids)) => ids.clone(),
                    _ => Vec::new(),
                };
                let done = self.db.execute(sql, params).await?;
                if let Some(crew) = self.crew.upgrade() {
                    crew.returned(&ids);
                }
                Ok(done)
            }),
            Meaning::Claim | Meaning::Other => self.db.execute(sql, params),
        }
    }

    fn fetch_all<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        if meaning(sql) != Meaning::Claim {
            return self.db.fetch_all(sql, params);
        }
        Box::pin(async move {
            let crew = self.crew()?;
            let sql = claim_of(sql)
                .ok_or_else(|| DbError::new("not the engine's claim"))?;
            let Some(DbValue::Text(worker)) = params.values().first() else {
                return Err(DbError::new("not the engine's claim"));
            };
            crew.claim(&sql, worker).await
        })
    }
}

impl DatabaseDriver for Seam {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn begin<'a>(&'a self) -> BoxFuture<'a, Result<DbTransaction, DbError>> {
        self.db.begin()
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
    ) -> BoxFuture<'a, Result<Option<NotificationStream>, DbError>> {
        self.db.listen(channel)
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seam").finish_non_exhaustive()
    }
}
