//! The timed runs as CSV, there and back: a line a run, in the order in which
//! they ran.

use std::ops::RangeInclusive;

use csv::{ReaderBuilder, StringRecord};
use manyhands_measure::Machine;

use super::FORMAT;
use crate::args::shown;
use crate::contenders::{self, AGAIN, INLINE};
use crate::output::legible;
use crate::record::{Entrant, Record, Run, amount, machine, name, within};
use crate::table::{Table, left};

/// What stands above the runs. Up to `revision` all are the same in each.
const COLUMNS: [&str; 25] = [
    "format",
    "workload",
    "jobs",
    "workers",
    "queue",
    "seed",
    "partial",
    "os",
    "arch",
    "cores",
    "rustc",
    "revision",
    "round",
    "process",
    "place",
    "variant",
    "stopped",
    "wall_ns",
    "cpu_ns",
    "voluntary",
    "involuntary",
    "pressure_ns",
    "load",
    "cache_line_ns",
    "cache_line_after_ns",
];

/// True for a text that may be meant as such a record.
pub(super) fn is_meant(text: &str) -> bool {
    text.starts_with(COLUMNS[0])
}

/// One line a timed run. What is not known is empty.
pub(crate) fn csv(record: &Record) -> String {
    let mut table = Table::new(COLUMNS.map(left));
    let machine = &record.machine;
    for (run, entrant) in record.runs() {
        table.row([
            FORMAT.to_owned(),
            record.work.clone(),
            record.jobs.to_string(),
            record.workers.to_string(),
            record.queue.to_string(),
            record.seed.to_string(),
            record.partial.to_string(),
            machine.os.clone(),
            machine.arch.clone(),
            machine.cores.to_string(),
            machine.rustc.clone(),
            machine.revision.clone().unwrap_or_default(),
            run.round.to_string(),
            run.process.to_string(),
            run.place.to_string(),
            run.variant.to_owned(),
            entrant.stopped.to_string(),
            run.wall_ns.to_string(),
            known(run.cpu_ns),
            known(run.voluntary),
            known(run.involuntary),
            known(run.pressure_ns),
            known(run.load),
            known(run.cache_line_ns),
            known(run.cache_line_after_ns),
        ]);
    }
    table.csv()
}

fn known(number: Option<impl ToString>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

/// The record that such a text holds.
///
/// # Errors
///
/// One line: which of its lines is wrong, with what, and what is allowed.
pub(super) fn read(text: &str) -> Result<Record, String> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        // Said in another way below.
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (place, line) in reader.into_records().enumerate() {
        let line = line.map_err(|error| legible(&error.to_string()))?;
        let number = line.position().map_or(0, |position| position.line());
        let row = match place {
            0 if line == COLUMNS[..] => continue,
            0 => Err(format!(
                "its columns are {}, allowed is {}",
                shown(&line.iter().collect::<Vec<_>>().join(",")),
                COLUMNS.join(",")
            )),
            _ if place > MOST_RUNS => {
                Err(format!("more runs than {MOST_RUNS}"))
            }
            _ => Row::read(&line),
        };
        let row = row.map_err(|why| format!("line {number}: {why}"))?;
        rows.push((number, row));
    }
    record(&rows)
}

/// One for each entrant in each round.
const MOST_RUNS: usize =
    (*Record::ROUNDS.end() * *Record::ENTRANTS.end()) as usize;

/// One run, and what its line says of all.
#[derive(Debug, PartialEq)]
struct Row {
    work: String,
    jobs: u64,
    workers: u64,
    queue: u64,
    seed: u64,
    partial: bool,
    machine: Machine,
    round: u64,
    process: u64,
    place: u64,
    variant: String,
    stopped: bool,
    wall_ns: u64,
    cpu_ns: Option<u64>,
    voluntary: Option<u64>,
    involuntary: Option<u64>,
    pressure_ns: Option<u64>,
    load: Option<f64>,
    cache_line_ns: Option<f64>,
    cache_line_after_ns: Option<f64>,
}

impl Row {
    fn read(line: &StringRecord) -> Result<Self, String> {
        if line.len() != COLUMNS.len() {
            let (found, allowed) = (line.len(), COLUMNS.len());
            return Err(format!("columns are {found}, allowed is {allowed}"));
        }
        let mut fields = Fields { line, next: 0 };
        let format = fields.text();
        if format != FORMAT {
            let format = shown(&format);
            return Err(format!("format is {format}, allowed is {FORMAT}"));
        }
        let work = fields.name()?;
        let jobs = fields.number(Record::JOBS)?;
        let workers = fields.number(Record::WORKERS)?;
        let queue = fields.number(Record::QUEUE)?;
        let seed = fields.number(0..=u64::MAX)?;
        let partial = fields.truth()?;
        let found = Machine {
            os: fields.text(),
            arch: fields.text(),
            cores: fields.number(1..=u64::MAX)?,
            rustc: fields.text(),
            revision: Some(fields.text()).filter(|it| !it.is_empty()),
        };
        machine(&found)?;
        Ok(Self {
            work,
            jobs,
            workers,
            queue,
            seed,
            partial,
            machine: found,
            round: fields.number(Record::ROUNDS)?,
            process: fields.number(Record::PROCESSES)?,
            place: fields.number(Record::ENTRANTS)?,
            variant: fields.name()?,
            stopped: fields.truth()?,
            wall_ns: fields.number(0..=u64::MAX)?,
            cpu_ns: fields.count()?,
            voluntary: fields.count()?,
            involuntary: fields.count()?,
            pressure_ns: fields.count()?,
            load: fields.amount()?,
            cache_line_ns: fields.amount()?,
            cache_line_after_ns: fields.amount()?,
        })
    }

    fn run(&self) -> Run<'_> {
        Run {
            round: self.round,
            process: self.process,
            place: self.place,
            variant: &self.variant,
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

    /// The first column that should be the same in both and is not.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let (machine, others) = (&self.machine, &other.machine);
        let same = [
            ("workload", self.work == other.work),
            ("jobs", self.jobs == other.jobs),
            ("workers", self.workers == other.workers),
            ("queue", self.queue == other.queue),
            ("seed", self.seed == other.seed),
            ("partial", self.partial == other.partial),
            ("os", machine.os == others.os),
            ("arch", machine.arch == others.arch),
            ("cores", machine.cores == others.cores),
            ("rustc", machine.rustc == others.rustc),
            ("revision", machine.revision == others.revision),
        ];
        same.iter().find(|(_, same)| !same).map(|(column, _)| *column)
    }
}

/// The fields of a line, one after the other.
struct Fields<'a> {
    line: &'a StringRecord,
    next: usize,
}

impl Fields<'_> {
    /// The next column, and what stands in it.
    fn take(&mut self) -> (&'static str, &str) {
        let column = self.next;
        self.next += 1;
        (COLUMNS[column], self.line.get(column).unwrap_or_default())
    }

    fn text(&mut self) -> String {
        legible(self.take().1)
    }

    fn name(&mut self) -> Result<String, String> {
        let (column, text) = self.take();
        let text = legible(text);
        name(column, &text).map(|()| text)
    }

    fn number(&mut self, allowed: RangeInclusive<u64>) -> Result<u64, String> {
        let (column, value) = self.take();
        let Ok(number) = value.parse() else {
            let (least, most) = (allowed.start(), allowed.end());
            let value = shown(value);
            return Err(format!(
                "{column} is {value}, allowed is {least} to {most}"
            ));
        };
        within(column, number, &allowed).map(|()| number)
    }

    fn truth(&mut self) -> Result<bool, String> {
        let (column, value) = self.take();
        value.parse().map_err(|_| {
            let value = shown(value);
            format!("{column} is {value}, allowed is true or false")
        })
    }

    /// A number, or nothing.
    fn count(&mut self) -> Result<Option<u64>, String> {
        match self.line.get(self.next) {
            Some("") => Ok(self.skip()),
            _ => self.number(0..=u64::MAX).map(Some),
        }
    }

    /// A number with a fraction, or nothing.
    fn amount(&mut self) -> Result<Option<f64>, String> {
        let (column, value) = self.take();
        if value.is_empty() {
            return Ok(None);
        }
        let number = value.parse::<f64>().map_err(|_| {
            let value = shown(value);
            format!("{column} is {value}, allowed is 0 and up")
        })?;
        amount(column, number).map(|()| Some(number))
    }

    fn skip<T>(&mut self) -> Option<T> {
        self.next += 1;
        None
    }
}

/// What the rows say together.
fn record(rows: &[(u64, Row)]) -> Result<Record, String> {
    let Some((_, first)) = rows.first() else {
        return Err("it has no run, allowed is one or more".into());
    };
    let mut record = Record {
        partial: first.partial,
        work: first.work.clone(),
        jobs: first.jobs,
        workers: first.workers,
        queue: first.queue,
        seed: first.seed,
        machine: first.machine.clone(),
        about: None,
        entrants: entrants(rows)?,
        rounds: Vec::new(),
    };
    for (number, row) in rows {
        let at = |why| format!("line {number}: {why}");
        if let Some(what) = row.differs(first) {
            let why = format!("{what} differs, allowed is one for all runs");
            return Err(at(why));
        }
        record.add(&row.run()).map_err(at)?;
    }
    record.check()?;
    Ok(record)
}

/// Those that have a run, in the order in which `compare` has them. The
/// baseline always takes part, even if it was interrupted before its run.
fn entrants(rows: &[(u64, Row)]) -> Result<Vec<Entrant>, String> {
    let entrant = |name: &str, stopped| Entrant {
        name: name.to_owned(),
        stopped,
        p50: None,
        p99: None,
    };
    let mut entrants: Vec<Entrant> = Vec::new();
    for (number, Row { variant, stopped, .. }) in rows {
        match entrants.iter().find(|entrant| entrant.name == *variant) {
            None => entrants.push(entrant(variant, *stopped)),
            Some(entrant) if entrant.stopped == *stopped => {}
            Some(_) => {
                return Err(format!(
                    "line {number}: stopped is {stopped}, allowed is one for \
                     all runs of {variant}"
                ));
            }
        }
    }
    for name in [INLINE, AGAIN] {
        if !entrants.iter().any(|entrant| entrant.name == name) {
            entrants.push(entrant(name, false));
        }
    }
    within(
        "the number of variants",
        entrants.len() as u64,
        &Record::ENTRANTS,
    )?;
    let known = contenders::names();
    entrants.sort_by_key(|entrant| match entrant.name.as_str() {
        AGAIN => usize::MAX,
        name => {
            let place = known.iter().position(|known| *known == name);
            place.unwrap_or(known.len())
        }
    });
    Ok(entrants)
}
