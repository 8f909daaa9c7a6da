//! The workers of a process.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc as channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use graphile_worker::{
    Database, DbCell, DbError, DbParams, DbRow, DbValue,
    IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, Worker,
    WorkerContext, WorkerOptions, WorkerRecoveryConfig,
};
use manyhands_core::CancelToken;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::{sleep, sleep_until, timeout};

use super::seam::Seam;
use super::settle::{self, Settling};
use super::{chain, connection, told, upkeep};
use crate::backend::{Given, Settlement, Verdict, Work, Working};
use crate::{Error, JobId, Stopped, crash, watch};

/// What the workers of a process share.
pub(super) struct Crew {
    pub(super) db: TokioPostgresDatabase,
    /// The engine's number for the kind.
    pub(super) task: i32,
    pub(super) work: Work,
    state: Mutex<State>,
    /// Something changed that a claim may wait for.
    pub(super) changed: Notify,
    /// Held by who claims; and by who looks for claims that nobody knows of.
    pub(super) claiming: tokio::sync::Mutex<()>,
    /// A permit a thread.
    threads: Semaphore,
    jobs: Arc<Jobs>,
    settle: mpsc::UnboundedSender<Settling>,
    pub(super) is_stopping: AtomicBool,
    pub(super) is_paused: AtomicBool,
    /// Set when the grace is over.
    is_over: AtomicBool,
    over: Notify,
    finished: AtomicU64,
    given_back: AtomicU64,
    abandoned: AtomicU64,
}

struct State {
    /// By id: what was claimed, and of which nothing was written yet.
    held: HashMap<i64, Held>,
    /// Claimed, and not begun.
    waiting: usize,
    running: usize,
    /// The mean of what attempts took, in seconds, the last ones' most. `None`
    /// until there is one.
    mean: Option<f64>,
    /// When a sign of life that arrived was sent.
    heard: Instant,
    /// What was claimed before this may be another's: no sign of life arrived
    /// for too long.
    doubtful: Option<Instant>,
    /// The engine's workers, of which there is one; those before it may have
    /// left something.
    workers: Vec<String>,
}

/// A job that was claimed.
struct Held {
    hold: Hold,
    stored: Option<String>,
    claimed: Instant,
    /// Where there is a rate.
    not_before: Option<Instant>,
    /// While it runs.
    token: Option<CancelToken>,
}

/// By what a claim is known. No two claims have the same, since attempts are
/// counted, but for one after a give-back by the same worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) id: i64,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) worker: String,
}

/// How long jobs are claimed ahead for: while a claim is on its way, threads
/// are to have something to do.
const AHEAD: f64 = 0.01;

/// How long a job waits for a thread, before another process may have it.
const PATIENCE: Duration = Duration::from_millis(200);

impl Crew {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    fn is_limited(&self) -> bool {
        self.work.limit.is_some() || self.work.rate.is_some()
    }

    /// The most that is claimed ahead.
    fn most_ahead(&self) -> usize {
        (self.work.workers.get() * 4).clamp(16, 256)
    }

    /// How many more jobs there is use for.
    fn wanted(&self) -> usize {
        let threads = self.work.workers.get();
        let state = self.state();
        let busy = state.waiting + state.running;
        let ahead = match state.mean {
            // Of jobs that are quick, the next are to be at hand. Of others
            // none: they would wait here while another process has nothing.
            Some(mean) if !self.is_limited() => {
                let ahead = AHEAD / mean.max(1e-6) * threads as f64;
                (ahead as usize).min(self.most_ahead())
            }
            _ => 0,
        };
        let wanted = (threads + ahead).saturating_sub(busy);
        // Claims of one job each are slow.
        if busy >= threads && wanted * 2 < ahead { 0 } else { wanted }
    }

    /// The engine's claim, of as many as are wanted, once any are.
    pub(super) async fn claim(
        self: &Arc<Self>,
        sql: &str,
        worker: &str,
    ) -> Result<Vec<DbRow>, DbError> {
        let mut failures = 0;
        loop {
            // Asked for first: nothing that changes from here on is missed.
            let changed = self.changed.notified();
            if self.is_stopping() {
                return Ok(Vec::new());
            }
            let is_paused = self.is_paused.load(Ordering::SeqCst);
            let wanted = if is_paused { 0 } else { self.wanted() };
            if wanted == 0 {
                // The time is for what is missed all the same.
                let _ = timeout(Duration::from_secs(1), changed).await;
                continue;
            }
            let claimed = {
                let _claiming = self.claiming.lock().await;
                self.claim_now(sql, worker, wanted).await
            };
            match claimed {
                Ok(Claim::Jobs(rows)) => return Ok(rows),
                Ok(Claim::Later(wait)) => {
                    let _ = timeout(wait, changed).await;
                }
                Err(error) => {
                    watch::trouble(self.work.kind, &error);
                    // The engine asks again at once, however often it fails.
                    failures += 1;
                    self.rest(settle::pause(failures)).await;
                }
            }
        }
    }

    /// Waits for so long, or for a stop.
    async fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            let changed = self.changed.notified();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_stopping() {
                return;
            }
            let _ = timeout(left, changed).await;
        }
    }

    async fn claim_now(
        &self,
        sql: &str,
        worker: &str,
        wanted: usize,
    ) -> Result<Claim, Error> {
        let mut client = connection!(self.db)?;
        if !self.is_limited() {
            let statement = client.prepare_cached(sql).await.map_err(told)?;
            let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
            let sent = Instant::now();
            let rows = client
                .query(&statement, &[&worker, &self.task, &wanted])
                .await
                .map_err(told)?;
            return self.take(&rows, sent, None).map(Claim::Jobs);
        }
        // Who counts must be alone, until what it claims is counted.
        let transaction = client.transaction().await.map_err(told)?;
        let mut wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        transaction
            .execute(
                "insert into manyhands.kinds (kind) values ($1) \
                 on conflict do nothing",
                &[&self.work.kind],
            )
            .await
            .map_err(told)?;
        let row = transaction
            .query_one(
                "select greatest(0, ceil(extract(epoch from next_start \
                     - clock_timestamp()) * 1000))::float8 \
                 from manyhands.kinds where kind = $1 for update",
                &[&self.work.kind],
            )
            .await
            .map_err(told)?;
        // In a statement of its own: that one saw what was there before it
        // waited for the lock.
        let held: i64 = transaction
            .query_one(
                "select count(*) from graphile_worker._private_jobs \
                 where task_id = $1 and locked_by is not null",
                &[&self.task],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(told)?;
        if let Some(limit) = self.work.limit {
            let limit = i64::try_from(limit.get()).unwrap_or(i64::MAX);
            wanted = wanted.min(limit - held);
            if wanted <= 0 {
                // Another process may be the one that has them.
                let wait = self.work.poll.min(Duration::from_millis(100));
                return Ok(Claim::Later(wait));
            }
        }
        let mut every = None;
        if let Some(rate) = self.work.rate {
            let wait: f64 = row.try_get(0).map_err(told)?;
            if wait > 0.0 {
                let wait = Duration::from_secs_f64(wait.min(6e4) / 1000.0);
                return Ok(Claim::Later(wait));
            }
            let interval = rate.interval();
            // Starts that are close are taken together, each with its time.
            let together = 0.02 / interval.as_secs_f64().max(1e-6);
            wanted = wanted.min(1 + together as i64);
            every = Some(interval);
        }
        let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
        let statement = transaction.prepare_cached(sql).await.map_err(told)?;
        let sent = Instant::now();
        let rows = transaction
            .query(&statement, &[&worker, &self.task, &wanted])
            .await
            .map_err(told)?;
        if let Some(interval) = every {
            let taken = interval.as_secs_f64() * rows.len() as f64;
            if !rows.is_empty() {
                transaction
                    .execute(
                        "update manyhands.kinds set next_start = \
                         clock_timestamp() + $2::float8 * interval '1 second' \
                         where kind = $1",
                        &[&self.work.kind, &taken],
                    )
                    .await
                    .map_err(told)?;
            }
        }
        transaction.commit().await.map_err(told)?;
        self.take(&rows, sent, every).map(Claim::Jobs)
    }

    /// Takes down what was claimed.
    fn take(
        &self,
        rows: &[tokio_postgres::Row],
        sent: Instant,
        every: Option<Duration>,
    ) -> Result<Vec<DbRow>, Error> {
        let mut taken = Vec::with_capacity(rows.len());
        for row in rows {
            taken.push(Taken::read(row).map_err(told)?);
        }
        // The engine's batch is in no order.
        taken.sort_by_key(|it| (it.priority, it.run_at, it.id));
        if !taken.is_empty() {
            crash::point("after-claim");
        }
        let now = Instant::now();
        let mut state = self.state();
        state.waiting += taken.len();
        let mut answer = Vec::with_capacity(taken.len());
        for (place, it) in taken.into_iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let held = Held {
                hold: Hold {
                    id: it.id,
                    attempt: i32::from(it.attempts),
                    max_attempts: i32::from(it.max_attempts),
                    worker: it.worker.clone(),
                },
                stored: Some(it.stored.clone()),
                claimed: sent,
                not_before: every.map(|every| now + every * place),
                token: None,
            };
            state.held.insert(it.id, held);
            answer.push(it.row());
        }
        Ok(answer)
    }

    /// The parameters of a sign of life, and in them for how long it is good.
    pub(super) fn introduced(&self, params: DbParams) -> DbParams {
        let mut values = params.values().to_vec();
        if let Some(metadata) = values.get_mut(1) {
            let lease = self.work.lease.as_millis();
            let lease = u64::try_from(lease).unwrap_or(u64::MAX);
            *metadata = DbValue::JsonOpt(Some(serde_json::json!({
                "pid": std::process::id(),
                "kind": self.work.kind,
                "lease_ms": lease,
            })));
        }
        values.into()
    }

    /// A sign of life arrived that was sent `at` that time.
    pub(super) fn heard(&self, at: Instant) {
        let mut state = self.state();
        let silence = at.saturating_duration_since(state.heard);
        if silence > self.work.lease * 3 / 4 {
            state.doubtful = Some(at);
        }
        state.heard = at;
    }

    /// The engine gave back what it had not begun.
    pub(super) fn returned(&self, ids: &[i64]) {
        let mut state = self.state();
        for id in ids {
            if state.held.remove(id).is_some() {
                state.waiting = state.waiting.saturating_sub(1);
                self.given_back.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What is held, and since when.
    pub(super) fn held(&self) -> Vec<Hold> {
        self.state().held.values().map(|it| it.hold.clone()).collect()
    }

    /// The engine's workers of this process, the present one last.
    pub(super) fn workers(&self) -> Vec<String> {
        self.state().workers.clone()
    }

    /// These are another's by now: whoever runs them is told.
    pub(super) fn lost(&self, lost: &[Hold]) {
        let tokens: Vec<_> = {
            let state = self.state();
            lost.iter()
                .filter_map(|hold| {
                    let held = state.held.get(&hold.id)?;
                    (held.hold == *hold).then(|| held.token.clone())?
                })
                .collect()
        };
        for token in tokens {
            token.cancel();
        }
    }

    /// A job, from its claim to what is written of it.
    async fn attempt(self: &Arc<Self>, id: i64) {
        let (hold, not_before) = {
            let state = self.state();
            // It may have been given back.
            let Some(held) = state.held.get(&id) else { return };
            (held.hold.clone(), held.not_before)
        };
        if let Some(time) = not_before {
            sleep_until(time.into()).await;
        }
        let thread = if self.is_limited() {
            self.threads.acquire().await.ok()
        } else {
            let thread = timeout(PATIENCE, self.threads.acquire()).await;
            thread.ok().and_then(Result::ok)
        };
        let is_paused = self.is_paused.load(Ordering::SeqCst);
        let may_begin = thread.is_some() && !self.is_stopping() && !is_paused;
        if may_begin && !self.is_held(&hold).await {
            self.begun(&hold, false);
            self.forget(&hold);
            watch::lost(self.work.kind, 1);
            return;
        }
        if !may_begin || self.is_stopping() {
            drop(thread);
            self.begun(&hold, false);
            if self.written(&hold, Settlement::GiveBack).await {
                self.given_back.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        let token = CancelToken::new();
        let Some(given) = self.begin(&hold, &token) else { return };
        let (tell, told) = oneshot::channel();
        let run = Arc::clone(&self.work.run);
        self.jobs.push(Box::new({
            let token = token.clone();
            move || {
                let began = Instant::now();
                let verdict = run(given, &token);
                let _ = tell.send((verdict, began.elapsed()));
            }
        }));
        let verdict = tokio::select! {
            verdict = told => verdict.ok(),
            () = self.until_over() => None,
        };
        let Some((verdict, took)) = verdict else {
            // Its thread stays its own.
            if let Some(thread) = thread {
                thread.forget();
            }
            token.cancel();
            self.ended(None);
            self.written(&hold, Settlement::GiveBack).await;
            self.abandoned.fetch_add(1, Ordering::Relaxed);
            return;
        };
        drop(thread);
        self.ended(Some(took));
        self.finished.fetch_add(1, Ordering::Relaxed);
        let settlement = self.settlement(verdict, &hold);
        if !self.written(&hold, settlement).await {
            token.cancel();
        }
    }

    fn settlement(&self, verdict: Verdict, hold: &Hold) -> Settlement {
        match verdict {
            Verdict::Done { output } => {
                Settlement::Done { output, retention: self.work.retention }
            }
            Verdict::Retry { error, after } => {
                let attempts = u32::try_from(hold.attempt).unwrap_or(1);
                let delay = self.work.backoff.draw(attempts);
                let delay = delay.max(after.unwrap_or_default());
                Settlement::Retry { error, delay }
            }
            Verdict::Dead { error } => Settlement::Dead { error },
        }
    }

    /// Whether the job is this worker's, for all that is known, or may be
    /// asked: a process that was stopped for long does not know.
    async fn is_held(&self, hold: &Hold) -> bool {
        let is_sure = {
            let state = self.state();
            let claimed = state.held.get(&hold.id).map(|it| it.claimed);
            let is_doubtful = match (claimed, state.doubtful) {
                (Some(claimed), Some(doubtful)) => claimed < doubtful,
                _ => false,
            };
            let last = claimed.map_or(state.heard, |it| it.max(state.heard));
            !is_doubtful && last.elapsed() < self.work.lease / 2
        };
        if is_sure {
            return true;
        }
        // If the server does not answer, the job is not begun: it is this
        // worker's to give back, or another's.
        let holds = std::slice::from_ref(hold);
        upkeep::not_held(&self.db, holds)
            .await
            .is_ok_and(|lost| lost.is_empty())
    }

    /// The job is not waiting any more.
    fn begun(&self, _hold: &Hold, is_running: bool) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(1);
        if is_running {
            state.running += 1;
        }
        drop(state);
        self.changed.notify_one();
    }

    fn begin(&self, hold: &Hold, token: &CancelToken) -> Option<Given> {
        let mut state = self.state();
        let held = state.held.get_mut(&hold.id)?;
        held.token = Some(token.clone());
        let given = Given {
            id: JobId::new(hold.id),
            attempt: u32::try_from(hold.attempt).unwrap_or(1),
            max_attempts: u32::try_from(hold.max_attempts).unwrap_or(1),
            // Kept too: what is written of it needs its head.
            stored: held.stored.clone().unwrap_or_default(),
        };
        drop(state);
        self.begun(hold, true);
        Some(given)
    }

    fn ended(&self, took: Option<Duration>) {
        let mut state = self.state();
        state.running = state.running.saturating_sub(1);
        if let Some(took) = took {
            let took = took.as_secs_f64();
            let mean = state.mean.unwrap_or(took);
            // A long one tells at once, so that nothing waits behind others.
            let share = if took > mean { 0.5 } else { 0.1 };
            state.mean = Some(mean + (took - mean) * share);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Has it written what came of a job. Was it still held?
    async fn written(&self, hold: &Hold, what: Settlement) -> bool {
        let head = {
            let mut state = self.state();
            let held = state.held.get_mut(&hold.id);
            held.and_then(|it| it.stored.take())
        };
        let head = match &what {
            Settlement::Done { .. } => settle::Head::of(head.as_deref()),
            _ => settle::Head::default(),
        };
        let (tell, told) = oneshot::channel();
        let settling = Settling { hold: hold.clone(), what, head, tell };
        let is_written = match self.settle.send(settling) {
            Ok(()) => told.await.unwrap_or(false),
            Err(_) => false,
        };
        self.forget(hold);
        is_written
    }

    fn forget(&self, hold: &Hold) {
        let mut state = self.state();
        if state.held.get(&hold.id).is_some_and(|it| it.hold == *hold) {
            state.held.remove(&hold.id);
        }
    }

    async fn until_over(&self) {
        loop {
            let over = self.over.notified();
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let _ = timeout(Duration::from_secs(1), over).await;
        }
    }
}

enum Claim {
    Jobs(Vec<DbRow>),
    Later(Duration),
}

/// A row of the engine's claim.
struct Taken {
    id: i64,
    queue: Option<i32>,
    task: i32,
    priority: i16,
    run_at: DateTime<Utc>,
    attempts: i16,
    max_attempts: i16,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    locked_at: DateTime<Utc>,
    worker: String,
    revision: i32,
    stored: String,
}

impl Taken {
    fn read(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            queue: row.try_get("job_queue_id")?,
            task: row.try_get("task_id")?,
            priority: row.try_get("priority")?,
            run_at: row.try_get("run_at")?,
            attempts: row.try_get("attempts")?,
            max_attempts: row.try_get("max_attempts")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            locked_at: row.try_get("locked_at")?,
            worker: row.try_get("locked_by")?,
            revision: row.try_get("revision")?,
            stored: row.try_get("stored")?,
        })
    }

    /// As the engine reads it. What is stored is none of its business.
    fn row(self) -> DbRow {
        let empty = serde_json::Value::Object(serde_json::Map::new());
        let queue = self.queue.map_or(DbCell::Null, DbCell::I32);
        let cells = [
            ("id", DbCell::I64(self.id)),
            ("job_queue_id", queue),
            ("payload", DbCell::Json(empty)),
            ("priority", DbCell::I16(self.priority)),
            ("run_at", DbCell::TimestampTz(self.run_at)),
            ("attempts", DbCell::I16(self.attempts)),
            ("max_attempts", DbCell::I16(self.max_attempts)),
            ("last_error", DbCell::Null),
            ("created_at", DbCell::TimestampTz(self.created_at)),
            ("updated_at", DbCell::TimestampTz(self.updated_at)),
            ("key", DbCell::Null),
            ("revision", DbCell::I32(self.revision)),
            ("locked_at", DbCell::TimestampTz(self.locked_at)),
            ("locked_by", DbCell::Text(self.worker)),
            ("flags", DbCell::Null),
            ("task_id", DbCell::I32(self.task)),
        ];
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell));
        DbRow::new(HashMap::from(cells))
    }
}

/// What the engine runs for each job it claimed: its name is not the kind's,
/// which is known to the program alone.
#[derive(Serialize, Deserialize)]
struct Step {}

impl TaskHandler for Step {
    const IDENTIFIER: &'static str = "manyhands";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(crew) = context.get_ext::<ToCrew>() {
            crew.0.attempt(*context.job().id()).await;
        }
        // Whatever came of it has been written; the engine's own completion
        // goes nowhere. (An error would have it look for the job again.)
    }
}

#[derive(Clone)]
struct ToCrew(Arc<Crew>);

impl fmt::Debug for ToCrew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToCrew")
    }
}

/// What the threads run.
#[derive(Default)]
struct Jobs {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn FnOnce() + Send>>,
    is_ended: bool,
}

impl Jobs {
    fn push(&self, job: Box<dyn FnOnce() + Send>) {
        let mut queue = self.lock();
        queue.jobs.push_back(job);
        drop(queue);
        self.ready.notify_one();
    }

    fn end(&self) {
        self.lock().is_ended = true;
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs jobs until the end.
    fn run(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                job();
                queue = self.lock();
            } else if queue.is_ended {
                return;
            } else {
                queue = self
                    .ready
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Starts the workers.
pub(super) fn start(
    runtime: &Handle,
    db: TokioPostgresDatabase,
    task: i32,
    work: Work,
) -> Result<Box<dyn Working>, Error> {
    let (settle, settlings) = mpsc::unbounded_channel();
    let crew = Arc::new(Crew {
        db,
        task,
        state: Mutex::new(State {
            held: HashMap::new(),
            waiting: 0,
            running: 0,
            mean: None,
            heard: Instant::now(),
            doubtful: None,
            workers: Vec::new(),
        }),
        changed: Notify::new(),
        claiming: tokio::sync::Mutex::new(()),
        threads: Semaphore::new(work.workers.get()),
        jobs: Arc::default(),
        settle,
        is_stopping: AtomicBool::new(false),
        is_paused: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
        over: Notify::new(),
        finished: AtomicU64::new(0),
        given_back: AtomicU64::new(0),
        abandoned: AtomicU64::new(0),
        work,
    });
    let mut threads = Vec::new();
    for index in 0..crew.work.workers.get() {
        let jobs = Arc::clone(&crew.jobs);
        let options = &crew.work.threads;
        match options.spawn(crew.work.kind, index, move || jobs.run()) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                crew.jobs.end();
                return Err(Error::Store(format!("no thread: {error}")));
            }
        }
    }
    runtime.spawn(settle::write(Arc::downgrade(&crew), settlings, {
        let Crew { db, work, .. } = &*crew;
        settle::Writer::new(db.clone(), work.kind)
    }));
    let (tell, ended) = channel::channel();
    let stop = Arc::new(Notify::new());
    runtime.spawn({
        let crew = Arc::clone(&crew);
        let stop = Arc::clone(&stop);
        async move {
            tokio::select! {
                () = upkeep::keep(&crew) => {}
                () = supervise(&crew, &stop) => {}
            }
            drop(crew);
            let _ = tell.send(());
        }
    });
    Ok(Box::new(Crewed { crew, threads, stop, ended }))
}

/// Has the engine's worker run, and another when it ends by itself.
async fn supervise(crew: &Arc<Crew>, stop: &Notify) {
    let mut failures = 0_u32;
    while !crew.is_stopping() {
        let began = Instant::now();
        let worker = match engine(crew).await {
            Ok(worker) => worker,
            Err(error) => {
                watch::trouble(crew.work.kind, &error);
                failures += 1;
                let pause = sleep(settle::pause(failures));
                tokio::select! {
                    () = pause => continue,
                    () = stop.notified() => return,
                }
            }
        };
        let mut run = std::pin::pin!(worker.run());
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = stop.notified() => {
                worker.request_shutdown();
                crew.changed.notify_waiters();
                crew.changed.notify_one();
                run.await
            }
        };
        if let Err(error) = ended {
            let error = Error::Store(chain(&error));
            watch::trouble(crew.work.kind, &error);
        }
        if crew.is_stopping() {
            return;
        }
        failures = if began.elapsed() > Duration::from_secs(60) {
            1
        } else {
            failures + 1
        };
        sleep(settle::pause(failures)).await;
    }
}

/// The engine's worker, for one kind.
async fn engine(crew: &Arc<Crew>) -> Result<Worker, Error> {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
    let lease = crew.work.lease;
    // Those that run, those that wait for a thread, and as many again of which
    // something is being written.
    let concurrency = 2 * (crew.work.workers.get() + crew.most_ahead());
    let worker = WorkerOptions::default()
        .database(Database::new(Seam::new(crew)))
        .concurrency(concurrency)
        .poll_interval(crew.work.poll)
        .define_job::<Step>()
        .add_extension(ToCrew(Arc::clone(crew)))
        .listen_os_shutdown_signals(false)
        // A stop has its own, and its own way to give back.
        .shutdown_grace_period(FOR_EVER)
        // How many are claimed is said at the seam.
        .local_queue(
            LocalQueueConfig::default()
                .with_size(concurrency)
                .with_ttl(FOR_EVER),
        )
        // Signs of life are the engine's. Its sweep, of all kinds by one
        // measure, is not wanted: `upkeep` has one that knows each worker's
        // lease, and counts attempts.
        .worker_recovery(
            WorkerRecoveryConfig::default()
                .heartbeat_interval(lease / 3)
                .sweep_interval(FOR_EVER)
                .sweep_threshold(FOR_EVER)
                .enabled(true),
        )
        .init()
        .await
        .map_err(|error| Error::Store(chain(&error)))?;
    worker.task_details().insert(crew.task, Step::IDENTIFIER.to_owned()).await;
    let mut state = crew.state();
    state.workers.push(worker.worker_id().clone());
    state.heard = Instant::now();
    drop(state);
    Ok(worker)
}

struct Crewed {
    crew: Arc<Crew>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<Notify>,
    ended: channel::Receiver<()>,
}

impl Working for Crewed {
    fn stop(self: Box<Self>, grace: Option<Duration>) -> Stopped {
        let crew = &self.crew;
        crew.is_stopping.store(true, Ordering::SeqCst);
        let before = crew.finished.load(Ordering::Relaxed);
        self.stop.notify_one();
        crew.changed.notify_one();
        let is_ended = match grace {
            Some(grace) => self.ended.recv_timeout(grace).is_ok(),
            None => self.ended.recv().is_ok(),
        };
        if !is_ended {
            crew.is_over.store(true, Ordering::SeqCst);
            crew.over.notify_waiters();
            // What is given back is written now, if the server is there. If
            // not, the lease gives it back.
            let _ = self.ended.recv_timeout(settle::LAST);
        }
        crew.jobs.end();
        let abandoned = crew.abandoned.load(Ordering::Relaxed);
        if abandoned == 0 {
            for thread in self.threads {
                // What it ran does not panic.
                let _ = thread.join();
            }
        }
        Stopped {
            finished: crew.finished.load(Ordering::Relaxed) - before,
            given_back: crew.given_back.load(Ordering::Relaxed),
            abandoned,
        }
    }
}
