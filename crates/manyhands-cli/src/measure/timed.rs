//! A contender as manyhands-measure knows it.

use manyhands_measure::{Contender as Measurable, Ran, Wrong};
use manyhands_workloads::{Seen, WorkJob};

use super::Setting;
use super::latency::{self, Stamped};
use super::trial::Trial;
use crate::contenders::Contender;

/// A pool that runs the setting's jobs.
#[derive(Debug)]
pub(crate) struct Timed<'a> {
    trial: Trial<'a>,
    contender: &'a Contender<WorkJob>,
    /// The same for jobs that tell how long they took.
    stamped: Contender<Stamped>,
}

impl<'a> Timed<'a> {
    pub(super) fn new(
        setting: &'a Setting,
        contender: &'a Contender<WorkJob>,
    ) -> Self {
        let stamped = latency::stamped(contender.name);
        Self { trial: Trial { setting }, contender, stamped }
    }
}

impl Measurable for Timed<'_> {
    fn name(&self) -> &str {
        self.contender.name
    }

    /// Nothing is between the pool and the jobs.
    fn run(&mut self) -> Result<Ran, Wrong> {
        let jobs = self.trial.setting.workload.jobs();
        self.trial.run(self.contender, jobs, Seen::from).map_err(wrong)
    }

    /// A run that looks at latencies.
    fn rehearse(&mut self) -> Result<String, Wrong> {
        let latency = latency::look(&self.trial, &self.stamped);
        latency.map(|it| it.to_line()).map_err(wrong)
    }
}

fn wrong(error: anyhow::Error) -> Wrong {
    Wrong(format!("{error:#}"))
}
