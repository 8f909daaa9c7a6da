//! Which worker does what, told by the jobs themselves.
//!
//! A job that wraps a job: no pool needs a hook for it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use manyhands::{AsyncJob, Job};
use manyhands_workloads::WorkJob;

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
    /// When the job that runs now began.
    since: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<Lane>,
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

    fn enter(&self, job: u64) -> usize {
        let mut state = self.lock();
        let lane = state.free_lane(self.workers);
        state.lanes[lane].thread = Some(thread::current().id());
        state.lanes[lane].since = Some(Instant::now());
        self.print(state, lane, format_args!("started  job {job}"));
        lane
    }

    fn leave(&self, lane: usize, job: u64, how: &str) {
        let mut state = self.lock();
        if let Some(since) = state.lanes[lane].since.take() {
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
        let free = |lane: &Lane| lane.since.is_none();
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

/// A job that says when it starts and ends.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) job: WorkJob,
    /// What it is called, from 1.
    pub(crate) number: u64,
    pub(crate) board: Arc<Board>,
}

impl Job for Traced {
    type Output = <WorkJob as Job>::Output;

    fn run(self) -> Self::Output {
        let visit = Visit::start(self.board, self.number);
        let output = self.job.run();
        visit.finish();
        output
    }
}

impl AsyncJob for Traced {
    async fn run_async(self) -> Self::Output {
        let visit = Visit::start(self.board, self.number);
        let output = self.job.run_async().await;
        visit.finish();
        output
    }
}

/// A job in its lane. Dropped before it has finished, it panicked.
struct Visit {
    board: Arc<Board>,
    lane: usize,
    job: u64,
    how: &'static str,
}

impl Visit {
    fn start(board: Arc<Board>, job: u64) -> Self {
        let lane = board.enter(job);
        Self { board, lane, job, how: "panicked in" }
    }

    fn finish(mut self) {
        self.how = "finished";
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.board.leave(self.lane, self.job, self.how);
    }
}
