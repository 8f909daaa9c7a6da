//! The laws of sinks as checks.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::JobSink;

/// What a job of [`check_sink`] is to do when it runs.
///
/// It is three numbers, so that a sink that writes its jobs down can write
/// this one down too. It must be run in the process that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SinkStep {
    trial: u64,
    number: u64,
    act: Act,
}

/// How a job of a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Return,
    Panic,
    /// When the check opens the gate.
    Wait,
}

impl SinkStep {
    /// The numbers it is made of.
    pub fn numbers(&self) -> [u64; 3] {
        let act = match self.act {
            Act::Return => 0,
            Act::Panic => 1,
            Act::Wait => 2,
        };
        [self.trial, self.number, act]
    }

    /// The step of these [numbers](Self::numbers).
    pub fn from_numbers([trial, number, act]: [u64; 3]) -> Self {
        let act = match act {
            0 => Act::Return,
            1 => Act::Panic,
            _ => Act::Wait,
        };
        Self { trial, number, act }
    }

    /// Does what it is to do; that may be to panic.
    pub fn run(&self) {
        let trial = lock(&TRIALS).get(&self.trial).cloned();
        // Of a check that is over.
        let Some(trial) = trial else { return };
        let _running = trial.enter(self.number);
        match self.act {
            Act::Return => {}
            // No panic hook is called: the panic is intended.
            Act::Panic => resume_unwind(Box::new("intended")),
            Act::Wait => {
                trial.wait_until(|seen| seen.is_open);
            }
        }
    }
}

/// A law of [`JobSink`] that was broken, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSinkLaw {
    /// Its number.
    pub law: u8,
    /// What was seen.
    pub saw: String,
}

impl fmt::Display for BrokenSinkLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sink law {}: {}", self.law, self.saw)
    }
}

/// Holds a sink to the laws of [`JobSink`].
///
/// `make` gives a new sink each time, which works (it is started), and has a
/// place for 100 jobs, or runs them as they come. `job` makes the sink's job
/// that calls [`SinkStep::run`] when it runs.
///
/// ```
/// use manyhands_conformance::check_sink;
/// use manyhands_core::{InlinePool, PoolSink};
///
/// # // It runs its jobs in `submit`, so it cannot be held to law 5; a pool of
/// # // threads stands in the tests of this crate.
/// let make = || PoolSink(InlinePool::new());
/// let broken = check_sink(make, |step| move || step.run());
/// assert!(broken.iter().all(|broken| broken.law == 5));
/// ```
pub fn check_sink<J, S>(
    make: impl Fn() -> S,
    job: impl Fn(SinkStep) -> J,
) -> Vec<BrokenSinkLaw>
where
    J: Send + 'static,
    S: JobSink<J, Id: PartialEq + fmt::Debug> + 'static,
{
    let checks: [Check<J, S>; 6] = [
        runs_at_least_once,
        refused_is_not_run,
        has_an_id_of_its_own,
        stop_is_final,
        stop_waits,
        panic_is_contained,
    ];
    let mut broken = Vec::new();
    for (law, check) in (1..).zip(checks) {
        let trial = Trial::new();
        let sink = Arc::new(make());
        if let Err(saw) = check(&sink, &trial, &job) {
            broken.push(BrokenSinkLaw { law, saw });
        }
        trial.open();
        lock(&TRIALS).remove(&trial.id);
    }
    broken
}

type Check<J, S> =
    fn(&Arc<S>, &Arc<Trial>, &dyn Fn(SinkStep) -> J) -> Result<(), String>;

fn runs_at_least_once<J, S: JobSink<J>>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String> {
    submit(sink, trial, job, 0..JOBS)?;
    trial.all_ran(0..JOBS)?;
    sink.stop();
    Ok(())
}

fn refused_is_not_run<J, S: JobSink<J>>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String> {
    submit(sink, trial, job, 0..JOBS)?;
    trial.all_ran(0..JOBS)?;
    sink.stop();
    let mut refused = Vec::new();
    for number in JOBS..2 * JOBS {
        if sink.submit(job(trial.step(number, Act::Return))).is_err() {
            refused.push(number);
        }
    }
    thread::sleep(MOMENT);
    let seen = lock(&trial.seen);
    match refused.iter().find(|number| seen.runs.contains_key(number)) {
        Some(number) => Err(format!("job {number} was refused, and ran")),
        None => Ok(()),
    }
}

fn has_an_id_of_its_own<J, S>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String>
where
    S: JobSink<J, Id: PartialEq + fmt::Debug>,
{
    let ids = submit(sink, trial, job, 0..JOBS)?;
    trial.all_ran(0..JOBS)?;
    sink.stop();
    for (n, id) in ids.iter().enumerate() {
        if ids[..n].contains(id) {
            return Err(format!("two jobs have the id {id:?}"));
        }
    }
    Ok(())
}

fn stop_is_final<J, S>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String>
where
    J: Send + 'static,
    S: JobSink<J> + 'static,
{
    let stopped = Arc::new(AtomicU64::new(0));
    for _ in 0..3 {
        let (sink, stopped) = (Arc::clone(sink), Arc::clone(&stopped));
        thread::spawn(move || {
            sink.stop();
            sink.stop();
            stopped.fetch_add(1, Ordering::SeqCst);
        });
    }
    wait("three threads to stop it", || stopped.load(Ordering::SeqCst) == 3)?;
    match sink.submit(job(trial.step(0, Act::Return))) {
        Ok(_) => Err("a job was accepted after stop".into()),
        Err(_) => Ok(()),
    }
}

fn stop_waits<J, S>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String>
where
    J: Send + 'static,
    S: JobSink<J> + 'static,
{
    let step = trial.step(0, Act::Wait);
    let submitted = {
        let (sink, job) = (Arc::clone(sink), job(step));
        thread::spawn(move || sink.submit(job).is_ok())
    };
    trial.all_ran(0..1)?;
    let is_stopped = Arc::new(AtomicBool::new(false));
    {
        let (sink, is_stopped) = (Arc::clone(sink), Arc::clone(&is_stopped));
        thread::spawn(move || {
            sink.stop();
            is_stopped.store(true, Ordering::SeqCst);
        });
    }
    thread::sleep(MOMENT);
    if is_stopped.load(Ordering::SeqCst) {
        return Err("stop returned while a job ran".into());
    }
    if !submitted.is_finished() {
        return Err("submit runs the job itself".into());
    }
    trial.open();
    wait("stop to return", || is_stopped.load(Ordering::SeqCst))?;
    match lock(&trial.seen).running {
        0 => Ok(()),
        running => Err(format!("{running} jobs run after stop")),
    }
}

fn panic_is_contained<J, S: JobSink<J>>(
    sink: &Arc<S>,
    trial: &Arc<Trial>,
    job: &dyn Fn(SinkStep) -> J,
) -> Result<(), String> {
    for number in 0..JOBS {
        let act = if number % 2 == 0 { Act::Panic } else { Act::Return };
        let submitted = sink.submit(job(trial.step(number, act)));
        submitted.map_err(|_| format!("job {number} was refused"))?;
    }
    trial.all_ran(0..JOBS)?;
    sink.stop();
    Ok(())
}

/// As many as a worker does at once, ten times over.
const JOBS: u64 = 100;

/// In which something that must not happen may happen.
const MOMENT: Duration = Duration::from_millis(50);

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(10);

fn submit<J, S: JobSink<J>>(
    sink: &Arc<S>,
    trial: &Trial,
    job: &dyn Fn(SinkStep) -> J,
    numbers: std::ops::Range<u64>,
) -> Result<Vec<S::Id>, String> {
    let submit = |number| {
        let submitted = sink.submit(job(trial.step(number, Act::Return)));
        submitted.map_err(|_| format!("job {number} was refused"))
    };
    numbers.map(submit).collect()
}

/// What the jobs of a check have been seen at.
struct Trial {
    id: u64,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    runs: BTreeMap<u64, u64>,
    running: u64,
    is_open: bool,
}

/// By their ids, for the jobs know no more.
static TRIALS: LazyLock<Mutex<HashMap<u64, Arc<Trial>>>> =
    LazyLock::new(Mutex::default);

impl Trial {
    fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (seen, changed) = Default::default();
        let trial = Arc::new(Self { id, seen, changed });
        lock(&TRIALS).insert(id, Arc::clone(&trial));
        trial
    }

    fn step(&self, number: u64, act: Act) -> SinkStep {
        SinkStep { trial: self.id, number, act }
    }

    fn enter(self: &Arc<Self>, number: u64) -> Running {
        let mut seen = lock(&self.seen);
        *seen.runs.entry(number).or_default() += 1;
        seen.running += 1;
        self.changed.notify_all();
        Running(Arc::clone(self))
    }

    fn open(&self) {
        lock(&self.seen).is_open = true;
        self.changed.notify_all();
    }

    /// False when that took too long.
    fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) -> bool {
        let seen = lock(&self.seen);
        let waited = self
            .changed
            .wait_timeout_while(seen, PATIENCE, |seen| !is_so(seen));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn all_ran(&self, mut jobs: std::ops::Range<u64>) -> Result<(), String> {
        let all = jobs.clone();
        let have_all = move |seen: &Seen| {
            all.clone().all(|number| seen.runs.contains_key(&number))
        };
        if self.wait_until(have_all) {
            return Ok(());
        }
        let seen = lock(&self.seen);
        let missing = jobs.find(|number| !seen.runs.contains_key(number));
        Err(match missing {
            Some(number) => format!("job {number} was accepted, and not run"),
            None => "a job ran when the wait for it was over".into(),
        })
    }
}

/// A job that runs.
struct Running(Arc<Trial>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.seen).running -= 1;
        self.0.changed.notify_all();
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > end {
            return Err(format!("waited {PATIENCE:?} for {what}"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
