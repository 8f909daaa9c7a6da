//! The report as JSON, there and back: a shape of its own, apart from what
//! the program works with, so that the one can change without the other.

use manyhands_measure::record::{
    Entrant, Run, Runs, amount, legible, machine, name, within,
};
use manyhands_measure::{Machine, Ratio, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Report;
use super::durable::WireDurable;
use crate::measure::AboutWork;
use crate::record::{About, Looks, Percentiles, Record};

/// The shape, and its version: another when a field goes, or comes to mean
/// something else.
const FORMAT: &str = "manyhands-compare/2";

pub(crate) fn json(report: &Report<'_>) -> anyhow::Result<String> {
    let wire = Wire::from(report);
    Ok(serde_json::to_string_pretty(&wire)? + "\n")
}

/// The record that such a text holds. What the text concludes must follow
/// from what it records.
///
/// # Errors
///
/// One line: which field is wrong, with what, and what is allowed.
pub(super) fn read(text: &str) -> Result<Record, String> {
    let Head { format } = parse(text)?;
    if format != FORMAT {
        let format = legible(&format);
        return Err(format!("format is {format}, allowed is {FORMAT}"));
    }
    let wire: Wire = parse(text)?;
    let record = wire.record()?;
    let found = Wire::from(&Report::new(&record));
    let value = |wire| serde_json::to_value(wire).map_err(|it| it.to_string());
    differs("", &value(wire)?, &value(found)?).map_or(Ok(record), Err)
}

/// What tells whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    format: String,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: String,
    /// This and all that may be null is not known of a record in CSV.
    version: Option<String>,
    /// True if the comparison was interrupted.
    partial: bool,
    /// What was compared, where that was not `manyhands compare`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    group: String,
    workload: WireWorkload,
    workers: u64,
    queue: u64,
    seed: u64,
    machine: WireMachine,
    /// When it was to be enough.
    budget: Option<WireBudget>,
    /// Complete ones.
    rounds: usize,
    elapsed_ns: Option<u64>,
    /// All right, or there would be no report.
    answers_checked: Option<u64>,
    /// What was said to the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// In which all that follows was concluded.
    state: WireState,
    /// The baseline against itself.
    noise: Option<WireRatio>,
    /// True if that is too much to rank anybody.
    refused: bool,
    best: Option<WireBest>,
    variants: Vec<WireVariant>,
    /// Raw times, in the order in which they were taken.
    runs: Vec<WireRun>,
    /// What it costs that jobs outlive their process, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    durable: Option<WireDurable>,
}

#[derive(Serialize, Deserialize)]
struct WireWorkload {
    name: String,
    summary: Option<String>,
    jobs: u64,
    /// How many inputs could not be read.
    unread_inputs: Option<u64>,
    /// The first of them.
    unread: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct WireMachine {
    os: String,
    arch: String,
    cores: u64,
    /// Which compiler built the program, and from which revision.
    rustc: String,
    revision: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireBudget {
    processes: u64,
    rounds: u64,
    /// Null if the rounds alone were said.
    time_ns: Option<u64>,
}

/// How long a cache line took from core to core.
#[derive(Serialize, Deserialize)]
struct WireState {
    /// The least and the most of the rounds that were used.
    cache_line_ns: Option<(f64, f64)>,
    used_rounds: usize,
    /// It was another before or after these.
    left_out_rounds: usize,
    mixed: bool,
}

#[derive(Serialize, Deserialize)]
struct WireBest {
    variant: String,
    /// Cannot be told apart from it.
    alike: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct WireVariant {
    variant: String,
    /// What it does otherwise than the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    bends: String,
    /// How many jobs it ran, if not all; its times are what all would take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ran: Option<u64>,
    /// Median.
    wall_ns: Option<f64>,
    /// Medians, of a run, too.
    cpu_ns: Option<f64>,
    cores_got: Option<f64>,
    voluntary: Option<f64>,
    involuntary: Option<f64>,
    jobs_per_second: Option<f64>,
    /// Times as fast as the baseline.
    speed: Option<WireRatio>,
    /// From submit to completion.
    p50_ns: Option<f64>,
    p99_ns: Option<f64>,
    /// At an error, with jobs undone.
    stopped: bool,
    verdict: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireRatio {
    estimate: f64,
    /// The 95 % interval; null where there are too few rounds.
    interval: Option<(f64, f64)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireRun {
    /// From 1.
    round: u64,
    /// Which ran the round, from 1.
    process: u64,
    /// Which it was within its round, from 1.
    place: u64,
    pub(super) variant: String,
    wall_ns: u64,
    /// What the system does not tell is null.
    cpu_ns: Option<u64>,
    /// Context switches.
    voluntary: Option<u64>,
    involuntary: Option<u64>,
    /// How long some thread of the machine was ready and had no core.
    pressure_ns: Option<u64>,
    /// Of the machine, before the round.
    load: Option<f64>,
    /// Before the round, and after it.
    cache_line_ns: Option<f64>,
    cache_line_after_ns: Option<f64>,
}

impl From<&Report<'_>> for Wire {
    fn from(report: &Report<'_>) -> Self {
        let Report { record: Record { runs: record, about, .. }, judgement } =
            report;
        let about = about.as_ref();
        let best = report.best().map(|(variant, alike)| WireBest {
            variant: variant.to_owned(),
            alike: alike.into_iter().map(Into::into).collect(),
        });
        Self {
            format: FORMAT.to_owned(),
            version: about.map(|about| about.version.clone()),
            partial: record.partial,
            group: record.group.clone(),
            workload: WireWorkload {
                name: record.work.clone(),
                summary: about.map(|about| about.summary.clone()),
                jobs: record.jobs,
                unread_inputs: about.map(|about| about.unread),
                unread: about.map(|about| about.first_unread.clone()),
            },
            workers: record.workers,
            queue: record.queue,
            seed: record.seed,
            machine: WireMachine::from(&record.machine),
            budget: about.map(|about| WireBudget {
                processes: about.processes,
                rounds: about.most_rounds,
                time_ns: about.time,
            }),
            rounds: record.complete(),
            elapsed_ns: about.map(|about| about.elapsed),
            answers_checked: about.map(|about| about.answers),
            command: about.and_then(|about| about.command.clone()),
            state: WireState::from(judgement.state),
            noise: judgement.noise.map(WireRatio::from),
            refused: judgement.is_refused,
            best,
            variants: report
                .rows()
                .map(|row| WireVariant::of(row, record.jobs))
                .collect(),
            runs: record.runs().map(|(run, _)| WireRun::from(run)).collect(),
            durable: report.record.durable.as_ref().map(WireDurable::from),
        }
    }
}

impl From<&Machine> for WireMachine {
    fn from(machine: &Machine) -> Self {
        let Machine { os, arch, cores, rustc, revision } = machine.clone();
        Self { os, arch, cores, rustc, revision }
    }
}

impl From<State> for WireState {
    fn from(state: State) -> Self {
        Self {
            cache_line_ns: state.cache_line,
            used_rounds: state.used,
            left_out_rounds: state.left_out,
            mixed: state.is_mixed,
        }
    }
}

impl WireVariant {
    /// One of so many jobs.
    fn of(row: super::Row<'_>, jobs: u64) -> Self {
        let super::Row { entrant, judged, jobs_per_second, latency, .. } = row;
        Self {
            variant: entrant.name.clone(),
            bends: entrant.bends.clone(),
            ran: Some(entrant.ran).filter(|ran| *ran != jobs),
            wall_ns: judged.wall,
            cpu_ns: judged.cpu,
            cores_got: judged.cores_got,
            voluntary: judged.switches.map(|it| it.0),
            involuntary: judged.switches.map(|it| it.1),
            jobs_per_second,
            speed: judged.speed.map(WireRatio::from),
            p50_ns: latency.p50,
            p99_ns: latency.p99,
            stopped: entrant.stopped,
            verdict: judged.verdict.word().to_owned(),
        }
    }
}

impl From<Run<'_>> for WireRun {
    fn from(run: Run<'_>) -> Self {
        Self {
            round: run.round,
            process: run.process,
            place: run.place,
            variant: run.variant.to_owned(),
            wall_ns: run.wall_ns,
            cpu_ns: run.cpu_ns,
            voluntary: run.voluntary,
            involuntary: run.involuntary,
            pressure_ns: run.pressure_ns,
            load: run.load,
            cache_line_ns: run.cache_line_ns,
            cache_line_after_ns: run.cache_line_after_ns,
        }
    }
}

impl From<Ratio> for WireRatio {
    fn from(ratio: Ratio) -> Self {
        Self { estimate: ratio.estimate, interval: ratio.interval }
    }
}

impl Wire {
    /// What it records, without what it concludes.
    fn record(&self) -> Result<Record, String> {
        let work = legible(&self.workload.name);
        name("workload.name", &work)?;
        let jobs = self.workload.jobs;
        within("workload.jobs", jobs, &Runs::JOBS)?;
        within("workers", self.workers, &Runs::WORKERS)?;
        within("queue", self.queue, &Runs::QUEUE)?;
        let group = legible(&self.group);
        if !group.is_empty() {
            name("group", &group)?;
        }
        let entrants = self.variants.len() as u64;
        within("the number of variants", entrants, &Runs::ENTRANTS)?;
        let mut runs = Runs {
            partial: self.partial,
            group,
            work,
            jobs,
            workers: self.workers,
            queue: self.queue,
            seed: self.seed,
            machine: self.machine.machine()?,
            entrants: Vec::new(),
            rounds: Vec::new(),
        };
        let about = self.about()?;
        let mut latencies = Vec::new();
        for (place, variant) in self.variants.iter().enumerate() {
            let at = |why| format!("variants[{place}].{why}");
            let entrant = variant.entrant(jobs).map_err(at)?;
            if runs.entrants.iter().any(|it| it.name == entrant.name) {
                let name = entrant.name;
                return Err(at(format!("variant is {name}, allowed is once")));
            }
            runs.entrants.push(entrant);
            latencies.push(variant.latency().map_err(at)?);
        }
        for (place, run) in self.runs.iter().enumerate() {
            let variant = &legible(&run.variant);
            let added = runs.add(&run.of(variant));
            added.map_err(|why| format!("runs[{place}]: {why}"))?;
        }
        runs.check()?;
        let durable = self.durable.as_ref();
        let durable = durable.map(|it| it.durable(&runs.machine)).transpose();
        let durable = durable.map_err(|why| format!("durable.{why}"))?;
        let looks = Looks::default();
        Ok(Record { runs, about, latencies, looks, durable })
    }

    fn about(&self) -> Result<Option<About>, String> {
        let WireWorkload { summary, unread_inputs, unread, .. } =
            &self.workload;
        let known = [
            self.version.is_some(),
            summary.is_some(),
            unread_inputs.is_some(),
            unread.is_some(),
            self.budget.is_some(),
            self.elapsed_ns.is_some(),
            self.answers_checked.is_some(),
        ];
        let (
            Some(version),
            Some(summary),
            &Some(unread),
            Some(first_unread),
            Some(budget),
            Some(elapsed),
            Some(answers),
        ) = (
            &self.version,
            summary,
            unread_inputs,
            unread,
            &self.budget,
            self.elapsed_ns,
            self.answers_checked,
        )
        else {
            return match known.contains(&true) {
                false => Ok(None),
                true => Err("some of version, workload.summary, \
                             workload.unread_inputs, workload.unread, \
                             budget, elapsed_ns, answers_checked are null, \
                             allowed is all or none"
                    .into()),
            };
        };
        let version = legible(version);
        name("version", &version)?;
        let listed = first_unread.len() as u64;
        let most = unread.min(AboutWork::MOST_UNREAD as u64);
        within("the length of workload.unread", listed, &(most..=most))?;
        within("budget.processes", budget.processes, &Runs::PROCESSES)?;
        within("budget.rounds", budget.rounds, &Runs::ROUNDS)?;
        Ok(Some(About {
            version,
            summary: legible(summary),
            unread,
            first_unread: first_unread.iter().map(|it| legible(it)).collect(),
            processes: budget.processes,
            most_rounds: budget.rounds,
            time: budget.time_ns,
            elapsed,
            answers,
            command: self.command.as_deref().map(legible),
        }))
    }
}

impl WireMachine {
    fn machine(&self) -> Result<Machine, String> {
        let found = Machine {
            os: legible(&self.os),
            arch: legible(&self.arch),
            cores: self.cores,
            rustc: legible(&self.rustc),
            revision: self.revision.as_deref().map(legible),
        };
        machine(&found).map_err(|why| format!("machine: {why}"))?;
        Ok(found)
    }
}

impl WireRun {
    pub(super) fn of<'a>(&self, variant: &'a str) -> Run<'a> {
        Run {
            round: self.round,
            process: self.process,
            place: self.place,
            variant,
            wall_ns: self.wall_ns,
            cpu_ns: self.cpu_ns,
            voluntary: self.voluntary,
            involuntary: self.involuntary,
            pressure_ns: self.pressure_ns,
            load: self.load,
            cache_line_ns: self.cache_line_ns,
            cache_line_after_ns: self.cache_line_after_ns,
        }
    }
}

impl WireVariant {
    fn entrant(&self, jobs: u64) -> Result<Entrant, String> {
        let variant = legible(&self.variant);
        name("variant", &variant)?;
        let bends = legible(&self.bends);
        let length = bends.chars().count() as u64;
        within("the length of bends", length, &Runs::BENDS)?;
        let ran = self.ran.unwrap_or(jobs);
        within("ran", ran, &(1..=jobs))?;
        Ok(Entrant { name: variant, stopped: self.stopped, bends, ran })
    }

    fn latency(&self) -> Result<Percentiles, String> {
        for (what, value) in [("p50_ns", self.p50_ns), ("p99_ns", self.p99_ns)]
        {
            if let Some(value) = value {
                amount(what, value)?;
            }
        }
        Ok(Percentiles { p50: self.p50_ns, p99: self.p99_ns })
    }
}

/// Understands a text, or says which field is wrong.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    let mut from = serde_json::Deserializer::from_str(text);
    let parsed: Result<T, _> = serde_path_to_error::deserialize(&mut from);
    let parsed = parsed.map_err(|error| {
        let (path, why) = (error.path().to_string(), error.into_inner());
        match path.as_str() {
            "." => why.to_string(),
            path => format!("{path}: {why}"),
        }
    });
    let ended = |value| match from.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(error.to_string()),
    };
    parsed.and_then(ended).map_err(|why| {
        let why = why.replace(", expected ", ", allowed is ");
        let why = why.replace("allowed is u64", "allowed is 0 and up");
        shortened(&legible(&why))
    })
}

/// A line that a person reads.
fn shortened(line: &str) -> String {
    const LONGEST: usize = 300;
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => line[..end].to_owned() + "…",
        None => line.to_owned(),
    }
}

/// Says where the one is not the other, if it is not.
fn differs(at: &str, given: &Value, found: &Value) -> Option<String> {
    /// How much a number may be off: as much as another system's logarithm.
    const NEAR: f64 = 1e-9;
    let same = match (given, found) {
        (Value::Object(given), Value::Object(found)) => {
            return given.iter().find_map(|(field, given)| {
                let dot = if at.is_empty() { "" } else { "." };
                let at = format!("{at}{dot}{field}");
                differs(&at, given, found.get(field)?)
            });
        }
        (Value::Array(given), Value::Array(found))
            if given.len() == found.len() =>
        {
            let pairs = given.iter().zip(found).enumerate();
            return pairs.into_iter().find_map(|(place, (given, found))| {
                differs(&format!("{at}[{place}]"), given, found)
            });
        }
        (Value::Number(given), Value::Number(found)) => {
            let numbers = given.as_f64().zip(found.as_f64());
            numbers.is_some_and(|(given, found)| {
                (given - found).abs() <= NEAR * given.abs().max(found.abs())
            })
        }
        (Value::String(given), Value::String(found)) => {
            legible(given) == *found
        }
        (given, found) => given == found,
    };
    (!same).then(|| {
        let given = shortened(&legible(&given.to_string()));
        let found = shortened(&found.to_string());
        format!("{at} is {given}, allowed is {found}, which the runs show")
    })
}
