//! Measuring: every contender on the same jobs, round after round. How that
//! is done is for manyhands-measure to know; this is about pools and jobs.
//!
//! docs/METHODOLOGY.md says how and why; it must stay true of this code.

mod about;
mod latency;
mod looks;
mod timed;
mod trial;

use std::sync::Arc;

use manyhands::Config;
use manyhands_measure::{
    Contender as Measurable, Control, Measured, Next, Plan,
};
use manyhands_workloads::{WorkJob, Workload};

pub(crate) use self::about::AboutWork;
pub(crate) use self::latency::Latency;
pub(crate) use self::looks::{Scene, look};
use self::timed::Timed;
use crate::contenders::Contender;
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// What every run has in common.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The jobs of every run.
    pub(crate) workload: Arc<Workload>,
    /// The sizes of every pool.
    pub(crate) config: Config,
    /// Who takes part, the baseline first.
    pub(crate) contenders: Vec<Contender<WorkJob>>,
}

/// In a process that measures: finds out the answers that the jobs must give,
/// and makes the runs that the parent asks for.
pub(crate) fn serve(setting: &Setting) -> anyhow::Result<()> {
    setting.workload.prepare();
    let about = AboutWork::of(&setting.workload).to_line()?;
    let mut timed: Vec<Timed<'_>> = setting
        .contenders
        .iter()
        .map(|contender| Timed::new(setting, contender))
        .collect();
    let timed = timed.iter_mut().map(|it| it as &mut dyn Measurable);
    Ok(manyhands_measure::serve(&about, &mut timed.collect::<Vec<_>>())?)
}

/// In the process that the user started: has others measure until the plan's
/// budget is used up, or Ctrl-C is pressed. These are told what the user said,
/// and the words that are `more`.
///
/// # Errors
///
/// The first wrong answer, or a pool that cannot be made, or a process that
/// ended.
pub(crate) fn measure(
    plan: &Plan,
    more: &[String],
    interrupt: &Interrupt,
) -> anyhow::Result<Measured> {
    const STEPS: u64 = 1000;
    let control = Control::new();
    let to_stop = control.clone();
    let _guard = interrupt.on_press(move || to_stop.stop());
    let progress = Progress::new(STEPS, "");
    let mut show = |next: &Next<'_>| {
        let &Next { round, process, who, is_rehearsal, part } = next;
        let step = (part * STEPS as f64) as u64;
        progress.next(
            step,
            match (who, is_rehearsal) {
                (None, _) => {
                    format!("process {process}: one run for the answers")
                }
                (Some(who), true) => {
                    format!("latencies before round {round}: {who}")
                }
                (Some(who), false) => format!("round {round}: {who}"),
            },
        );
    };
    let mut myself = || {
        let mut command = manyhands_measure::myself()?;
        command.args(more);
        Ok(command)
    };
    Ok(manyhands_measure::measure(plan, &mut myself, &control, &mut show)?)
}
