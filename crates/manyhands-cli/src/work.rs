//! Which work is done, as the commands that run jobs are told.

use std::path::PathBuf;

use manyhands::{Config, ConfigError};
use manyhands_workloads::{Kind, Settings, Workload, WorkloadError};

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
    /// Which directory the work reads [default: files this one, thumbs draws
    /// its own pictures]
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
    /// Most jobs that run at once [default: what suits the work; most often,
    /// run 3, compare one a core]
    #[arg(
        long,
        value_name = "N",
        value_parser = workers(),
        allow_hyphen_values = true
    )]
    pub(crate) workers: Option<usize>,
    /// Most jobs that wait for a worker [default: what suits the work; most
    /// often 256]
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
    /// The sizes of a pool that does this work: those that were asked for, or
    /// that suit the work, or else so many workers.
    pub(crate) fn config(
        &self,
        spec: &str,
        workers: usize,
    ) -> Result<Config, ConfigError> {
        let kind = Kind::of(spec);
        let suited = kind.and_then(|kind| kind.workers).unwrap_or(workers);
        let queue = kind.and_then(|kind| kind.queue);
        let queue = queue.unwrap_or(Config::DEFAULT_QUEUE);
        Config::new(
            self.workers.unwrap_or(suited),
            self.queue.unwrap_or(queue),
        )
    }

    /// True if nothing is said of what the jobs are.
    pub(crate) fn is_plain(&self) -> bool {
        self.work.is_none() && self.input.is_none() && self.jobs.is_none()
    }

    /// How much of the work, and on what.
    ///
    /// # Errors
    ///
    /// [`Usage`], when there is an input and none of the `specs` is work that
    /// reads one.
    pub(crate) fn settings(&self, specs: &[&str]) -> Result<Settings, Usage> {
        let all = manyhands_workloads::all();
        // Of work that does not exist, more is to be said elsewhere.
        let reads =
            |spec: &&str| Kind::of(spec).is_none_or(|kind| kind.has_input);
        if let Some(input) = &self.input
            && !specs.iter().any(reads)
        {
            let readers = all.iter().filter(|kind| kind.has_input);
            let readers: Vec<&str> = readers.map(|kind| kind.name).collect();
            return Err(Usage(format!(
                "--input is {}, which goes with the work {} and not with {}",
                input.display(),
                readers.join(" or "),
                specs.join(", "),
            )));
        }
        let input = self.input.clone();
        Ok(Settings { jobs: self.jobs, input, seed: self.seed })
    }
}

/// What is to be learned from a comparison on that work.
pub(crate) fn lesson(work: &str) -> Option<&'static str> {
    Kind::of(work)?.lesson
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
