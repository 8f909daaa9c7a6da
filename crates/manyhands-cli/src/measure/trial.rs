//! One run: a fresh pool, all the jobs, the clock, and every answer checked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use manyhands::{Job, Outcome, SubmitAllError, WorkerPool, WorkerPoolExt};
use manyhands_workloads::{Seen, WorkJob};

use super::Plan;
use crate::contenders::Contender;
use crate::interrupt::Interrupt;

/// What every run has in common.
#[derive(Clone, Copy)]
pub(crate) struct Trial<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) interrupt: &'a Interrupt,
}

/// A run whose answers were all right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// From before the first submit until after the last completion.
    pub(crate) wall: Duration,
    /// How many jobs it accounted for.
    pub(crate) answers: u64,
    /// It stopped at an error.
    pub(crate) stopped: bool,
}

impl Trial<'_> {
    /// A run that counts: nothing is between the pool and the jobs.
    pub(crate) fn time(
        &self,
        contender: &Contender<WorkJob>,
    ) -> anyhow::Result<Option<Ran>> {
        self.run(contender, self.plan.workload.jobs(), Seen::from)
    }

    /// Runs the jobs, which are those of the workload in some wrapping that
    /// `unwrap` takes off again. `None` if Ctrl-C was pressed.
    pub(super) fn run<J: Job + 'static>(
        &self,
        contender: &Contender<J>,
        jobs: impl Iterator<Item = J>,
        mut unwrap: impl FnMut(Outcome<J>) -> Seen,
    ) -> anyhow::Result<Option<Ran>> {
        let Plan { workload, config, .. } = self.plan;
        let name = contender.name;
        let mut tally = workload.tally();
        let pool: Arc<dyn WorkerPool<J>> = contender.make(*config)?.into();
        let to_cancel = Arc::clone(&pool);
        let guard = self.interrupt.on_press(move || to_cancel.cancel());

        let clock = Instant::now();
        let fed = pool.run_all(jobs, |completion| {
            tally.add(completion.id, unwrap(completion.outcome));
        });
        let wall = clock.elapsed();

        drop(guard);
        drop(pool);
        if self.interrupt.is_pressed() {
            return Ok(None);
        }
        if let Err(SubmitAllError { accepted, .. }) = fed {
            tally.refused(workload.len() as u64 - accepted);
        }
        let checked = tally.check(contender.claims.stops_on_error);
        let checked = checked.with_context(|| format!("{name} is wrong"))?;
        let undone = checked.cancelled + checked.refused;
        let answers = workload.len() as u64 - undone;
        Ok(Some(Ran { wall, answers, stopped: undone > 0 }))
    }
}
