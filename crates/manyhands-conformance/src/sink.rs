//! The laws of sinks as checks.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
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
    let laws: [Law<'_, J, S>; 6] = [
        Case::runs_at_least_once,
        Case::refused_is_not_run,
        Case::has_an_id_of_its_own,
        Case::stop_is_final,
        Case::stop_waits,
        Case::panic_is_contained,
    ];
    let mut broken = Vec::new();
    for (law, holds) in (1..).zip(laws) {
        let (sink, trial) = (Arc::new(make()), Trial::new());
        let case = Case { sink, trial, job: &job };
        if let Err(saw) = holds(&case) {
            broken.push(BrokenSinkLaw { law, saw });
        }
        case.trial.open();
        lock(&TRIALS).remove(&case.trial.id);
    }
    broken
}

/// A law, and what was seen if it does not hold.
type Law<'a, J, S> = fn(&Case<'a, J, S>) -> Result<(), String>;

/// A sink on trial, and how its jobs are made.
struct Case<'a, J, S> {
    sink: Arc<S>,
    trial: Arc<Trial>,
    job: &'a dyn Fn(SinkStep) -> J,
}

impl<J, S> Case<'_, J, S>
where
    J: Send + 'static,
    S: JobSink<J, Id: PartialEq + fmt::Debug> + 'static,
{
    fn runs_at_least_once(&self) -> Result<(), String> {
        self.ran()?;
        Ok(())
    }

    fn refused_is_not_run(&self) -> Result<(), String> {
        self.ran()?;
        let is_refused = |number: &u64| {
            self.sink.submit(self.job(*number, Act::Return)).is_err()
        };
        let refused: Vec<_> = (JOBS..2 * JOBS).filter(is_refused).collect();
        thread::sleep(MOMENT);
        let seen = lock(&self.trial.seen);
        match refused.iter().find(|number| seen.runs.contains_key(number)) {
            Some(number) => Err(format!("job {number} was refused, and ran")),
            None => Ok(()),
        }
    }

    fn has_an_id_of_its_own(&self) -> Result<(), String> {
        let ids = self.ran()?;
        for (n, id) in ids.iter().enumerate() {
            if ids[..n].contains(id) {
                return Err(format!("two jobs have the id {id:?}"));
            }
        }
        Ok(())
    }

    fn stop_is_final(&self) -> Result<(), String> {
        let stops = [(); 3].map(|()| {
            self.aside(|sink| {
                sink.stop();
                sink.stop();
            })
        });
        wait("three threads to stop it", || {
            stops.iter().all(JoinHandle::is_finished)
        })?;
        match self.sink.submit(self.job(0, Act::Return)) {
            Ok(_) => Err("a job was accepted after stop".into()),
            Err(_) => Ok(()),
        }
    }

    fn stop_waits(&self) -> Result<(), String> {
        let job = self.job(0, Act::Wait);
        let submits = self.aside(|sink| drop(sink.submit(job)));
        self.trial.all_ran(0..1)?;
        let stops = self.aside(|sink| sink.stop());
        thread::sleep(MOMENT);
        if stops.is_finished() {
            return Err("stop returned while a job ran".into());
        }
        if !submits.is_finished() {
            return Err("submit runs the job itself".into());
        }
        self.trial.open();
        wait("stop to return", || stops.is_finished())?;
        match lock(&self.trial.seen).running {
            0 => Ok(()),
            running => Err(format!("{running} jobs run after stop")),
        }
    }

    fn panic_is_contained(&self) -> Result<(), String> {
        let act = |n| if n % 2 == 0 { Act::Panic } else { Act::Return };
        self.ran_as(act)?;
        Ok(())
    }

    /// Has jobs run, all that were submitted, and stops.
    fn ran(&self) -> Result<Vec<S::Id>, String> {
        self.ran_as(|_| Act::Return)
    }

    fn ran_as(&self, act: impl Fn(u64) -> Act) -> Result<Vec<S::Id>, String> {
        let submit = |number| {
            let submitted = self.sink.submit(self.job(number, act(number)));
            submitted.map_err(|_| format!("job {number} was refused"))
        };
        let ids = (0..JOBS).map(submit).collect::<Result<_, _>>()?;
        self.trial.all_ran(0..JOBS)?;
        self.sink.stop();
        Ok(ids)
    }

    fn job(&self, number: u64, act: Act) -> J {
        (self.job)(SinkStep { trial: self.trial.id, number, act })
    }

    /// On a thread of its own, for it may take long.
    fn aside(&self, act: impl FnOnce(&S) + Send + 'static) -> JoinHandle<()> {
        let sink = Arc::clone(&self.sink);
        thread::spawn(move || act(&sink))
    }
}

/// As many as a worker does at once, ten times over.
const JOBS: u64 = 100;

/// In which something that must not happen may happen.
const MOMENT: Duration = Duration::from_millis(50);

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(10);

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
