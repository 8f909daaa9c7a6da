//! The timed runs of a comparison, without a conclusion.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Run, within};
use crate::{Budget, Judgement, Machine, Round, judge};

/// What a comparison found: who took part, and how long each run took. All
/// that is reported follows from it. Where it is from makes no difference:
/// measured just now, or read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Runs {
    /// True if it was ended before its end.
    pub partial: bool,
    /// What is compared, where the program has several such things; else
    /// empty.
    pub group: String,
    /// The work's name, with its parameter.
    pub work: String,
    /// How many jobs each run had.
    pub jobs: u64,
    /// How many workers each contender had.
    pub workers: u64,
    /// The length of its queue.
    pub queue: u64,
    /// Where the order within each round came from.
    pub seed: u64,
    /// On what it was measured, and with which program.
    pub machine: Machine,
    /// Who took part, in the order in which they are reported: the baseline
    /// first, and once more at the end.
    pub entrants: Vec<Entrant>,
    /// The timed rounds. Only the last may lack runs, if it was interrupted.
    pub rounds: Vec<Round>,
}

/// One that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// Its name.
    pub name: String,
    /// True if it stopped at an error, as it is meant to, and left jobs
    /// undone.
    pub stopped: bool,
    /// What it does not do, or does otherwise, than the others; empty if
    /// there is nothing.
    pub bends: String,
    /// How many jobs a run of it had. Where these are fewer than there are,
    /// its times are what all would have taken.
    pub ran: u64,
}

impl Entrant {
    /// One that does as the others do, with so many jobs.
    pub fn whole(name: impl Into<String>, jobs: u64) -> Self {
        Self {
            name: name.into(),
            stopped: false,
            bends: String::new(),
            ran: jobs,
        }
    }
}

impl Runs {
    /// How many jobs there may be.
    pub const JOBS: RangeInclusive<u64> = 1..=100_000_000;
    /// How many workers.
    pub const WORKERS: RangeInclusive<u64> = 1..=1024;
    /// How long a queue.
    pub const QUEUE: RangeInclusive<u64> = 0..=1 << 20;
    /// How many rounds.
    pub const ROUNDS: RangeInclusive<u64> = 1..=Budget::MOST_ROUNDS as u64;
    /// How many processes.
    pub const PROCESSES: RangeInclusive<u64> = 1..=64;
    /// How many contenders, far more than there are.
    pub const ENTRANTS: RangeInclusive<u64> = 1..=128;
    /// How long what bends a comparison may be, in characters.
    pub const BENDS: RangeInclusive<u64> = 0..=256;

    /// What follows from them.
    pub fn judge(&self) -> Judgement {
        let stopped = self.entrants.iter().map(|entrant| entrant.stopped);
        judge(&self.rounds, &stopped.collect::<Vec<_>>())
    }

    /// With whom the others are compared.
    pub fn baseline(&self) -> &str {
        self.entrants.first().map_or("", |entrant| &entrant.name)
    }

    /// How many rounds are complete.
    pub fn complete(&self) -> usize {
        self.rounds.iter().filter(|round| round.is_complete()).count()
    }

    /// How many processes there were.
    pub fn processes(&self) -> usize {
        self.rounds.iter().map(|round| round.process).max().unwrap_or(0)
    }

    /// The least and the most of the machine's loads before a round.
    pub fn load(&self) -> Option<(f64, f64)> {
        let loads = self.rounds.iter().filter_map(|round| round.load);
        let least = loads.clone().min_by(f64::total_cmp)?;
        Some((least, loads.max_by(f64::total_cmp)?))
    }

    /// The runs in the order in which they were.
    pub fn runs(&self) -> impl Iterator<Item = (Run<'_>, &Entrant)> {
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
    pub fn add(&mut self, run: &Run<'_>) -> Result<(), String> {
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

    /// Checks what cannot be seen from any one part.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.rounds.is_empty() {
            return Err("it has no run, allowed is one or more".into());
        }
        let again = again(self.baseline());
        let last = self.entrants.last().map_or("", |last| &last.name);
        if last != again {
            return Err(format!(
                "the last variant is {last}, allowed is {again}"
            ));
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

/// The name under which the baseline runs once more.
pub(crate) fn again(baseline: &str) -> String {
    format!("{baseline} (again)")
}

/// Enough for 584 years.
fn whole_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
