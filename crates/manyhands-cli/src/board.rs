//! Which worker does what now, told by the jobs themselves.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use manyhands_trace::{Ended, Observe};

use crate::interrupt::Interrupt;
use crate::output::print_line;

/// The workers, and what they do.
///
/// A pool does not say which worker runs a job, and some have no standing
/// workers at all, but a thread or a task a job. So a worker is a *lane*
/// here: of jobs that run at once each has its own, and a thread that runs
/// one job after the other stays in its lane.
#[derive(Debug)]
pub(crate) struct Board {
    /// How many lanes there should be.
    workers: usize,
    /// Whether each start and end is printed.
    lines: bool,
    /// Told when nobody reads the lines any more.
    interrupt: Interrupt,
    state: Mutex<State>,
}

/// What one worker did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lane {
    /// How many jobs it ended.
    pub(crate) jobs: u64,
    /// How long it was at them.
    pub(crate) busy: Duration,
    /// Which thread was here last.
    thread: Option<ThreadId>,
    /// What runs now, and since when.
    now: Option<(u64, Instant)>,
}

impl Lane {
    /// The job that runs now.
    pub(crate) fn job(&self) -> Option<u64> {
        self.now.map(|(job, _)| job)
    }
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<Lane>,
    /// How many jobs were made and have not started.
    waiting: usize,
    /// Why lines could not be printed.
    error: Option<anyhow::Error>,
}

impl Board {
    pub(crate) fn new(
        workers: usize,
        lines: bool,
        interrupt: &Interrupt,
    ) -> Arc<Self> {
        let (interrupt, state) = (interrupt.clone(), Mutex::default());
        Arc::new(Self { workers, lines, interrupt, state })
    }

    /// What each worker did.
    ///
    /// # Errors
    ///
    /// When a line could not be printed.
    pub(crate) fn lanes(&self) -> anyhow::Result<Vec<Lane>> {
        let mut state = self.lock();
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(state.lanes.clone()),
        }
    }

    /// What each worker does now, and how many jobs wait.
    pub(crate) fn now(&self) -> (Vec<Lane>, usize) {
        let state = self.lock();
        (state.lanes.clone(), state.waiting)
    }

    fn enter(&self, job: u64) -> usize {
        let mut state = self.lock();
        let lane = state.free_lane(self.workers);
        state.lanes[lane].thread = Some(thread::current().id());
        state.lanes[lane].now = Some((job, Instant::now()));
        state.waiting -= 1;
        self.print(state, lane, format_args!("started  job {job}"));
        lane
    }

    fn leave(&self, lane: usize, job: u64, how: &str) {
        let mut state = self.lock();
        if let Some((_, since)) = state.lanes[lane].now.take() {
            state.lanes[lane].busy += since.elapsed();
            state.lanes[lane].jobs += 1;
        }
        self.print(state, lane, format_args!("{how} job {job}"));
    }

    /// With the state locked, so that the lines come in the order of what
    /// they tell.
    fn print(
        &self,
        mut state: MutexGuard<'_, State>,
        lane: usize,
        what: fmt::Arguments<'_>,
    ) {
        if !self.lines || state.error.is_some() {
            return;
        }
        let worker = lane + 1;
        let printed = print_line(format_args!("worker {worker} {what}"));
        if let Err(error) = printed {
            state.error = Some(error);
            drop(state);
            self.interrupt.stop();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The lane where this thread was, or a new one while there are fewer
    /// than workers, or whichever is free.
    fn free_lane(&mut self, workers: usize) -> usize {
        let me = Some(thread::current().id());
        let free = |lane: &Lane| lane.now.is_none();
        let mine = |lane: &Lane| free(lane) && lane.thread == me;
        let found = self.lanes.iter().position(mine).or_else(|| {
            let full = self.lanes.len() >= workers;
            self.lanes.iter().position(free).filter(|_| full)
        });
        found.unwrap_or_else(|| {
            self.lanes.push(Lane::default());
            self.lanes.len() - 1
        })
    }
}

/// What is told of a job.
#[derive(Debug)]
pub(crate) struct Visit {
    job: u64,
    /// Where it runs, once it does.
    lane: Option<usize>,
}

impl Observe for Board {
    type Job = Visit;

    fn made(&self, number: u64) -> Visit {
        self.lock().waiting += 1;
        Visit { job: number, lane: None }
    }

    fn started(&self, job: &mut Visit) {
        job.lane = Some(self.enter(job.job));
    }

    fn ended(&self, job: Visit, how: Ended) {
        let how = match how {
            Ended::Done => "finished",
            Ended::Failed => "failed in",
            Ended::Panicked => "panicked in",
            Ended::Cancelled | Ended::Abandoned => "left",
        };
        match job.lane {
            Some(lane) => self.leave(lane, job.job, how),
            None => self.lock().waiting -= 1,
        }
    }
}
