//! What a comparison found, without a conclusion: who took part, and how long
//! each run took. All that is reported follows from it.

mod allowed;
mod run;

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::Context;
use manyhands::Config;
use manyhands_measure::{Budget, Machine, Measured, Plan, Round};
use manyhands_workloads::Settings;

pub(crate) use self::allowed::{amount, machine, name, within};
pub(crate) use self::run::Run;
use crate::contenders::{AGAIN, INLINE};
use crate::measure::{AboutWork, Latency};

/// Where it is from makes no difference: measured just now, or read from what
/// an earlier comparison wrote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// True if Ctrl-C ended it.
    pub(crate) partial: bool,
    /// The workload's name, with its parameter.
    pub(crate) work: String,
    /// How many jobs each run had.
    pub(crate) jobs: u64,
    /// The sizes of every pool.
    pub(crate) workers: u64,
    pub(crate) queue: u64,
    /// Where the order within each round came from.
    pub(crate) seed: u64,
    /// On what it was measured, and with which program.
    pub(crate) machine: Machine,
    /// What there is no place for in CSV.
    pub(crate) about: Option<About>,
    /// Who took part, in the order in which they are reported: the baseline
    /// first, and once more at the end.
    pub(crate) entrants: Vec<Entrant>,
    /// The timed rounds. Only the last may lack runs, if it was interrupted.
    pub(crate) rounds: Vec<Round>,
}

/// The circumstances.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct About {
    /// The program's.
    pub(crate) version: String,
    /// A phrase about the work.
    pub(crate) summary: String,
    /// How many inputs could not be read.
    pub(crate) unread: u64,
    /// The first of them, at most [`AboutWork::MOST_UNREAD`], each with the
    /// cause.
    pub(crate) first_unread: Vec<String>,
    /// Most processes that were asked for.
    pub(crate) processes: u64,
    /// Most rounds that were asked for.
    pub(crate) most_rounds: u64,
    /// How long it was to take, in nanoseconds; `None` if that was not said.
    pub(crate) time: Option<u64>,
    /// How long it took, in nanoseconds.
    pub(crate) elapsed: u64,
    /// How many answers were checked. All were right.
    pub(crate) answers: u64,
}

/// One that took part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entrant {
    pub(crate) name: String,
    /// True if it stopped at an error, as it is meant to, and left jobs
    /// undone.
    pub(crate) stopped: bool,
    /// From submit to completion, in nanoseconds.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

impl Record {
    pub(crate) const JOBS: RangeInclusive<u64> = 1..=Settings::MAX_JOBS as u64;
    pub(crate) const WORKERS: RangeInclusive<u64> =
        1..=Config::MAX_WORKERS as u64;
    pub(crate) const QUEUE: RangeInclusive<u64> = 0..=Config::MAX_QUEUE as u64;
    pub(crate) const ROUNDS: RangeInclusive<u64> =
        1..=Budget::MOST_ROUNDS as u64;
    pub(crate) const PROCESSES: RangeInclusive<u64> = 1..=64;
    /// Far more than there are.
    pub(crate) const ENTRANTS: RangeInclusive<u64> = 1..=64;
    /// How long a name may be, in characters: more than any is.
    pub(crate) const NAME: RangeInclusive<u64> = 1..=64;
    /// How long the compiler's may be.
    pub(crate) const RUSTC: RangeInclusive<u64> = 1..=128;

    /// What was measured just now, in pools of that size.
    ///
    /// # Errors
    ///
    /// A process told of its work or its latencies in other words than ours.
    pub(crate) fn of(
        plan: &Plan,
        config: Config,
        measured: Measured,
    ) -> anyhow::Result<Self> {
        let work = AboutWork::from_line(&measured.work)?;
        let mut latencies = vec![Latency::new(); measured.names.len()];
        for note in &measured.notes {
            let added = latencies[note.who].add_line(&note.text);
            added.context("a process tells of no latencies")?;
        }
        let answers: u64 = latencies.iter().map(Latency::answers).sum();
        let about = About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: work.summary,
            unread: work.unread,
            first_unread: work.first_unread,
            processes: plan.processes as u64,
            most_rounds: plan.budget.rounds as u64,
            time: plan.budget.time.map(whole_nanos),
            elapsed: whole_nanos(measured.elapsed),
            answers: measured.answers + answers,
        };
        let entrants = measured.names.into_iter().zip(&latencies);
        let entrants = entrants.zip(measured.stopped);
        let entrants = entrants.map(|((name, latency), stopped)| Entrant {
            name,
            stopped,
            p50: latency.percentile(50.0),
            p99: latency.percentile(99.0),
        });
        Ok(Self {
            partial: measured.is_interrupted,
            work: work.name,
            jobs: work.jobs,
            workers: config.workers().get() as u64,
            queue: config.queue() as u64,
            seed: plan.seed,
            machine: Machine::look(),
            about: Some(about),
            entrants: entrants.collect(),
            rounds: measured.rounds,
        })
    }

    /// How many rounds are complete.
    pub(crate) fn complete(&self) -> usize {
        self.rounds.iter().filter(|round| round.is_complete()).count()
    }

    /// The runs in the order in which they were.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Run<'_>, &Entrant)> {
        (1..).zip(&self.rounds).flat_map(move |(number, round)| {
            (1..).zip(&round.order).filter_map(move |(place, &who)| {
                let entrant = &self.entrants[who];
                let spent = round.runs[who]?;
                let run = Run {
                    round: number,
                    process: round.process as u64,
                    place,
                    variant: &entrant.name,
                    wall_ns: whole_nanos(spent.wall),
                    cpu_ns: spent.cpu.map(whole_nanos),
                    voluntary: spent.switches.map(|it| it.voluntary),
                    involuntary: spent.switches.map(|it| it.involuntary),
                    pressure_ns: spent.pressure.map(whole_nanos),
                    load: round.load,
                    cache_line_ns: round.cache_line.map(|it| it.0),
                    cache_line_after_ns: round.cache_line.map(|it| it.1),
                };
                Some((run, entrant))
            })
        })
    }

    /// Adds a run to those that came before.
    ///
    /// # Errors
    ///
    /// What is wrong with it, if it cannot come after them.
    pub(crate) fn add(&mut self, run: &Run<'_>) -> Result<(), String> {
        let &Run { round, place, variant, .. } = run;
        let last = self.rounds.len() as u64;
        let (next, next_place) = match self.rounds.last() {
            Some(round) if !round.is_complete() => {
                (last, round.order.len() as u64 + 1)
            }
            _ => (last + 1, 1),
        };
        if (round, place) != (next, next_place) {
            return Err(format!(
                "round is {round} and place is {place}, allowed is round \
                 {next}, place {next_place}"
            ));
        }
        within("round", round, &Self::ROUNDS)?;
        let named = |entrant: &Entrant| entrant.name == variant;
        let Some(who) = self.entrants.iter().position(named) else {
            return Err(format!(
                "variant is {variant}, allowed is one of the variants"
            ));
        };
        let spent = run.spent()?;
        let begun = run.begins(self.entrants.len())?;
        if next > last {
            self.rounds.push(begun);
        } else if let Some(what) = self.rounds.last().and_then(|it| {
            let same = [
                ("process", it.process == begun.process),
                ("load", it.load == begun.load),
                ("cache line", it.cache_line == begun.cache_line),
            ];
            same.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
        }) {
            return Err(format!(
                "{what} differs, allowed is one for all runs of a round"
            ));
        }
        // There is one: it was there, or it was added just now.
        let Some(round) = self.rounds.last_mut() else { return Ok(()) };
        if round.runs[who].is_some() {
            return Err(format!(
                "variant is {variant}, allowed is once a round"
            ));
        }
        round.order.push(who);
        round.runs[who] = Some(spent);
        Ok(())
    }

    /// What cannot be seen from any one part.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.rounds.is_empty() {
            return Err("it has no run, allowed is one or more".into());
        }
        let names = self.entrants.iter().map(|entrant| entrant.name.as_str());
        for (which, name, allowed) in [
            ("first", names.clone().next(), INLINE),
            ("last", names.clone().next_back(), AGAIN),
        ] {
            if name != Some(allowed) {
                let name = name.unwrap_or_default();
                return Err(format!(
                    "the {which} variant is {name}, allowed is {allowed}"
                ));
            }
        }
        let last = self.rounds.last().map_or(0, |round| round.order.len());
        if last < self.entrants.len() && !self.partial {
            return Err(format!(
                "the last round has {last} runs, allowed is {} unless it is \
                 partial",
                self.entrants.len()
            ));
        }
        Ok(())
    }
}

/// Enough for 584 years.
pub(crate) fn whole_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
