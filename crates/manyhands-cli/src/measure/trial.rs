//! One run: a fresh pool, all the jobs, the clock, and every answer checked.

use anyhow::Context;
use manyhands::{Job, Outcome, SubmitAllError, WorkerPool, WorkerPoolExt};
use manyhands_measure::{Ran, Stopwatch};
use manyhands_workloads::Seen;

use super::Setting;
use crate::contenders::Contender;

/// What makes runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial<'a> {
    pub(super) setting: &'a Setting,
}

impl Trial<'_> {
    /// Runs the jobs, which are those of the workload in some wrapping that
    /// `unwrap` takes off again. The clock runs from before the first submit
    /// until after the last completion.
    pub(super) fn run<J: Job + 'static>(
        &self,
        contender: &Contender<J>,
        jobs: impl Iterator<Item = J>,
        mut unwrap: impl FnMut(Outcome<J>) -> Seen,
    ) -> anyhow::Result<Ran> {
        let Setting { workload, config, .. } = self.setting;
        let name = contender.name;
        let mut tally = workload.tally();
        let pool: Box<dyn WorkerPool<J>> = contender.make(*config)?;

        let watch = Stopwatch::start();
        let fed = pool.run_all(jobs, |completion| {
            tally.add(completion.id, unwrap(completion.outcome));
        });
        let spent = watch.stop();

        drop(pool);
        if let Err(SubmitAllError { accepted, .. }) = fed {
            tally.refused(workload.len() as u64 - accepted);
        }
        let checked = tally.check(contender.claims.stops_on_error);
        let checked = checked.with_context(|| format!("{name} is wrong"))?;
        let undone = checked.cancelled + checked.refused;
        let answers = workload.len() as u64 - undone;
        Ok(Ran { spent, answers, stopped: undone > 0 })
    }
}
