//! `manyhands compare`: which pattern serves this work, by how much, and how
//! sure that is.

use std::time::Duration;

use manyhands::Config;
use manyhands_workloads::WorkJob;

use super::End;
use crate::args::{Format, Names, names, number, one_of, time};
use crate::contenders::{self, AGAIN, Contender, INLINE};
use crate::interrupt::Interrupt;
use crate::measure::{Budget, Plan, measure};
use crate::output::{print, say};
use crate::record::Record;
use crate::report::Report;
use crate::work::{self, WorkArgs};

/// Compare the variants on the same jobs
///
/// Without options, on the files of the current directory. The variants run
/// in random order in each of many rounds, beside the baseline `inline`,
/// which has no pool and runs twice, so that the noise is seen. Every answer
/// is checked. docs/METHODOLOGY.md says what the figures mean.
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
    /// Most rounds [default: what fits into the time, up to 200]
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
    let spec = args.work.work.clone().unwrap_or_else(|| "files".to_owned());
    let settings = args.work.settings(&spec)?;
    let Some(workload) = work::prepare(spec, settings, interrupt)? else {
        say(NOTHING);
        return Ok(End::Interrupted);
    };
    let config = Config::default();
    let plan = Plan {
        workload: &workload,
        config: Config::new(
            args.work.workers.unwrap_or(config.workers().get()),
            args.work.queue.unwrap_or(config.queue()),
        )?,
        contenders: contenders(args.variants.as_ref()),
        budget: budget(args.rounds, args.time),
        seed: args.work.seed,
    };

    let measured = measure(&plan, interrupt)?;
    if measured.rounds.is_empty() {
        say(NOTHING);
        return Ok(End::Interrupted);
    }
    // What is printed says itself whether it is partial, in every format.
    let record = Record::of(&plan, &measured);
    print(Report::new(&record).shown(args.format)?)?;
    Ok(match record.partial {
        false => End::Fine,
        true => End::Interrupted,
    })
}

/// Said when Ctrl-C came too early.
const NOTHING: &str = "interrupted: nothing was measured yet";

/// The baseline, the chosen variants, and the baseline again.
fn contenders(chosen: Option<&Names>) -> Vec<Contender<WorkJob>> {
    let is_chosen = |name: &'static str| match chosen {
        Some(Names(names)) => name == INLINE || names.contains(&name),
        None => true,
    };
    let mut contenders = contenders::all::<WorkJob, _, _>();
    contenders.retain(|contender| is_chosen(contender.name));
    contenders.push(Contender::inline(AGAIN));
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
