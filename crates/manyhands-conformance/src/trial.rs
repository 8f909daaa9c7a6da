//! A law or a claim on trial: on a thread of its own, with a watchdog.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use manyhands_core::{Config, Panic, WorkerPool};

use crate::os::{self, Tid};
use crate::{Depth, Finding, LawJob, laws};

/// A pool under test.
pub(crate) type Pool = Box<dyn WorkerPool<LawJob>>;
/// What makes pools to test.
pub(crate) type Make = Arc<dyn Fn(Config) -> Pool + Send + Sync>;
/// How a check ends. Whatever else it says is in the watch already.
///
/// Under this name, since cargo-mutants tries an `Ok` where it reads it: a
/// check that finds nothing.
pub(crate) type Result<T = (), E = Stop> = std::result::Result<T, E>;

/// Why a check ended early.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// The failure was noted.
    Failed,
    /// The system lacks this.
    Skipped(&'static str),
}

/// On which sizes something is tried, and how.
pub(crate) struct Plan {
    /// What is tried, and on which sizes in the default depth.
    parts: Vec<(Sizes, Body)>,
    /// With large numbers, in the deep form.
    long: Sizes,
    /// While no other check of this process goes on.
    alone: bool,
}

/// What a law, or a part of it, does with pools of one size.
type Body = fn(&Trial) -> Result;

/// Workers and queue of pools.
pub(crate) type Sizes = &'static [(usize, usize)];

/// What a law works with: pools of one size, and a place for notes.
pub(crate) struct Trial {
    make: Make,
    config: Config,
    /// With large numbers.
    long: bool,
    watch: Arc<Watch>,
}

/// Fails the trial unless something holds.
macro_rules! ensure {
    ($trial:expr, $holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err($trial.fail(format_args!($($what)+)));
        }
    };
}
pub(crate) use ensure;

impl Plan {
    pub(crate) fn new(sizes: Sizes, long: Sizes, body: Body) -> Self {
        Self { parts: vec![(sizes, body)], long, alone: false }
    }

    /// Then that, on sizes of its own.
    pub(crate) fn and(mut self, sizes: Sizes, body: Body) -> Self {
        self.parts.push((sizes, body));
        self
    }

    /// Tried while no other check of this process goes on.
    pub(crate) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

impl Trial {
    fn new(
        make: Make,
        (workers, queue): (usize, usize),
        long: bool,
        watch: Arc<Watch>,
    ) -> Self {
        // The sizes of the plans are all within the limits.
        let config = Config::new(workers, queue).unwrap_or_default();
        watch.lock().config = Some(config);
        Self { make, config, long, watch }
    }

    /// A pool of the size under test.
    pub(crate) fn pool(&self) -> Pool {
        self.note("the pool to be made");
        let pool = (self.make)(self.config);
        self.note("the pool to take its first job");
        pool
    }

    /// The size under test.
    pub(crate) fn config(&self) -> Config {
        self.config
    }

    /// How many workers the pool was made with.
    pub(crate) fn workers(&self) -> usize {
        self.config.workers().get()
    }

    /// How many: so many as a rule, and `long` in the long form.
    pub(crate) fn many<T>(&self, usual: T, long: T) -> T {
        if self.long { long } else { usual }
    }

    /// Says what is being waited for from now on. The watchdog starts anew.
    pub(crate) fn note(&self, waiting_for: &'static str) {
        let mut notes = self.watch.lock();
        notes.waiting_for = waiting_for;
        notes.since = Instant::now();
    }

    /// Says that it is still going on: the watchdog starts anew. For steps
    /// that are long in the long form.
    pub(crate) fn goes_on(&self) {
        if self.long {
            self.watch.lock().since = Instant::now();
        }
    }

    /// Notes a failure. The first one counts: what follows from it tells
    /// less.
    pub(crate) fn fail(&self, how: impl fmt::Display) -> Stop {
        self.watch.fail(how);
        Stop::Failed
    }

    /// What a thread of the check found.
    pub(crate) fn join<T>(
        &self,
        thread: ScopedJoinHandle<'_, Result<T>>,
    ) -> Result<T> {
        thread.join().unwrap_or_else(|payload| {
            let panic = Panic::new(payload);
            Err(self.fail(format_args!("panicked: {}", panic.message())))
        })
    }
}

#[cfg(test)]
impl Trial {
    /// A trial without a pool, for what needs none.
    pub(crate) fn without_a_pool() -> Self {
        Self::of(|| unreachable!("there is no pool"))
    }

    /// A trial of these pools of one worker.
    pub(crate) fn of(make: fn() -> Pool) -> Self {
        let make = Arc::new(move |_| make());
        Self::new(make, (1, 0), false, Arc::new(Watch::new()))
    }

    /// The first failure.
    pub(crate) fn failure(&self) -> Option<String> {
        let notes = self.watch.lock();
        notes.failure.as_ref().map(|(how, _)| how.clone())
    }
}

/// Tries a pool on all sizes that the plan wants.
pub(crate) fn check(
    name: String,
    plan: Plan,
    depth: Depth,
    make: &Make,
    watchdog: Duration,
) -> Finding {
    /// What counts threads and open files would count those of its
    /// neighbours.
    static TURN: RwLock<()> = RwLock::new(());
    let _alone = plan.alone.then(|| TURN.write());
    let _among_others = (!plan.alone).then(|| TURN.read());

    let watch = Arc::new(Watch::new());
    let runs = {
        let (make, watch) = (Arc::clone(make), Arc::clone(&watch));
        thread::Builder::new()
            .name(name)
            .spawn(move || run(plan, depth, make, watch))
    };
    match runs {
        Err(error) => Finding::Failed(format!("no thread for it: {error}")),
        Ok(thread) => {
            let finding = watch.wait(watchdog);
            // A thread that hangs is left behind: nothing can end it.
            if watch.lock().end.is_some() {
                // It catches its panics, so there is nothing to report.
                let _ = thread.join();
            }
            finding
        }
    }
}

fn run(plan: Plan, depth: Depth, make: Make, watch: Arc<Watch>) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let trial = |size, long| {
            Trial::new(Arc::clone(&make), size, long, Arc::clone(&watch))
        };
        let on = |sizes: &[(usize, usize)], long, body: Body| {
            let mut trials = sizes.iter().map(|&size| trial(size, long));
            trials.try_for_each(|trial| body(&trial))
        };
        laws::has_workers(&trial(laws::EVERY[0], false))?;
        plan.parts.into_iter().try_for_each(|(sizes, body)| match depth {
            Depth::Default => on(sizes, false, body),
            Depth::Deep => {
                on(laws::EVERY, false, body)?;
                let mut own = sizes.to_vec();
                own.retain(|size| !laws::EVERY.contains(size));
                on(&own, false, body)?;
                on(plan.long, true, body)
            }
        })
    }));
    drop(make);
    let end = result.unwrap_or_else(|payload| {
        let panic = Panic::new(payload);
        watch.fail(format_args!("panicked: {}", panic.message()));
        Err(Stop::Failed)
    });
    watch.finish(end);
}

/// Where a law's thread leaves its notes, and its watchdog reads them.
struct Watch {
    /// The threads that were there before.
    others: BTreeSet<Tid>,
    notes: Mutex<Notes>,
    /// Signalled on the first failure and at the end.
    changed: Condvar,
}

struct Notes {
    /// The size of the pools on trial.
    config: Option<Config>,
    /// What is being waited for.
    waiting_for: &'static str,
    /// Since when.
    since: Instant,
    /// The first failure, and when it was noted.
    failure: Option<(String, Instant)>,
    end: Option<Result>,
}

impl Watch {
    fn new() -> Self {
        let notes = Notes {
            config: None,
            waiting_for: "the check to start",
            since: Instant::now(),
            failure: None,
            end: None,
        };
        Self {
            others: os::threads().unwrap_or_default(),
            notes: Mutex::new(notes),
            changed: Condvar::new(),
        }
    }

    fn fail(&self, how: impl fmt::Display) {
        let mut notes = self.lock();
        if notes.failure.is_none() {
            notes.failure = Some((notes.line(how), Instant::now()));
        }
        self.changed.notify_all();
    }

    fn finish(&self, end: Result) {
        self.lock().end = Some(end);
        self.changed.notify_all();
    }

    /// Waits for the end, or until it is plain that there will be none.
    fn wait(&self, watchdog: Duration) -> Finding {
        /// After a failure the rest is clearing up, which a broken pool may
        /// well not survive.
        const CLEAR_UP: Duration = Duration::from_millis(300);
        let mut notes = self.lock();
        loop {
            let (since, limit) = match notes.failure {
                Some((_, at)) => (at, CLEAR_UP),
                None => (notes.since, watchdog),
            };
            let left = limit.saturating_sub(since.elapsed());
            match (&notes.failure, notes.end) {
                (Some((how, _)), end) if end.is_some() || left.is_zero() => {
                    return Finding::Failed(how.clone());
                }
                (None, Some(Err(Stop::Skipped(why)))) => {
                    return Finding::Skipped(why.to_owned());
                }
                (None, Some(_)) => return Finding::Passed,
                (None, None) if left.is_zero() => {
                    let what = notes.waiting_for;
                    let threads = os::what_they_do(&self.others);
                    return Finding::Failed(notes.line(format_args!(
                        "hung for {limit:?}, waiting for {what}{threads}"
                    )));
                }
                _ => {}
            }
            notes = self
                .changed
                .wait_timeout(notes, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    fn line(&self, how: impl fmt::Display) -> String {
        match self.config {
            None => how.to_string(),
            Some(config) => {
                let (workers, queue) = (config.workers(), config.queue());
                format!("workers {workers}, queue {queue}: {how}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found when a check ends.
    fn found(failure: Option<&str>, end: Result) -> Finding {
        let watch = Watch::new();
        if let Some(how) = failure {
            watch.fail(how);
        }
        watch.finish(end);
        watch.wait(Duration::from_secs(10))
    }

    #[test]
    fn a_check_ends_as_passed_failed_or_skipped() {
        assert_eq!(found(None, Ok(())), Finding::Passed);
        let failed = Finding::Failed("it broke".to_owned());
        assert_eq!(found(Some("it broke"), Err(Stop::Failed)), failed);
        assert_eq!(found(Some("it broke"), Ok(())), failed);
        let skipped = Finding::Skipped("no /proc".to_owned());
        assert_eq!(found(None, Err(Stop::Skipped("no /proc"))), skipped);
    }
}
