//! How long a job takes from submit to completion.

use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use manyhands::{AsyncJob, Job, Outcome};
use manyhands_workloads::{Answer, Seen, WorkError, WorkJob};

use super::trial::{Ran, Trial};
use crate::contenders::{self, AGAIN, Contender};

/// How long jobs took, as a distribution.
#[derive(Clone)]
pub(crate) struct Latency {
    nanos: Histogram<u64>,
}

impl Latency {
    pub(crate) fn new() -> Self {
        /// Digits that are kept: as many as are shown.
        const DIGITS: u8 = 3;
        let nanos = Histogram::new(DIGITS);
        // It refuses more than 5 digits, and nothing else.
        Self { nanos: nanos.expect("3 digits are allowed") }
    }

    /// The time within which so many percent of the jobs were done; `None`
    /// without a job.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let nanos = || self.nanos.value_at_percentile(percent) as f64;
        (!self.nanos.is_empty()).then(nanos)
    }

    fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // It grows as it has to, so it takes every value.
        let _ = self.nanos.record(nanos);
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latency({} jobs)", self.nanos.len())
    }
}

/// A job with a stamp: when it was handed to `submit`. It answers how long
/// ago that was when it ended, beside its own answer.
#[derive(Debug)]
pub(crate) struct Stamped {
    job: WorkJob,
    submitted: Instant,
}

impl Job for Stamped {
    type Output = Result<(Answer, Duration), (WorkError, Duration)>;

    fn run(self) -> Self::Output {
        let output = self.job.run();
        stamp(output, self.submitted)
    }
}

impl AsyncJob for Stamped {
    async fn run_async(self) -> Self::Output {
        let output = self.job.run_async().await;
        stamp(output, self.submitted)
    }
}

fn stamp<T, E>(
    output: Result<T, E>,
    submitted: Instant,
) -> Result<(T, Duration), (E, Duration)> {
    let time = submitted.elapsed();
    output.map(|answer| (answer, time)).map_err(|error| (error, time))
}

/// The same contenders, for stamped jobs.
pub(super) fn contenders(
    of: &[Contender<WorkJob>],
) -> Vec<Contender<Stamped>> {
    let stamped = |name| {
        let all = contenders::all::<Stamped, _, _>();
        let found = all.into_iter().find(|it| it.name == name);
        // Only the second baseline is not in the list.
        found.unwrap_or_else(|| Contender::inline(AGAIN))
    };
    of.iter().map(|contender| stamped(contender.name)).collect()
}

/// A run that looks at the jobs' times. Jobs that panic have none.
pub(super) fn run(
    trial: &Trial<'_>,
    contender: &Contender<Stamped>,
    latency: &mut Latency,
) -> anyhow::Result<Option<Ran>> {
    let jobs = trial.plan.workload.jobs();
    let jobs = jobs.map(|job| Stamped { job, submitted: Instant::now() });
    trial.run(contender, jobs, |outcome| match outcome {
        Outcome::Done(Ok((answer, time))) => {
            latency.add(time);
            Seen::Answer(answer)
        }
        Outcome::Done(Err((error, time))) => {
            latency.add(time);
            Seen::Error(error)
        }
        Outcome::Panicked(panic) => Seen::Panicked(panic),
        Outcome::Cancelled(_) => Seen::Cancelled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_have_three_digits() {
        let mut latency = Latency::new();
        assert_eq!(latency.percentile(50.0), None);
        for millis in 1..=100 {
            latency.add(Duration::from_millis(millis));
        }
        for (percent, millis) in [(50.0, 50.0), (99.0, 99.0)] {
            let found = latency.percentile(percent).unwrap() / 1e6;
            assert!((found / millis - 1.0f64).abs() < 1e-3, "{found}");
        }
    }
}
