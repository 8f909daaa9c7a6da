//! What a comparison found: its runs, and beside them what only a record in
//! JSON has room for. All that is reported follows from it.

pub(crate) mod folder;
mod looks;

use std::time::Duration;

use anyhow::Context;
use manyhands::Config;
use manyhands_measure::record::{Entrant, Runs, legible};
use manyhands_measure::{Machine, Measured, Plan};
use serde::{Deserialize, Serialize};

pub(crate) use self::looks::{Load, Looks, PERCENTS, Tail};
use crate::durable::Durable;
use crate::measure::{AboutWork, Latency};
use crate::secret::hidden;

/// Where it is from makes no difference: measured just now, or read from what
/// an earlier comparison wrote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// What CSV holds.
    pub(crate) runs: Runs,
    /// The circumstances, of a record in JSON.
    pub(crate) about: Option<About>,
    /// One an entrant, in their order; nothing is known of a record in CSV.
    pub(crate) latencies: Vec<Percentiles>,
    /// What pictures show, if that was asked for; of a record in a folder.
    pub(crate) looks: Looks,
    /// What it costs that jobs outlive their process, if that was measured.
    pub(crate) durable: Option<Durable>,
}

/// The circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What was said to the program; not known of older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
}

impl About {
    /// The same, of a file that anybody may have written: without what a
    /// terminal would take for a command.
    fn legible(self) -> Self {
        Self {
            version: legible(&self.version),
            summary: legible(&self.summary),
            first_unread: self
                .first_unread
                .iter()
                .map(|it| legible(it))
                .collect(),
            command: self.command.as_deref().map(legible),
            ..self
        }
    }
}

/// From submit to completion, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

impl Record {
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
            command: Some(command()),
        };
        let tails = measured.names.iter().zip(&latencies);
        let tails = tails.map(|(name, it)| it.tail(name, Load::Closed));
        let looks = Looks { tails: tails.collect(), ..Looks::default() };
        let entrants = measured.names.into_iter().zip(measured.stopped);
        let entrants = entrants.map(|(name, stopped)| Entrant {
            stopped,
            ..Entrant::whole(name, work.jobs)
        });
        let percentiles = latencies.iter().map(|latency| Percentiles {
            p50: latency.percentile(50.0),
            p99: latency.percentile(99.0),
        });
        let runs = Runs {
            partial: measured.is_interrupted,
            group: String::new(),
            work: work.name,
            jobs: work.jobs,
            workers: config.workers().get() as u64,
            queue: config.queue() as u64,
            seed: plan.seed,
            machine: Machine::look(),
            entrants: entrants.collect(),
            rounds: measured.rounds,
        };
        let latencies = percentiles.collect();
        let about = Some(about);
        Ok(Self { runs, about, latencies, looks, durable: None })
    }

    /// Takes the percentiles of a table from what is known of the tails.
    fn take_latencies(&mut self) {
        for (entrant, latency) in
            self.runs.entrants.iter().zip(&mut self.latencies)
        {
            let tails = self.looks.tails.iter();
            let mut closed = tails.filter(|tail| {
                tail.name == entrant.name && tail.load == Load::Closed
            });
            let Some(tail) = closed.next() else { continue };
            let at = |percent| tail.at(percent).map(|nanos| nanos as f64);
            *latency = Percentiles { p50: at(50.0), p99: at(99.0) };
        }
    }
}

/// That is all that CSV holds.
impl From<Runs> for Record {
    fn from(runs: Runs) -> Self {
        let latencies = vec![Percentiles::default(); runs.entrants.len()];
        let looks = Looks::default();
        Self { runs, about: None, latencies, looks, durable: None }
    }
}

/// What was said to this program.
fn command() -> String {
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| legible(&hidden(&word.to_string_lossy())));
    let words = std::iter::once("manyhands".to_owned()).chain(words);
    words.collect::<Vec<_>>().join(" ")
}

/// Enough for 584 years.
fn whole_nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
