//! How long a job takes from submit to completion.

use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use manyhands::{AsyncJob, Job, Outcome};
use manyhands_workloads::{Answer, Seen, WorkError, WorkJob};

use super::trial::Trial;
use crate::contenders::{self, Contender};
use crate::record::{Load, PERCENTS, Tail};

/// How long jobs took, as a distribution.
#[derive(Clone)]
pub(crate) struct Latency {
    nanos: Histogram<u64>,
    /// How many answers were checked meanwhile.
    answers: u64,
}

impl Latency {
    pub(crate) fn new() -> Self {
        /// Digits that are kept: as many as are shown.
        const DIGITS: u8 = 3;
        let nanos = Histogram::new(DIGITS);
        // It refuses more than 5 digits, and nothing else.
        let nanos = nanos.expect("3 digits are allowed");
        Self { nanos, answers: 0 }
    }

    /// The time within which so many percent of the jobs were done; `None`
    /// without a job.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let nanos = || self.nanos.value_at_percentile(percent) as f64;
        (!self.nanos.is_empty()).then(nanos)
    }

    /// Of how long the slowest took, what a picture shows.
    pub(crate) fn tail(&self, name: &str, load: Load) -> Tail {
        let jobs = self.nanos.len();
        let points = PERCENTS.map(|percent| {
            // Beyond the 99th, a job at least must be slower than that.
            let slower = (100.0 - percent) / 100.0 * jobs as f64;
            let is_told = percent <= 99.0 || percent == 100.0 || slower >= 1.0;
            (is_told && jobs > 0)
                .then(|| self.nanos.value_at_percentile(percent))
        });
        Tail { name: name.to_owned(), load, jobs, points }
    }

    /// How many answers were checked.
    pub(crate) fn answers(&self) -> u64 {
        self.answers
    }

    /// How it goes from process to process: the answers, then each time with
    /// how often it was seen.
    pub(super) fn to_line(&self) -> String {
        let mut line = self.answers.to_string();
        for seen in self.nanos.iter_recorded() {
            let (time, count) =
                (seen.value_iterated_to(), seen.count_at_value());
            // A `String` takes everything.
            let _ = write!(line, " {time}:{count}");
        }
        line
    }

    /// Takes in what came from another process. `None` if it is no such line.
    pub(crate) fn add_line(&mut self, line: &str) -> Option<()> {
        let mut fields = line.split(' ');
        self.answers += fields.next()?.parse::<u64>().ok()?;
        for seen in fields {
            let (time, count) = seen.split_once(':')?;
            let (time, count) = (time.parse().ok()?, count.parse().ok()?);
            self.nanos.record_n(time, count).ok()?;
        }
        Some(())
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

impl Stamped {
    /// A job that was submitted, or should have been, at that time.
    pub(super) fn new(job: WorkJob, submitted: Instant) -> Self {
        Self { job, submitted }
    }
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

/// The contender of that name, for stamped jobs.
pub(super) fn stamped(name: &'static str) -> Contender<Stamped> {
    let all = contenders::all::<Stamped, _, _>();
    let found = all.into_iter().find(|contender| contender.name == name);
    // The names are those of the list.
    found.unwrap_or_else(Contender::inline)
}

/// A run that looks at the jobs' times. Jobs that panic have none.
pub(super) fn look(
    trial: &Trial<'_>,
    contender: &Contender<Stamped>,
) -> anyhow::Result<Latency> {
    let mut latency = Latency::new();
    let jobs = trial.setting.workload.jobs();
    let jobs = jobs.map(|job| Stamped::new(job, Instant::now()));
    let ran = trial
        .run(contender, jobs, |outcome| unstamp(outcome, &mut latency))?;
    latency.answers = ran.answers;
    Ok(latency)
}

/// What came back of the job itself; its time is added.
pub(super) fn unstamp(
    outcome: Outcome<Stamped>,
    latency: &mut Latency,
) -> Seen {
    match outcome {
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
    }
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

    #[test]
    fn a_distribution_goes_through_a_line_and_stays_the_same() {
        let mut latency = Latency::new();
        latency.answers = 1000;
        for nanos in 1..=1000 {
            latency.add(Duration::from_nanos(nanos * nanos * 1234));
        }
        let mut again = Latency::new();
        again.add_line(&latency.to_line()).unwrap();
        assert_eq!(again.to_line(), latency.to_line());
        for percent in [1.0, 50.0, 99.0] {
            let both = [&latency, &again].map(|it| it.percentile(percent));
            assert_eq!(both[0], both[1]);
        }
        for wrong in ["", "x", "1 2", "1 2:x", "1  "] {
            assert_eq!(again.add_line(wrong), None, "{wrong:?}");
        }
    }
}
