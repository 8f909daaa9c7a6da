//! What came of attempts is written here: of all that have ended meanwhile in
//! one statement, one statement at a time.
//!
//! A row is changed only if it is held by the same claim still. What the
//! engine does afterwards cannot hit it, also when the same worker has claimed
//! it again: the engine is told that all went well, and what it does then is
//! kept back at the seam.

use std::collections::HashSet;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::crew::{Crew, Hold};
use super::{connection, in_millis, is_refusal, unsure};
use crate::backend::Settlement;
use crate::envelope::Envelope;
use crate::{Error, crash, watch};

/// How long a stop waits, when its grace is over, for the server to take what
/// is given back.
pub(super) const LAST: Duration = Duration::from_secs(3);

/// What is to be written of a job.
pub(super) struct Settling {
    pub(super) hold: Hold,
    pub(super) what: Settlement,
    pub(super) head: Head,
    /// Told whether it was still held.
    pub(super) tell: oneshot::Sender<bool>,
}

/// What is kept of a job that is done, of what was stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    key: Option<String>,
    serial: Option<String>,
    trace: Option<String>,
}

impl Head {
    pub(super) fn of(stored: Option<&str>) -> Self {
        let envelope = stored.and_then(|it| Envelope::open(it).ok());
        envelope.map_or_else(Self::default, |it| Self {
            key: it.key,
            serial: it.serial,
            trace: it.trace,
        })
    }
}

/// From one try to the next: longer each time, up to some seconds, and not the
/// same for all.
pub(super) fn pause(failures: u32) -> Duration {
    let most = Duration::from_millis(50 << failures.clamp(1, 6));
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Writes what comes, until nobody is there to say more.
pub(super) async fn write(
    crew: Weak<Crew>,
    mut settlings: mpsc::UnboundedReceiver<Settling>,
    writer: Writer,
) {
    const MOST: usize = 1024;
    let mut batch = Vec::new();
    while settlings.recv_many(&mut batch, MOST).await > 0 {
        let (done, others): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .partition(|it| matches!(it.what, Settlement::Done { .. }));
        writer.settle(&crew, done, true).await;
        writer.settle(&crew, others, false).await;
    }
}

pub(super) struct Writer {
    db: TokioPostgresDatabase,
    kind: &'static str,
}

const DONE: &str = "
    with ended as (
        select * from unnest(
            $1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[],
            $6::text[], $7::text[]
        ) as ended (id, attempt, worker, output, key, serial, trace)
    ), gone as (
        delete from graphile_worker._private_jobs jobs using ended
        where jobs.id = ended.id and jobs.locked_by = ended.worker
            and jobs.attempts = ended.attempt
        returning jobs.id, jobs.job_queue_id, jobs.attempts,
            jobs.max_attempts, jobs.priority, jobs.created_at, jobs.run_at,
            jobs.last_error, ended.worker, ended.output, ended.key,
            ended.serial, ended.trace
    ), freed as (
        update graphile_worker._private_job_queues queues
        set locked_by = null, locked_at = null
        from gone
        where queues.id = gone.job_queue_id and queues.locked_by = gone.worker
    ), done as (
        insert into manyhands.done (
            id, kind, attempts, max_attempts, priority, submitted_at, run_at,
            finished_at, keep_until, last_error, key, serial, trace, output
        )
        select id, $8, attempts, max_attempts, -priority, created_at, run_at,
            now(), now() + $9::bigint * interval '1 millisecond', last_error,
            key, serial, trace, output
        from gone
    )
    select id from gone";

/// Dead at once is one that has as many attempts as it may; how many it had is
/// kept in its flags, which nothing else uses.
const OTHERS: &str = "
    with ended as (
        select * from unnest(
            $1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[],
            $6::bigint[]
        ) as ended (id, attempt, worker, what, error, delay)
    ), changed as (
        update graphile_worker._private_jobs jobs
        set locked_by = null,
            locked_at = null,
            updated_at = now(),
            last_error = coalesce(ended.error, jobs.last_error),
            attempts = case ended.what
                when 'give back' then greatest(0, jobs.attempts - 1)
                when 'dead' then jobs.max_attempts
                else jobs.attempts
            end,
            flags = case
                when ended.what = 'dead'
                    then jsonb_build_object('attempts', jobs.attempts)
                else jobs.flags
            end,
            run_at = case
                when ended.what = 'retry'
                    and jobs.attempts < jobs.max_attempts
                    then now() + ended.delay * interval '1 millisecond'
                else jobs.run_at
            end
        from ended
        where jobs.id = ended.id and jobs.locked_by = ended.worker
            and jobs.attempts = ended.attempt
        returning jobs.id, jobs.job_queue_id, ended.worker, ended.what
    ), freed as (
        update graphile_worker._private_job_queues queues
        set locked_by = null, locked_at = null
        from changed
        where queues.id = changed.job_queue_id
            and queues.locked_by = changed.worker
    )
    select id, case when what = 'give back' then pg_notify(
        'jobs:insert', '{\"count\":1}'
    )::text end from changed";

/// Those of which a commit may have been done that nobody was told of.
const KNOWN: &str = "select id from manyhands.done \
    join unnest($1::bigint[], $2::int[]) ended (id, attempts) \
    using (id, attempts)";

impl Writer {
    pub(super) fn new(db: TokioPostgresDatabase, kind: &'static str) -> Self {
        Self { db, kind }
    }

    /// Writes until it is written, or no use any more.
    async fn settle(
        &self,
        crew: &Weak<Crew>,
        settlings: Vec<Settling>,
        is_done: bool,
    ) {
        if settlings.is_empty() {
            return;
        }
        let mut batches = vec![settlings];
        let began = Instant::now();
        let mut failures = 0;
        while let Some(mut batch) = batches.pop() {
            let written = if is_done {
                crash::point("before-ack");
                self.done(&batch, failures > 0).await
            } else {
                self.others(&batch).await
            };
            let error = match written {
                Ok(ids) => {
                    if is_done {
                        crash::point("after-ack-before-reply");
                    }
                    self.tell(batch, &ids);
                    continue;
                }
                Err(error) => error,
            };
            watch::trouble(self.kind, &error.error);
            if error.is_data && batch.len() > 1 {
                // One of them is not to the server's liking.
                batches.extend(batch.into_iter().map(|it| vec![it]));
                continue;
            }
            if error.is_data && is_done {
                for it in &mut batch {
                    let error = format!("what it gave: {}", error.error);
                    it.what = Settlement::Dead { error };
                }
                if let Ok(ids) = self.others(&batch).await {
                    self.tell(batch, &ids);
                    continue;
                }
            }
            failures += 1;
            // Whoever stops does not wait for longer than the lease holds.
            let stopping = crew.upgrade().is_none_or(|crew| {
                crew.is_stopping.load(Ordering::SeqCst)
                    && began.elapsed() > crew.work.lease
            });
            if stopping {
                continue;
            }
            batches.push(batch);
            sleep(pause(failures)).await;
        }
    }

    fn tell(&self, batch: Vec<Settling>, ids: &HashSet<i64>) {
        let mut lost = 0;
        for it in batch {
            let is_written = ids.contains(&it.hold.id);
            lost += usize::from(!is_written);
            // Its attempt may have ended with the runtime.
            let _ = it.tell.send(is_written);
        }
        if lost > 0 {
            watch::lost(self.kind, lost);
        }
    }

    async fn done(
        &self,
        batch: &[Settling],
        is_again: bool,
    ) -> Result<HashSet<i64>, Failed> {
        let (ids, attempts, workers) = columns(batch);
        let mut outputs = Vec::with_capacity(batch.len());
        let mut keep = Duration::ZERO;
        for it in batch {
            if let Settlement::Done { output, retention } = &it.what {
                outputs.push(output.as_deref());
                keep = *retention;
            }
        }
        let keys: Vec<_> =
            batch.iter().map(|it| it.head.key.as_deref()).collect();
        let serials: Vec<_> =
            batch.iter().map(|it| it.head.serial.as_deref()).collect();
        let traces: Vec<_> =
            batch.iter().map(|it| it.head.trace.as_deref()).collect();
        let keep = in_millis(keep);
        let client = connection!(self.db).map_err(Failed::before)?;
        let statement =
            client.prepare_cached(DONE).await.map_err(Failed::of)?;
        let rows = client
            .query(
                &statement,
                &[
                    &ids, &attempts, &workers, &outputs, &keys, &serials,
                    &traces, &self.kind, &keep,
                ],
            )
            .await
            .map_err(Failed::of)?;
        let mut written: HashSet<i64> =
            rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        if is_again && written.len() < batch.len() {
            let rows = client
                .query(KNOWN, &[&ids, &attempts])
                .await
                .map_err(Failed::of)?;
            written.extend(
                rows.iter().filter_map(|row| row.try_get::<_, i64>(0).ok()),
            );
        }
        Ok(written)
    }

    async fn others(
        &self,
        batch: &[Settling],
    ) -> Result<HashSet<i64>, Failed> {
        let (ids, attempts, workers) = columns(batch);
        let mut whats = Vec::with_capacity(batch.len());
        let mut errors = Vec::with_capacity(batch.len());
        let mut delays = Vec::with_capacity(batch.len());
        for it in batch {
            let (what, error, delay) = match &it.what {
                Settlement::Retry { error, delay } => {
                    ("retry", Some(error.as_str()), *delay)
                }
                Settlement::Dead { error } => {
                    ("dead", Some(error.as_str()), Duration::ZERO)
                }
                Settlement::GiveBack | Settlement::Done { .. } => {
                    ("give back", None, Duration::ZERO)
                }
            };
            whats.push(what);
            errors.push(error);
            delays.push(in_millis(delay));
        }
        let mut client = connection!(self.db).map_err(Failed::before)?;
        // In a transaction only so that a test can have it die inside.
        let transaction = client.transaction().await.map_err(Failed::of)?;
        let statement =
            transaction.prepare_cached(OTHERS).await.map_err(Failed::of)?;
        let rows = transaction
            .query(
                &statement,
                &[&ids, &attempts, &workers, &whats, &errors, &delays],
            )
            .await
            .map_err(Failed::of)?;
        for it in batch {
            let is_last = |hold: &Hold| hold.attempt >= hold.max_attempts;
            match &it.what {
                Settlement::Retry { .. } if !is_last(&it.hold) => {
                    crash::point("during-nack");
                }
                Settlement::Retry { .. } | Settlement::Dead { .. } => {
                    crash::point("during-dead-letter");
                }
                Settlement::GiveBack | Settlement::Done { .. } => {}
            }
        }
        transaction.commit().await.map_err(Failed::of)?;
        Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
    }
}

fn columns(batch: &[Settling]) -> (Vec<i64>, Vec<i32>, Vec<&str>) {
    let ids = batch.iter().map(|it| it.hold.id).collect();
    let attempts = batch.iter().map(|it| it.hold.attempt).collect();
    let workers = batch.iter().map(|it| it.hold.worker.as_str()).collect();
    (ids, attempts, workers)
}

/// It was not written, or nobody knows.
struct Failed {
    error: Error,
    /// It is what was to be written that is wrong.
    is_data: bool,
}

impl Failed {
    fn before(error: Error) -> Self {
        Self { error, is_data: false }
    }

    fn of(error: tokio_postgres::Error) -> Self {
        let class = error.code().map(|it| it.code().to_owned());
        let is_data = is_refusal(&error)
            && class.is_some_and(|it| {
                it.starts_with("22") || it.starts_with("54")
            });
        Self { error: unsure(error), is_data }
    }
}
