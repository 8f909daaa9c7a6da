//! One run: a fresh pool, all the jobs, the clock, and every answer checked.

use std::sync::Arc;

use anyhow::Context;
use manyhands::{Job, Outcome, WorkerPool};
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
        jobs: impl Iterator<Item = J> + Send + 'static,
        mut unwrap: impl FnMut(Outcome<J>) -> Seen,
    ) -> anyhow::Result<Ran> {
        let Setting { workload, config, .. } = self.setting;
        let name = contender.name;
        let mut tally = workload.tally();
        let pool: Arc<dyn WorkerPool<J>> = contender.make(*config)?.into();

        let watch = Stopwatch::start();
        let fed =
            workload.run_on(&pool, config.workers(), jobs, |id, outcome| {
                let seen = unwrap(outcome);
                let answer = seen.answer();
                tally.add(id, seen);
                answer
            });
        let spent = watch.stop();

        drop(pool);
        let fed = fed.context(name)?;
        tally.refused(fed.refused);
        let checked = tally.check(contender.claims.stops_on_error);
        let checked = checked.with_context(|| format!("{name} is wrong"))?;
        let undone = checked.cancelled + checked.refused;
        let answers = workload.len() as u64 - undone;
        Ok(Ran { spent, answers, stopped: undone > 0 })
    }
}
