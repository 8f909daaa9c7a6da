//! What the features `tracing` and `metrics` see of a job. Without them, all
//! of this is empty, and so is what it compiles to.
//!
//! Subscribers and recorders are the user's code. A panic of theirs is
//! contained where a job is under way: it would be lost with it.

#[cfg(any(feature = "tracing", feature = "metrics"))]
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "metrics")]
use std::time::Instant;

use manyhands_core::{JobId, discard};

use crate::state::End;

/// Off is free: nothing is kept for a job.
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
const _: () = {
    assert!(size_of::<Context>() == 0 && size_of::<Scope>() == 0);
    assert!(size_of::<Meters>() == 0 && size_of::<Started>() == 0);
};

/// Where a job was submitted: its submitter's span.
pub(crate) struct Context {
    #[cfg(feature = "tracing")]
    submitter: tracing::Span,
}

impl Context {
    /// That of the calling thread. May call the user's subscriber, as
    /// dropping it may: not to be done with a lock held.
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            submitter: tracing::Span::current(),
        }
    }

    /// The span of a job that is taken up by this thread.
    pub(crate) fn job(self, _id: JobId) -> Scope {
        let scope = Scope {
            #[cfg(feature = "tracing")]
            span: contain(|| {
                tracing::info_span!(
                    parent: &self.submitter,
                    "job",
                    id = _id.get(),
                    worker = std::thread::current().name(),
                )
            })
            .unwrap_or_else(tracing::Span::none),
        };
        discard(self);
        scope
    }
}

/// A job that runs.
pub(crate) struct Scope {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Scope {
    /// What is done within the job's span.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let entered = contain(|| self.span.enter());
        let result = work();
        #[cfg(feature = "tracing")]
        discard(entered);
        result
    }

    /// The job is over.
    pub(crate) fn end(self) {
        discard(self);
    }
}

/// What the user's code has to say; nothing, if it panics.
#[cfg(any(feature = "tracing", feature = "metrics"))]
fn contain<T>(ask: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            discard(payload);
            None
        }
    }
}

/// The pool's metrics. They are counted where a step of a job is done, with
/// no lock held.
pub(crate) struct Meters {
    #[cfg(feature = "metrics")]
    meters: Registered,
}

#[cfg(feature = "metrics")]
struct Registered {
    accepted: metrics::Counter,
    done: metrics::Counter,
    failed: metrics::Counter,
    panicked: metrics::Counter,
    cancelled: metrics::Counter,
    dropped: metrics::Counter,
    queued: metrics::Gauge,
    running: metrics::Gauge,
    waited: metrics::Histogram,
    ran: metrics::Histogram,
}

/// When a job was taken up.
#[derive(Clone, Copy)]
pub(crate) struct Started {
    #[cfg(feature = "metrics")]
    at: Instant,
}

#[cfg(not(feature = "metrics"))]
impl Meters {
    pub(crate) fn new(_pool: &str) -> Self {
        Self {}
    }

    pub(crate) fn accepted(&self) {}

    pub(crate) fn started(
        &self,
        _since: Option<std::time::Instant>,
    ) -> Started {
        Started {}
    }

    pub(crate) fn ended(&self, _started: Started, _end: End) {}

    pub(crate) fn dropped(&self, _from_queue: bool) {}

    pub(crate) fn cancelled(&self, _count: usize) {}
}

#[cfg(feature = "metrics")]
impl Meters {
    pub(crate) fn new(pool: &str) -> Self {
        let pool = pool.to_owned();
        let ended = |how: &'static str| {
            metrics::counter!(
                "manyhands_jobs_ended_total",
                "pool" => pool.clone(),
                "outcome" => how,
            )
        };
        let meters = Registered {
            accepted: metrics::counter!(
                "manyhands_jobs_accepted_total",
                "pool" => pool.clone(),
            ),
            done: ended("done"),
            failed: ended("failed"),
            panicked: ended("panicked"),
            cancelled: ended("cancelled"),
            dropped: ended("dropped"),
            queued: metrics::gauge!(
                "manyhands_jobs_queued",
                "pool" => pool.clone(),
            ),
            running: metrics::gauge!(
                "manyhands_jobs_running",
                "pool" => pool.clone(),
            ),
            waited: metrics::histogram!(
                "manyhands_job_wait_seconds",
                "pool" => pool.clone(),
            ),
            ran: metrics::histogram!(
                "manyhands_job_run_seconds",
                "pool" => pool.clone(),
            ),
        };
        Self { meters }
    }

    /// A job was queued.
    pub(crate) fn accepted(&self) {
        contain(|| {
            self.meters.accepted.increment(1);
            self.meters.queued.increment(1);
        });
    }

    /// A job was taken up, which was queued since then; `None` for one that
    /// its submitter runs.
    pub(crate) fn started(&self, since: Option<Instant>) -> Started {
        let at = Instant::now();
        contain(|| {
            match since {
                Some(since) => {
                    self.meters.queued.decrement(1);
                    let waited = at.saturating_duration_since(since);
                    self.meters.waited.record(waited);
                }
                None => self.meters.accepted.increment(1),
            }
            self.meters.running.increment(1);
        });
        Started { at }
    }

    pub(crate) fn ended(&self, started: Started, end: End) {
        let Registered { done, failed, panicked, .. } = &self.meters;
        contain(|| {
            match end {
                End::Done => done,
                End::Failed => failed,
                End::Panicked => panicked,
            }
            .increment(1);
            self.meters.running.decrement(1);
            self.meters.ran.record(started.at.elapsed());
        });
    }

    /// A job was given up.
    pub(crate) fn dropped(&self, from_queue: bool) {
        contain(|| {
            self.meters.dropped.increment(1);
            if from_queue {
                self.meters.queued.decrement(1);
            } else {
                self.meters.accepted.increment(1);
            }
        });
    }

    /// Queued jobs came back.
    pub(crate) fn cancelled(&self, count: usize) {
        contain(|| {
            self.meters.cancelled.increment(count as u64);
            self.meters.queued.decrement(count as f64);
        });
    }
}
