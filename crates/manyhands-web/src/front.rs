//! What stands between a web service and a pool.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use manyhands_core::{Completion, Job, JobId, TrySubmitError, WorkerPool};
use prometheus::Registry;
use tokio::sync::oneshot;

use crate::metrics::{Counts, Metrics};

/// Submits jobs to a pool for those who ask, and hands each the answer to its
/// own. `R` is what is answered: what [`serve`](Self::serve) makes of a
/// completion.
///
/// The pool is the front's alone: completions of jobs that others have
/// submitted to it are taken for those of jobs that nobody waits for yet, and
/// kept.
pub struct Front<J: Job, R> {
    pool: Arc<dyn WorkerPool<J>>,
    desk: Mutex<Desk<R>>,
    metrics: Metrics,
}

struct Desk<R> {
    jobs: HashMap<JobId, Asked<R>>,
    /// Nobody hands answers back any more.
    is_over: bool,
}

/// What is known of a job that is not over for both sides.
enum Asked<R> {
    /// It was submitted; somebody waits, or nobody ever will.
    Submitted { at: Instant, by: Option<oneshot::Sender<R>> },
    /// It was faster than the one who submitted it.
    Done { at: Instant, reply: R },
}

impl<J: Job + 'static, R> Front<J, R> {
    /// A front for that pool. Answers come once [`serve`](Self::serve) runs.
    pub fn new(pool: impl WorkerPool<J> + 'static) -> Self {
        Self::of(Arc::new(pool))
    }

    /// The same for a pool that is chosen at run time.
    pub fn of(pool: Arc<dyn WorkerPool<J>>) -> Self {
        let metrics = Metrics::new(pool.workers(), pool.bound());
        let desk = Desk { jobs: HashMap::new(), is_over: false };
        Self { pool, desk: Mutex::new(desk), metrics }
    }

    /// Submits a job whose answer is waited for. Never waits itself.
    ///
    /// A reply that is dropped, because the caller has hung up, leaves the job
    /// to go on by itself.
    ///
    /// # Errors
    ///
    /// The job comes back when the pool is full or closed.
    pub fn ask(&self, job: J) -> Result<Reply<R>, Refused<J>> {
        let (answer, reply) = oneshot::channel();
        self.submit(job, Some(answer))?;
        Ok(Reply(reply))
    }

    /// Submits a job whose answer nobody waits for. Never waits itself.
    ///
    /// # Errors
    ///
    /// The job comes back when the pool is full or closed.
    pub fn post(&self, job: J) -> Result<JobId, Refused<J>> {
        self.submit(job, None)
    }

    fn submit(
        &self,
        job: J,
        by: Option<oneshot::Sender<R>>,
    ) -> Result<JobId, Refused<J>> {
        let at = Instant::now();
        let id = self.pool.try_submit(job).map_err(|refused| {
            self.metrics.refused(refused.is_full());
            Refused(refused)
        })?;
        self.metrics.accepted();
        let mut desk = self.desk();
        match desk.jobs.remove(&id) {
            // Out of the lock: what wakes another thread takes its time.
            Some(Asked::Done { at: done, reply }) => {
                drop(desk);
                self.metrics.took(done.saturating_duration_since(at));
                hand_back(by, reply);
            }
            // Without `by`, whoever waits is told that it is lost.
            _ if desk.is_over => {}
            _ => {
                desk.jobs.insert(id, Asked::Submitted { at, by });
            }
        }
        Ok(id)
    }

    /// Hands answers back until the pool is closed and drained; `reply` makes
    /// them. Blocks for as long as that, so it wants a thread of its own; and
    /// one only, for when it returns nobody is left waiting.
    ///
    /// # Panics
    ///
    /// If `reply` does. Whoever waits then, or asks from then on, is told that
    /// the answer is [`Lost`], and the pool is closed.
    pub fn serve(&self, mut reply: impl FnMut(Completion<J>) -> R) {
        let _last = Last(self);
        while let Some(completion) = self.pool.recv() {
            let id = completion.id;
            self.metrics.finished(&completion.outcome);
            let reply = reply(completion);
            let at = Instant::now();
            let mut desk = self.desk();
            match desk.jobs.remove(&id) {
                Some(Asked::Submitted { at: submitted, by }) => {
                    drop(desk);
                    let took = at.saturating_duration_since(submitted);
                    self.metrics.took(took);
                    hand_back(by, reply);
                }
                _ => {
                    desk.jobs.insert(id, Asked::Done { at, reply });
                }
            }
        }
    }

    /// Takes no more jobs. Those that were accepted are run, and then
    /// [`serve`](Self::serve) returns.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Takes no more jobs, and starts none: what was accepted and has not
    /// started comes back [cancelled](manyhands_core::Outcome::Cancelled).
    pub fn cancel(&self) {
        self.pool.cancel();
    }

    /// How many jobs came, and what became of them.
    pub fn counts(&self) -> Counts {
        self.metrics.counts()
    }

    /// Where what else is to be counted can be registered.
    pub fn registry(&self) -> &Registry {
        self.metrics.registry()
    }

    /// All that is counted, in Prometheus' text format: what a handler of
    /// `/metrics` answers.
    pub fn metrics(&self) -> Response {
        const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
        ([(CONTENT_TYPE, TEXT)], self.metrics.text()).into_response()
    }

    fn desk(&self) -> MutexGuard<'_, Desk<R>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hand_back<R>(by: Option<oneshot::Sender<R>>, reply: R) {
    if let Some(by) = by {
        // Who has hung up wants no answer.
        let _ = by.send(reply);
    }
}

/// At the end of serving, nobody is left waiting.
struct Last<'a, J: Job + 'static, R>(&'a Front<J, R>);

impl<J: Job + 'static, R> Drop for Last<'_, J, R> {
    fn drop(&mut self) {
        self.0.close();
        let mut desk = self.0.desk();
        desk.is_over = true;
        let jobs = std::mem::take(&mut desk.jobs);
        // Somebody is about to take what is done.
        let (done, lost) = jobs
            .into_iter()
            .partition(|(_, asked)| matches!(asked, Asked::Done { .. }));
        desk.jobs = done;
        drop(desk);
        // Out of the lock, too: this wakes those who wait.
        drop::<HashMap<_, _>>(lost);
    }
}

impl<J: Job, R> fmt::Debug for Front<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front")
            .field("counts", &self.metrics.counts())
            .finish_non_exhaustive()
    }
}

/// An answer that is on its way.
#[must_use = "a reply that is dropped is an answer that nobody reads"]
pub struct Reply<R>(oneshot::Receiver<R>);

impl<R> Future for Reply<R> {
    type Output = Result<R, Lost>;

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| Lost)
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// There will be no answer: whoever handed them back has ended.
///
/// As a response, `500 Internal Server Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        let body = format!("{self}\n");
        (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
    }
}

/// The pool did not take the job, which is inside.
///
/// As a response, `503 Service Unavailable`: with `Retry-After: 1`, the least
/// there is, when the pool was full; with `Connection: close` when it was
/// closed, so that the caller looks for another server.
pub struct Refused<J>(pub TrySubmitError<J>);

impl<J> fmt::Debug for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.0).finish()
    }
}

impl<J> fmt::Display for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_full() {
            "full, try again in a second"
        } else {
            "shutting down"
        })
    }
}

impl<J> std::error::Error for Refused<J> {}

impl<J> IntoResponse for Refused<J> {
    fn into_response(self) -> Response {
        let header = match self.0.is_full() {
            true => (RETRY_AFTER, "1"),
            false => (CONNECTION, "close"),
        };
        let body = format!("{self}\n");
        (StatusCode::SERVICE_UNAVAILABLE, [header], body).into_response()
    }
}
