//! What is counted, and how Prometheus reads it.

use std::num::NonZeroUsize;
use std::time::Duration;

use manyhands_core::{Job, Outcome};
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};

/// How many jobs came to a [`Front`](crate::Front), and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Those that the pool took.
    pub accepted: u64,
    /// Those that it did not take because it was full.
    pub full: u64,
    /// Those that it did not take because it was closed.
    pub closed: u64,
    /// Those that ran to their end, whatever they answered.
    pub done: u64,
    /// Those that panicked.
    pub panicked: u64,
    /// Those that were accepted and never started.
    pub cancelled: u64,
}

impl Counts {
    /// Those that were accepted and are not over: they wait, or run.
    pub fn unfinished(&self) -> u64 {
        let over = self.done + self.panicked + self.cancelled;
        // A job may be over before it is counted as accepted.
        self.accepted.saturating_sub(over)
    }
}

pub(crate) struct Metrics {
    registry: Registry,
    accepted: IntCounter,
    refused: IntCounterVec,
    finished: IntCounterVec,
    unfinished: IntGauge,
    seconds: Histogram,
}

const FULL: &str = "full";
const CLOSED: &str = "closed";
const DONE: &str = "done";
const PANICKED: &str = "panicked";
const CANCELLED: &str = "cancelled";

/// From a millisecond to a minute.
const SECONDS: [f64; 11] =
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];

impl Metrics {
    pub(crate) fn new(workers: NonZeroUsize, bound: NonZeroUsize) -> Self {
        // Each fails only for a name that is none, or is there twice.
        Self::try_new(workers, bound).expect("the names are right")
    }

    fn try_new(
        workers: NonZeroUsize,
        bound: NonZeroUsize,
    ) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let accepted = IntCounter::new(
            "manyhands_jobs_accepted_total",
            "Jobs that the pool took.",
        )?;
        let counters = |name, help, label| {
            IntCounterVec::new(Opts::new(name, help), &[label])
        };
        let refused = counters(
            "manyhands_jobs_refused_total",
            "Jobs that the pool did not take, by why.",
            "reason",
        )?;
        let finished = counters(
            "manyhands_jobs_finished_total",
            "Jobs that are over, by how they ended.",
            "outcome",
        )?;
        let gauge = |name, help, value: NonZeroUsize| {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(i64::try_from(value.get()).unwrap_or(i64::MAX));
            registry.register(Box::new(gauge))
        };
        gauge(
            "manyhands_workers",
            "Jobs that run at once, at most.",
            workers,
        )?;
        gauge("manyhands_bound", "Jobs that wait or run, at most.", bound)?;
        let unfinished = IntGauge::new(
            "manyhands_jobs_unfinished",
            "Jobs that wait or run.",
        )?;
        let seconds = Histogram::with_opts(
            HistogramOpts::new(
                "manyhands_job_seconds",
                "How long jobs took, from when they were submitted.",
            )
            .buckets(SECONDS.to_vec()),
        )?;
        // Those that have not happened yet are there as 0.
        for reason in [FULL, CLOSED] {
            refused.with_label_values(&[reason]);
        }
        for outcome in [DONE, PANICKED, CANCELLED] {
            finished.with_label_values(&[outcome]);
        }
        registry.register(Box::new(accepted.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        registry.register(Box::new(finished.clone()))?;
        registry.register(Box::new(unfinished.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { registry, accepted, refused, finished, unfinished, seconds })
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn accepted(&self) {
        self.accepted.inc();
    }

    pub(crate) fn refused(&self, is_full: bool) {
        let reason = if is_full { FULL } else { CLOSED };
        self.refused.with_label_values(&[reason]).inc();
    }

    pub(crate) fn finished<J: Job>(&self, outcome: &Outcome<J>) {
        let outcome = match outcome {
            Outcome::Done(_) => DONE,
            Outcome::Panicked(_) => PANICKED,
            Outcome::Cancelled(_) => CANCELLED,
        };
        self.finished.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn counts(&self) -> Counts {
        let refused = |why| self.refused.with_label_values(&[why]).get();
        let finished = |how| self.finished.with_label_values(&[how]).get();
        let (done, panicked) = (finished(DONE), finished(PANICKED));
        let cancelled = finished(CANCELLED);
        Counts {
            accepted: self.accepted.get(),
            full: refused(FULL),
            closed: refused(CLOSED),
            done,
            panicked,
            cancelled,
        }
    }

    pub(crate) fn text(&self) -> String {
        let unfinished = self.counts().unfinished();
        self.unfinished.set(i64::try_from(unfinished).unwrap_or(i64::MAX));
        let families = self.registry.gather();
        let text = TextEncoder::new().encode_to_string(&families);
        // It fails for a family without a metric, and there is none.
        text.unwrap_or_default()
    }
}
