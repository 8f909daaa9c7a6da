//! The timed runs as CSV, there and back: a line a run, in the order in which
//! they ran.

use std::ops::RangeInclusive;

use csv::{ReaderBuilder, StringRecord};

use crate::args::shown;
use crate::contenders::{self, AGAIN};
use crate::output::legible;
use crate::record::{Entrant, Record, Run, name, within};
use crate::table::{Table, left};

/// What stands above the runs. The first six are the same in each.
const COLUMNS: [&str; 11] = [
    "workload", "jobs", "workers", "queue", "seed", "partial", "round",
    "place", "variant", "stopped", "wall_ns",
];

/// True for a text that may be meant as such a record.
pub(super) fn is_meant(text: &str) -> bool {
    text.starts_with(COLUMNS[0])
}

/// One line a timed run.
pub(crate) fn csv(record: &Record) -> String {
    let mut table = Table::new(COLUMNS.map(left));
    for (run, entrant) in record.runs() {
        table.row([
            record.work.clone(),
            record.jobs.to_string(),
            record.workers.to_string(),
            record.queue.to_string(),
            record.seed.to_string(),
            record.partial.to_string(),
            run.round.to_string(),
            run.place.to_string(),
            run.variant.to_owned(),
            entrant.stopped.to_string(),
            run.wall_ns.to_string(),
        ]);
    }
    table.csv()
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
    round: u64,
    place: u64,
    variant: String,
    stopped: bool,
    wall_ns: u64,
}

impl Row {
    fn read(line: &StringRecord) -> Result<Self, String> {
        if line.len() != COLUMNS.len() {
            let (found, allowed) = (line.len(), COLUMNS.len());
            return Err(format!("columns are {found}, allowed is {allowed}"));
        }
        let field = |column: usize| line.get(column).unwrap_or_default();
        let number = |column: usize, allowed: RangeInclusive<u64>| {
            let (what, value) = (COLUMNS[column], field(column));
            let Ok(number) = value.parse() else {
                let (least, most) = (allowed.start(), allowed.end());
                let value = shown(value);
                return Err(format!(
                    "{what} is {value}, allowed is {least} to {most}"
                ));
            };
            within(what, number, &allowed).map(|()| number)
        };
        let truth = |column: usize| match field(column) {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!(
                "{} is {}, allowed is true or false",
                COLUMNS[column],
                shown(other)
            )),
        };
        let text = |column: usize| {
            let text = legible(field(column));
            name(COLUMNS[column], &text).map(|()| text)
        };
        Ok(Self {
            work: text(0)?,
            jobs: number(1, Record::JOBS)?,
            workers: number(2, Record::WORKERS)?,
            queue: number(3, Record::QUEUE)?,
            seed: number(4, 0..=u64::MAX)?,
            partial: truth(5)?,
            round: number(6, Record::ROUNDS)?,
            place: number(7, Record::ENTRANTS)?,
            variant: text(8)?,
            stopped: truth(9)?,
            wall_ns: number(10, 0..=u64::MAX)?,
        })
    }

    /// The first column that should be the same in both and is not.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let same = [
            self.work == other.work,
            self.jobs == other.jobs,
            self.workers == other.workers,
            self.queue == other.queue,
            self.seed == other.seed,
            self.partial == other.partial,
        ];
        same.iter().position(|same| !same).map(|column| COLUMNS[column])
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
        let &Row { round, place, ref variant, wall_ns, .. } = row;
        record.add(&Run { round, place, variant, wall_ns }).map_err(at)?;
    }
    record.check()?;
    Ok(record)
}

/// Those that have a run, in the order in which `compare` has them.
fn entrants(rows: &[(u64, Row)]) -> Result<Vec<Entrant>, String> {
    let mut entrants: Vec<Entrant> = Vec::new();
    for (number, Row { variant, stopped, .. }) in rows {
        match entrants.iter().find(|entrant| entrant.name == *variant) {
            None => entrants.push(Entrant {
                name: variant.clone(),
                stopped: *stopped,
                p50: None,
                p99: None,
            }),
            Some(entrant) if entrant.stopped == *stopped => {}
            Some(_) => {
                return Err(format!(
                    "line {number}: stopped is {stopped}, allowed is one for \
                     all runs of {variant}"
                ));
            }
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
