//! Which work is done, as the commands that run jobs are told.

use std::path::PathBuf;

use manyhands_workloads::{Settings, Workload, WorkloadError};

use crate::args::{Usage, jobs, path, queue, seed, text, workers};
use crate::interrupt::Interrupt;
use crate::output::plural;
use crate::progress::Progress;

/// What `run` and `compare` have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct WorkArgs {
    /// What work is done [default: run sleep:1s, compare files]
    #[arg(long, value_parser = text(), allow_hyphen_values = true)]
    pub(crate) work: Option<String>,
    /// Which directory the work `files` reads [default: this one]
    #[arg(
        long,
        value_name = "DIR",
        value_parser = path("a directory"),
        allow_hyphen_values = true
    )]
    input: Option<PathBuf>,
    /// How many jobs there are [default: what suits the work]
    #[arg(
        long,
        value_name = "N",
        value_parser = jobs(),
        allow_hyphen_values = true
    )]
    pub(crate) jobs: Option<usize>,
    /// Most jobs that run at once [default: run 3, compare one a core]
    #[arg(
        long,
        value_name = "N",
        value_parser = workers(),
        allow_hyphen_values = true
    )]
    pub(crate) workers: Option<usize>,
    /// Most jobs that wait for a worker [default: 256]
    #[arg(
        long,
        value_name = "N",
        value_parser = queue(),
        allow_hyphen_values = true
    )]
    pub(crate) queue: Option<usize>,
    /// What random choices are made from
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        value_parser = seed(),
        allow_hyphen_values = true
    )]
    pub(crate) seed: u64,
}

impl WorkArgs {
    /// How much of the work, and on what.
    ///
    /// # Errors
    ///
    /// [`Usage`], when there is an input and `spec` is work that reads none.
    pub(crate) fn settings(&self, spec: &str) -> Result<Settings, Usage> {
        let defaults = Settings::default();
        let input = match &self.input {
            Some(input) if spec != "files" && is_known(spec) => {
                return Err(Usage(format!(
                    "--input is {}, which goes with the work files and not \
                     with {spec}",
                    input.display()
                )));
            }
            Some(input) => input.clone(),
            None => defaults.input,
        };
        Ok(Settings { jobs: self.jobs, input, seed: self.seed })
    }
}

/// True for work that exists; of other work, more is to be said elsewhere.
fn is_known(spec: &str) -> bool {
    let name = spec.split(':').next();
    manyhands_workloads::all().iter().any(|kind| name == Some(kind.name))
}

/// Makes the workload. `None` if Ctrl-C was pressed.
///
/// # Errors
///
/// [`Usage`], when there is no such work, or nothing to work on.
pub(crate) fn parse(
    spec: String,
    settings: Settings,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Workload>> {
    let made = interrupt.or(move || Workload::parse(&spec, &settings));
    let made: Option<Result<_, WorkloadError>> = made;
    Ok(made.transpose().map_err(|error| Usage(error.to_string()))?)
}

/// The same, and finds out the answers that its jobs must give.
///
/// # Errors
///
/// [`Usage`], when there is no such work, or nothing to work on.
pub(crate) fn prepare(
    spec: String,
    settings: Settings,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Workload>> {
    let pressed = interrupt.clone();
    let made = interrupt.or(move || {
        let workload = Workload::parse(&spec, &settings)?;
        let steps = workload.len() as u64;
        let progress = Progress::new(steps, "one run for the answers");
        workload.prepare_while(|done| {
            progress.at(done as u64);
            !pressed.is_pressed()
        });
        Ok(workload)
    });
    let made: Option<Result<_, WorkloadError>> = made;
    Ok(made.transpose().map_err(|error| Usage(error.to_string()))?)
}

/// That some inputs cannot be read, if it is so. It is no failure: what is
/// wrong with them is the answer that their jobs must give.
pub(crate) fn unread_of(workload: &Workload) -> Option<String> {
    let mut all = workload.unread();
    let first = all.next()?;
    unread(1 + all.count() as u64, &first)
}

/// The same of so many inputs, the first of which is this one.
pub(crate) fn unread(inputs: u64, first: &str) -> Option<String> {
    let count = plural(inputs, "input");
    let note = || format!("{count} could not be read, the first is {first}");
    (inputs > 0).then(note)
}
