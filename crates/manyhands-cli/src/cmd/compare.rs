//! `manyhands compare`: which pattern serves this work, by how much, and how
//! sure that is.

use std::time::Duration;

use manyhands::Config;
use manyhands_measure::record::Runs;
use manyhands_measure::{Budget, Plan, give_up};
use manyhands_workloads::{WorkJob, Workload};

use super::End;
use crate::args::{Format, Names, names, number, one_of, time};
use crate::contenders::{self, Contender, INLINE};
use crate::interrupt::Interrupt;
use crate::measure::{Setting, measure, serve};
use crate::output::{print, say};
use crate::record::Record;
use crate::report::Report;
use crate::work::{self, WorkArgs};

/// Compare the variants on the same jobs
///
/// Without options, on the files of the current directory. The variants run
/// in random order in each of many rounds, which several processes take in
/// turns, beside the baseline `inline`, which has no pool and runs twice, so
/// that the noise is seen. Every answer is checked. docs/METHODOLOGY.md says what the figures mean.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    work: WorkArgs,
    /// Which variants, with commas between [default: all]
    #[arg(
        long,
        value_name = "NAMES",
        value_parser = names(contenders::names()),
        allow_hyphen_values = true
    )]
    variants: Option<Names>,
    /// How many processes take turns, a round each
    #[arg(
        long,
        value_name = "N",
        default_value = "5",
        value_parser = number(1, MOST_PROCESSES),
        allow_hyphen_values = true
    )]
    processes: usize,
    /// Most rounds, of all processes [default: what fits into the time, up to 200]
    #[arg(
        long,
        value_name = "N",
        value_parser = number(1, Budget::MOST_ROUNDS),
        allow_hyphen_values = true
    )]
    rounds: Option<usize>,
    /// About how long it may take [default: 20s, without --rounds]
    #[arg(long, value_parser = time(), allow_hyphen_values = true)]
    time: Option<Duration>,
    /// table, json, csv (the raw rounds) or md
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(Format::ALL),
        allow_hyphen_values = true
    )]
    format: Format,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let spec = args.spec();
    let settings = args.work.settings(&spec)?;
    let config = args.config()?;
    // Only whether there is such work; the processes that measure do it.
    if work::parse(spec, settings, interrupt)?.is_none() {
        say(NOTHING);
        return Ok(End::Interrupted);
    }
    let plan = Plan {
        processes: args.processes,
        budget: budget(args.rounds, args.time),
        seed: args.work.seed,
    };
    let measured = measure(&plan, interrupt)?;
    if measured.rounds.is_empty() {
        say(NOTHING);
        return Ok(End::Interrupted);
    }
    // What is printed says itself whether it is partial, in every format.
    let record = Record::of(&plan, config, measured)?;
    print(Report::new(&record).shown(args.format)?)?;
    Ok(match record.runs.partial {
        false => End::Fine,
        true => End::Interrupted,
    })
}

/// The same command line in a process that measures.
pub(crate) fn run_child(args: &Args) -> anyhow::Result<()> {
    match setting(args) {
        Ok(setting) => serve(&setting),
        Err(error) => Ok(give_up(&format!("{error:#}"))?),
    }
}

fn setting(args: &Args) -> anyhow::Result<Setting> {
    let spec = args.spec();
    let settings = args.work.settings(&spec)?;
    Ok(Setting {
        workload: Workload::parse(&spec, &settings)?,
        config: args.config()?,
        contenders: contenders(args.variants.as_ref()),
    })
}

impl Args {
    fn spec(&self) -> String {
        self.work.work.clone().unwrap_or_else(|| "files".to_owned())
    }

    fn config(&self) -> anyhow::Result<Config> {
        let config = Config::default();
        Ok(Config::new(
            self.work.workers.unwrap_or(config.workers().get()),
            self.work.queue.unwrap_or(config.queue()),
        )?)
    }
}

/// As many as a record holds, far more than are of any use.
const MOST_PROCESSES: usize = *Runs::PROCESSES.end() as usize;

/// Said when Ctrl-C came too early.
const NOTHING: &str = "interrupted: nothing was measured yet";

/// The baseline, and the chosen variants.
fn contenders(chosen: Option<&Names>) -> Vec<Contender<WorkJob>> {
    let is_chosen = |name: &'static str| match chosen {
        Some(Names(names)) => name == INLINE || names.contains(&name),
        None => true,
    };
    let mut contenders = contenders::all::<WorkJob, _, _>();
    contenders.retain(|contender| is_chosen(contender.name));
    contenders
}

/// As many rounds as fit into the time; where only the rounds are said, they
/// take the time they take.
fn budget(rounds: Option<usize>, time: Option<Duration>) -> Budget {
    let default = rounds.is_none().then_some(Budget::DEFAULT_TIME);
    Budget {
        rounds: rounds.unwrap_or(Budget::DEFAULT_ROUNDS),
        time: time.or(default),
    }
}
