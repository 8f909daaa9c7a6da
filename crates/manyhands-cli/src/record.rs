//! What a comparison found, without a conclusion: who took part, and how long
//! each run took. All that is reported follows from it.

use std::ops::RangeInclusive;
use std::time::Duration;

use manyhands::Config;
use manyhands_workloads::Settings;

use crate::measure::{Budget, Measured, Plan, Round};

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
    /// What there is no place for in CSV.
    pub(crate) about: Option<About>,
    /// Who took part, in the order in which they are reported.
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
    /// The first of them, at most [`About::MOST_UNREAD`], each with the cause.
    pub(crate) first_unread: Vec<String>,
    pub(crate) os: String,
    pub(crate) arch: String,
    pub(crate) cores: u64,
    /// How long a cache line took from one core to another, in nanoseconds:
    /// the least and the most that was seen.
    pub(crate) cache_line: Option<(f64, f64)>,
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

/// One timed run, as a record in a file has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) round: u64,
    pub(crate) place: u64,
    pub(crate) variant: &'a str,
    pub(crate) wall_ns: u64,
}

impl About {
    /// A million broken links are told by their number, and a screen of them.
    pub(crate) const MOST_UNREAD: usize = 100;
}

impl Record {
    pub(crate) const JOBS: RangeInclusive<u64> = 1..=Settings::MAX_JOBS as u64;
    pub(crate) const WORKERS: RangeInclusive<u64> =
        1..=Config::MAX_WORKERS as u64;
    pub(crate) const QUEUE: RangeInclusive<u64> = 0..=Config::MAX_QUEUE as u64;
    pub(crate) const ROUNDS: RangeInclusive<u64> =
        1..=Budget::MOST_ROUNDS as u64;
    /// Far more than there are.
    pub(crate) const ENTRANTS: RangeInclusive<u64> = 1..=64;
    /// How long a name may be, in characters: more than any is.
    pub(crate) const NAME: RangeInclusive<u64> = 1..=64;

    /// What was measured just now.
    pub(crate) fn of(plan: &Plan<'_>, measured: &Measured) -> Self {
        let workload = plan.workload;
        let mut unread = workload.unread();
        let first_unread: Vec<_> =
            unread.by_ref().take(About::MOST_UNREAD).collect();
        let about = About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: workload.summary(),
            unread: (first_unread.len() + unread.count()) as u64,
            first_unread,
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: measured.machine.cores as u64,
            cache_line: measured.machine.cache_line,
            most_rounds: plan.budget.rounds as u64,
            time: plan.budget.time.map(whole_nanos),
            elapsed: whole_nanos(measured.elapsed),
            answers: measured.answers,
        };
        let entrant =
            |(who, latency): (usize, &crate::measure::Latency)| Entrant {
                name: plan.contenders[who].name.to_owned(),
                stopped: measured.stopped[who],
                p50: latency.percentile(50.0),
                p99: latency.percentile(99.0),
            };
        Self {
            partial: measured.interrupted,
            work: workload.name().to_owned(),
            jobs: workload.len() as u64,
            workers: plan.config.workers().get() as u64,
            queue: plan.config.queue() as u64,
            seed: plan.seed,
            about: Some(about),
            entrants: measured
                .latencies
                .iter()
                .enumerate()
                .map(entrant)
                .collect(),
            rounds: measured.rounds.clone(),
        }
    }

    /// How many rounds are complete.
    pub(crate) fn complete(&self) -> usize {
        let all = self.entrants.len();
        self.rounds.iter().filter(|round| round.order.len() == all).count()
    }

    /// The runs in the order in which they were.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Run<'_>, &Entrant)> {
        (1..).zip(&self.rounds).flat_map(move |(number, round)| {
            (1..).zip(&round.order).filter_map(move |(place, &who)| {
                let entrant = &self.entrants[who];
                let run = Run {
                    round: number,
                    place,
                    variant: &entrant.name,
                    wall_ns: whole_nanos(round.walls[who]?),
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
        let &Run { round, place, variant, wall_ns } = run;
        let all = self.entrants.len();
        let last = self.rounds.len() as u64;
        let so_far = self.rounds.last().map_or(all, |it| it.order.len());
        let (next, next_place) = match so_far == all {
            true => (last + 1, 1),
            false => (last, so_far as u64 + 1),
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
        if next > last {
            let walls = vec![None; all];
            self.rounds.push(Round { order: Vec::new(), walls });
        }
        // There is one: it was there, or it was added just now.
        let Some(round) = self.rounds.last_mut() else { return Ok(()) };
        if round.walls[who].is_some() {
            return Err(format!(
                "variant is {variant}, allowed is once a round"
            ));
        }
        round.order.push(who);
        round.walls[who] = Some(Duration::from_nanos(wall_ns));
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

/// Checks a number.
///
/// # Errors
///
/// The number, and what is allowed.
pub(crate) fn within(
    what: &str,
    number: u64,
    allowed: &RangeInclusive<u64>,
) -> Result<(), String> {
    if allowed.contains(&number) {
        return Ok(());
    }
    let (least, most) = (allowed.start(), allowed.end());
    Err(format!("{what} is {number}, allowed is {least} to {most}"))
}

/// Checks a name.
///
/// # Errors
///
/// How long it is, and what is allowed.
pub(crate) fn name(what: &str, name: &str) -> Result<(), String> {
    let length = name.chars().count() as u64;
    within(&format!("the length of {what}"), length, &Record::NAME)
}

/// Enough for 584 years.
pub(crate) fn whole_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
