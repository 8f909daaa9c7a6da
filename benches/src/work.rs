//! The jobs: the same function for every contender.
//!
//! A [`Task`] is 16 bytes and is copied, its [`Answer`] is 16 bytes. What it
//! computes is what the jobs of `manyhands-workloads` compute, and what the
//! program in `go/` computes, so that figures of all three can be laid side by
//! side; a test holds them together.

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use manyhands::{AsyncJob, Job};

/// What a job answers. An error, since some pools stop at the first.
pub type Answer = Result<u64, Failed>;

/// The error of a job that was asked to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// One job.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Its place in the list; part of every answer.
    index: u64,
    what: What,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Mixes its index so many times. Once is `noop`: there is no job that
    /// does less and still has an answer of its own.
    Spin(u32),
    /// Sleeps so many microseconds, then mixes its index once.
    Sleep(u32),
    /// Spins, and answers with its index as it is, by which the reader finds
    /// the time at which it was due.
    Echo(u32),
    /// Tells [`stopwatch`] that it has started, then spins.
    Mark(u32),
    /// Does that, then fails.
    Fail(u32),
}

impl Task {
    /// The job at that place.
    pub fn new(index: u64, what: What) -> Self {
        Self { index, what }
    }

    /// How many microseconds it sleeps, if it does: for whoever has a timer
    /// of its own, and then runs it [`awake`](Self::awake).
    pub fn sleeps(&self) -> Option<u32> {
        match self.what {
            What::Sleep(micros) => Some(micros),
            _ => None,
        }
    }

    /// The same job with its sleep behind it.
    pub fn awake(self) -> Self {
        match self.what {
            What::Sleep(_) => Self { what: What::Spin(1), ..self },
            _ => self,
        }
    }
}

impl Job for Task {
    type Output = Answer;

    // Never inlined: it is one function, whichever pool calls it.
    #[inline(never)]
    fn run(self) -> Answer {
        let Self { index, what } = self;
        match what {
            What::Spin(rounds) => Ok(spin(index, rounds)),
            What::Sleep(micros) => {
                std::thread::sleep(Duration::from_micros(micros.into()));
                Ok(spin(index, 1))
            }
            What::Echo(rounds) => {
                black_box(spin(index, rounds));
                Ok(index)
            }
            What::Mark(rounds) => {
                stopwatch::started();
                Ok(spin(index, rounds))
            }
            What::Fail(rounds) => {
                stopwatch::started();
                black_box(spin(index, rounds));
                stopwatch::failed();
                Err(Failed)
            }
        }
    }
}

impl AsyncJob for Task {
    async fn run_async(self) -> Answer {
        if let Some(micros) = self.sleeps() {
            tokio::time::sleep(Duration::from_micros(micros.into())).await;
        }
        self.awake().run()
    }
}

/// SplitMix64: one to one, so that different jobs have different answers.
const fn mix(number: u64) -> u64 {
    let x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Each round needs the one before: none can be left out.
fn spin(start: u64, rounds: u32) -> u64 {
    (0..rounds).fold(start, |x, _| mix(x))
}

/// Where jobs come from: all that a contender asks of a workload. A copy costs
/// little, for those that take it along to another thread.
pub trait Source: Clone + Send + Sync + 'static {
    /// The job at that place. Called once a job, by whoever submits it.
    fn task(&self, index: u64) -> Task;
}

/// A list of jobs without an end, each with one right answer.
#[derive(Clone, Debug)]
pub struct Work {
    name: Arc<str>,
    what: What,
    /// How many rounds, by the place in the list, where they differ.
    sizes: Option<Arc<[u32; SIZES]>>,
}

/// How many different sizes a skewed workload has: enough for the tail of
/// one job in some hundreds, few enough to stay in the nearest cache.
pub const SIZES: usize = 256;

impl Work {
    /// Understands `noop`, `spin:SIZE`, `skew:SIZE` and `sleep:TIME`. A time
    /// is a number with `ns`, `us` or `ms`; a size is a time on this machine,
    /// or a number of rounds, `700x`.
    ///
    /// # Errors
    ///
    /// One line that names what was not understood, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, WorkError> {
        let wrong = || WorkError(text.chars().take(40).collect());
        let (kind, size) = text.split_once(':').unwrap_or((text, ""));
        let mut sizes = None;
        let what = match kind {
            "noop" if text == kind => What::Spin(1),
            "spin" => What::Spin(spins(size).ok_or_else(wrong)?),
            "skew" => {
                let mean = spins(size).ok_or_else(wrong)?;
                sizes = Some(Arc::new(log_normal(mean)));
                What::Spin(mean)
            }
            "sleep" => {
                let time = time(size).ok_or_else(wrong)?;
                let micros = time.as_micros().try_into();
                What::Sleep(micros.map_err(|_| wrong())?)
            }
            _ => return Err(wrong()),
        };
        Ok(Self { name: text.into(), what, sizes })
    }

    /// A workload whose jobs all do this.
    pub fn of(name: &str, what: What) -> Self {
        Self { name: name.into(), what, sizes: None }
    }

    /// The name that it was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same workload in words that do not hang on how fast the machine
    /// is at the moment.
    pub fn exact(&self) -> String {
        match self.what {
            What::Spin(rounds) if self.sizes.is_some() => {
                format!("skew:{rounds}x")
            }
            What::Spin(rounds) if &*self.name != "noop" => {
                format!("spin:{rounds}x")
            }
            _ => self.name.to_string(),
        }
    }

    /// What its jobs do; in a skewed workload, those of mean size.
    pub fn what(&self) -> What {
        self.what
    }

    /// The sizes of a skewed workload, in rounds.
    pub fn sizes(&self) -> Option<&[u32; SIZES]> {
        self.sizes.as_deref()
    }

    /// What the first so many jobs add up to. A plain loop over them, on this
    /// thread; jobs that sleep are not slept for.
    pub fn expected(&self, jobs: u64) -> Sum {
        let mut sum = Sum::default();
        for index in 0..jobs {
            let Task { what, .. } = self.task(index);
            sum.add(match what {
                What::Spin(rounds) | What::Mark(rounds) => {
                    Ok(spin(index, rounds))
                }
                What::Sleep(_) => Ok(spin(index, 1)),
                What::Echo(_) => Ok(index),
                What::Fail(_) => Err(Failed),
            });
        }
        sum
    }
}

impl Source for Work {
    fn task(&self, index: u64) -> Task {
        let what = match &self.sizes {
            None => self.what,
            Some(sizes) => {
                What::Spin(sizes[mix(index) as usize % sizes.len()])
            }
        };
        Task { index, what }
    }
}

/// Jobs of which one fails.
#[derive(Clone, Copy, Debug)]
pub struct Stops {
    /// What the others do.
    pub what: What,
    /// What that one does.
    pub fails: What,
    /// Which one.
    pub at: u64,
}

impl Source for Stops {
    fn task(&self, index: u64) -> Task {
        let what = if index == self.at { self.fails } else { self.what };
        Task { index, what }
    }
}

/// A workload of which is counted what was taken from it and not yet read.
#[derive(Clone, Debug)]
pub struct Counted {
    work: Work,
    /// Now, and at most.
    under_way: Arc<(AtomicU64, AtomicU64)>,
}

impl Counted {
    /// Nothing was taken yet.
    pub fn new(work: &Work) -> Self {
        Self { work: work.clone(), under_way: Arc::default() }
    }

    /// The answer of one job was read.
    pub fn read(&self) {
        self.under_way.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// Most jobs that were taken and not yet read.
    pub fn most(&self) -> u64 {
        self.under_way.1.load(Ordering::SeqCst)
    }
}

impl Source for Counted {
    fn task(&self, index: u64) -> Task {
        let (now, most) = &*self.under_way;
        most.fetch_max(
            1 + now.fetch_add(1, Ordering::SeqCst),
            Ordering::SeqCst,
        );
        self.work.task(index)
    }
}

/// What has come back, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many jobs answered.
    pub jobs: u64,
    /// How many of them with an error.
    pub failed: u64,
    /// All other answers, added with overflow.
    pub digest: u64,
}

impl Sum {
    /// Takes in one answer.
    pub fn add(&mut self, answer: Answer) {
        self.jobs += 1;
        match answer {
            Ok(digest) => self.digest = self.digest.wrapping_add(digest),
            Err(Failed) => self.failed += 1,
        }
    }
}

/// A workload that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkError(String);

impl fmt::Display for WorkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "work is {:?}, allowed are noop, spin:SIZE, skew:SIZE and \
             sleep:TIME, with TIME as 78ns, 10us or 1ms, 1000ms at most, \
             and SIZE as a TIME or a number of rounds, 700x",
            self.0
        )
    }
}

impl Error for WorkError {}

/// Understands a time, or a number of rounds, `700x`.
fn spins(size: &str) -> Option<u32> {
    match size.strip_suffix('x') {
        Some(count) => count.parse().ok().filter(|count| *count > 0),
        None => time(size).map(rounds),
    }
}

/// Understands `78ns`, `10us`, `1ms`: from 1 ns to 1 s.
fn time(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let scale = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        _ => return None,
    };
    let nanos = number.parse::<u64>().ok()?.checked_mul(scale)?;
    (1..=1_000_000_000).contains(&nanos).then(|| Duration::from_nanos(nanos))
}

/// How many rounds take this long on this machine; 1 at least. The machine is
/// timed once a process.
fn rounds(time: Duration) -> u32 {
    static PER_NANOSECOND: OnceLock<f64> = OnceLock::new();
    let rate = PER_NANOSECOND.get_or_init(|| {
        /// Much longer than a look at the clock, much shorter than a slice.
        const ROUNDS: u32 = 10_000;
        let start = Instant::now();
        let mut fastest = Duration::MAX;
        // Long enough for a processor to wake up.
        while start.elapsed() < Duration::from_millis(20) {
            let trial = Instant::now();
            black_box(spin(black_box(0), ROUNDS));
            fastest = fastest.min(trial.elapsed());
        }
        f64::from(ROUNDS) / fastest.as_nanos().max(1) as f64
    });
    // From float to integer, `as` keeps to the integer's range.
    ((time.as_nanos() as f64 * rate) as u32).max(1)
}

/// Sizes of which the mean is this, spread as the log-normal distribution
/// spreads them: one at the middle of each of so many equal shares of it. The
/// standard deviation of the logarithm is 1.5, as in `manyhands-workloads`.
fn log_normal(mean: u32) -> [u32; SIZES] {
    const SIGMA: f64 = 1.5;
    let mut sizes = [0.0; SIZES];
    for (place, size) in sizes.iter_mut().enumerate() {
        let share = (place as f64 + 0.5) / SIZES as f64;
        *size = (SIGMA * quantile(share)).exp();
    }
    let scale = f64::from(mean) * SIZES as f64 / sizes.iter().sum::<f64>();
    sizes.map(|size| ((size * scale) as u32).max(1))
}

/// Below which value this share of the standard normal distribution lies:
/// found by halving, with the distribution summed up by Simpson's rule.
fn quantile(share: f64) -> f64 {
    let density = |x: f64| (-x * x / 2.0).exp();
    let below = |x: f64| {
        const STEPS: u32 = 200;
        let step = x / f64::from(STEPS);
        let inner: f64 = (1..STEPS)
            .map(|i| {
                let weight = if i % 2 == 1 { 4.0 } else { 2.0 };
                weight * density(f64::from(i) * step)
            })
            .sum();
        let area = (density(0.0) + inner + density(x)) * step / 3.0;
        0.5 + area / std::f64::consts::TAU.sqrt()
    };
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) < share { low = middle } else { high = middle }
    }
    low
}

/// When the last job started, and when the first one failed. One for the
/// process: what it times is one run at a time.
pub mod stopwatch {
    use super::*;

    /// Nanoseconds since the first reading; 0 is never.
    static LAST_START: AtomicU64 = AtomicU64::new(0);
    static FIRST_FAILURE: AtomicU64 = AtomicU64::new(0);
    static STARTED_LATE: AtomicU64 = AtomicU64::new(0);

    /// What was seen since the last [`reset`].
    #[derive(Clone, Copy, Debug)]
    pub struct Reading {
        /// From the first failure to the last start after it.
        pub last_start: Duration,
        /// How many jobs started after the first failure.
        pub started_late: u64,
        /// Whether a job failed.
        pub failed: bool,
    }

    /// Forgets what was seen.
    pub fn reset() {
        for place in [&LAST_START, &FIRST_FAILURE, &STARTED_LATE] {
            place.store(0, Ordering::SeqCst);
        }
    }

    /// What was seen.
    pub fn read() -> Reading {
        let failure = FIRST_FAILURE.load(Ordering::SeqCst);
        let last = LAST_START.load(Ordering::SeqCst);
        Reading {
            last_start: Duration::from_nanos(last.saturating_sub(failure)),
            started_late: STARTED_LATE.load(Ordering::SeqCst),
            failed: failure > 0,
        }
    }

    pub(super) fn started() {
        LAST_START.fetch_max(now(), Ordering::SeqCst);
        if FIRST_FAILURE.load(Ordering::SeqCst) > 0 {
            STARTED_LATE.fetch_add(1, Ordering::SeqCst);
        }
    }

    pub(super) fn failed() {
        let first = Ordering::SeqCst;
        let _ = FIRST_FAILURE.compare_exchange(0, now(), first, first);
    }

    fn now() -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let since = START.get_or_init(Instant::now).elapsed();
        1 + since.as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use manyhands::JobId;
    use manyhands_workloads::{Settings, Workload};

    use super::*;

    #[test]
    fn the_jobs_are_those_of_the_workloads_crate() {
        let settings = Settings { jobs: Some(100), ..Settings::default() };
        let theirs = Workload::parse("noop", &settings).unwrap();
        let ours = Work::parse("noop").unwrap();
        for (index, job) in (0..).zip(theirs.jobs()) {
            let answer = job.run().unwrap();
            assert_eq!(ours.task(index).run(), Ok(answer.digest));
            assert_eq!(answer.bytes, 0);
        }
        // And how often they mix: theirs answers like some spin of ours.
        let theirs = Workload::parse("spin:100ns", &settings).unwrap();
        let first = theirs.jobs().next().unwrap().run().unwrap().digest;
        let rounds = (1..10_000).find(|&rounds| spin(0, rounds) == first);
        let ours = Work::parse(&format!("spin:{}x", rounds.unwrap())).unwrap();
        let mut tally = theirs.tally();
        for (index, job) in (0..).zip(theirs.jobs()) {
            let digest = job.run().unwrap().digest;
            assert_eq!(ours.task(index).run(), Ok(digest));
            let outcome = theirs.jobs().nth(index as usize).unwrap().run();
            tally.add(JobId::new(index), manyhands::Outcome::Done(outcome));
        }
        tally.check(false).unwrap();
    }

    #[test]
    fn jobs_and_answers_are_small() {
        assert_eq!(size_of::<Task>(), 16);
        assert_eq!(size_of::<Answer>(), 16);
    }

    #[test]
    fn a_skewed_workload_has_its_mean_and_the_tail_of_a_log_normal() {
        let sizes = log_normal(1_000_000);
        let mean = sizes.map(f64::from).iter().sum::<f64>() / SIZES as f64;
        assert!((0.99e6..1.01e6).contains(&mean), "{mean}");
        // The quantiles of N(0, 1) that every table has.
        assert!((quantile(0.975) - 1.959_964).abs() < 1e-4);
        assert!((quantile(0.5)).abs() < 1e-6);
        let ratio = f64::from(sizes[SIZES - 1]) / f64::from(sizes[SIZES / 2]);
        assert!((60.0..90.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_is_allowed() {
        for text in [
            "",
            "nop",
            "noop:1",
            "spin",
            "spin:0ns",
            "spin:0x",
            "spin:-1x",
            "spin:2s",
            "sleep:1001ms",
            "skew:10",
        ] {
            let error = Work::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
            assert!(error.contains("allowed are noop"), "{error}");
        }
        for text in ["noop", "spin:78ns", "spin:5x", "skew:1us", "sleep:1ms"] {
            let work = Work::parse(text).unwrap();
            assert_eq!(work.name(), text);
            let exact = Work::parse(&work.exact()).unwrap();
            assert_eq!(exact.expected(300), work.expected(300));
        }
    }

    #[test]
    fn a_sum_tells_a_lost_and_a_doubled_answer() {
        let work = Work::parse("noop").unwrap();
        let mut lost = Sum::default();
        (1..10).for_each(|index| lost.add(work.task(index).run()));
        assert_ne!(lost, work.expected(10));
        lost.add(work.task(1).run());
        assert_ne!(lost, work.expected(10));
    }
}
