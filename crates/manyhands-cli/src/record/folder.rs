//! A record as a folder: the rounds as they were, and beside them what else
//! was looked at, each a file of CSV with the machine in every line.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use manyhands_measure::record::{
    Csv, MOST_BYTES, NewFile, Rows, Runs, legible, shown,
};
use manyhands_trace::{Ended, Record as JobRecord, Trace};

use super::looks::{Load, Looks, PERCENTS, Tail};
use super::{About, Record};
use crate::args::Usage;
use crate::contenders::{self, INLINE};
use crate::durable::{Durable, Part};
use crate::report::durable_rows;

/// The rounds.
const RUNS: &str = "runs.csv";
/// The same work on so many workers: `workers-4.csv`.
const SIZES: &str = "workers-";
/// How long jobs took.
const TIMES: &str = "times.csv";
/// Runs job by job.
const JOBS: &str = "jobs.csv";
/// What it costs that jobs outlive their process, a part each:
/// `durable-run.csv`; and the table that it makes, for `splice`.
const DURABLE: &str = "durable-";
const DURABLE_TABLE: &str = "durable.csv";
/// The circumstances.
const ABOUT: &str = "about.json";

/// Writes a record into a new folder, which is there whole or not at all. One
/// that is there is never touched: the next number is put after its name.
pub(crate) fn write(
    into: &Path,
    name: &str,
    record: &Record,
) -> anyhow::Result<PathBuf> {
    let cannot = || format!("cannot make a folder in {}", into.display());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".manyhands-").suffix(".tmp");
    // As any new folder: the umask takes away what it must.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let staged = builder.tempdir_in(into).with_context(cannot)?;
    let file = |name: &str, content: &str| {
        let file = NewFile::at(staged.path().join(name));
        let written = file.and_then(|it| it.write(content));
        written.map_err(anyhow::Error::msg)
    };
    file(RUNS, &record.runs.csv())?;
    for runs in &record.looks.sizes {
        file(&format!("{SIZES}{}.csv", runs.workers), &runs.csv())?;
    }
    let table = |name, mut rows: Rows| {
        rows.machine = record.runs.machine.clone();
        match rows.rows.is_empty() {
            true => Ok(()),
            false => file(name, &rows.csv()),
        }
    };
    table(TIMES, times(&record.looks.tails))?;
    table(JOBS, jobs(&record.looks.traces))?;
    if let Some(durable) = &record.durable {
        for part in &durable.parts {
            file(&format!("{DURABLE}{}.csv", part.work), &part.csv())?;
        }
        file(DURABLE_TABLE, &durable_rows(durable).csv())?;
    }
    if let Some(about) = &record.about {
        file(ABOUT, &(serde_json::to_string_pretty(about)? + "\n"))?;
    }
    let folder = give_name(staged.path(), into, name).with_context(cannot)?;
    // It has another name now, and there is nothing to be removed.
    let _ = staged.keep();
    Ok(folder)
}

/// Gives a folder the first of its names that nothing has.
fn give_name(staged: &Path, into: &Path, name: &str) -> io::Result<PathBuf> {
    let mut folder = into.join(name);
    let mut number = 1_u32;
    loop {
        // A link to nowhere is something too.
        if folder.symlink_metadata().is_err() {
            match fs::rename(staged, &folder) {
                // It came in between.
                Err(_) if folder.symlink_metadata().is_ok() => {}
                renamed => return renamed.map(|()| folder),
            }
        }
        number += 1;
        folder = into.join(format!("{name}-{number}"));
    }
}

/// Finds out whether there can be folders in there, before there is anything
/// that would be lost.
pub(crate) fn check(into: &Path) -> Result<(), Usage> {
    let refused = |why: &dyn std::fmt::Display| {
        let into = legible(&into.to_string_lossy());
        Usage(format!(
            "--into is {into}, which {why}; allowed is a directory that can \
             be written to"
        ))
    };
    if into.exists() && !into.is_dir() {
        return Err(refused(&"is no directory"));
    }
    let tried = fs::create_dir_all(into)
        .and_then(|()| tempfile::tempdir_in(into).map(drop));
    tried.map_err(|error| {
        refused(&format_args!("cannot be written to ({})", error.kind()))
    })
}

/// Reads what [`write`] wrote.
///
/// # Errors
///
/// One line: which file is wrong, with what, and what is allowed.
pub(crate) fn read(folder: &Path) -> Result<Record, String> {
    let Some(Csv::Runs(runs)) = csv(&folder.join(RUNS))? else {
        return Err(format!("it has no {RUNS} with the runs of a comparison"));
    };
    let mut record = Record::from(runs);
    if let Some(text) = text(&folder.join(ABOUT))? {
        let about: About = serde_json::from_str(&text).map_err(|why| {
            format!("{ABOUT}: {}", legible(&why.to_string()))
        })?;
        record.about = Some(about.legible());
    }
    record.looks = Looks {
        traces: match csv(&folder.join(JOBS))? {
            None => Vec::new(),
            Some(Csv::Rows(rows)) => {
                let workers = record.runs.workers as usize;
                of_jobs(&rows, workers)
                    .map_err(|why| format!("{JOBS}: {why}"))?
            }
            Some(Csv::Runs(_)) => return Err(format!("{JOBS} has runs")),
        },
        tails: match csv(&folder.join(TIMES))? {
            None => Vec::new(),
            Some(Csv::Rows(rows)) => {
                of_times(&rows).map_err(|why| format!("{TIMES}: {why}"))?
            }
            Some(Csv::Runs(_)) => return Err(format!("{TIMES} has runs")),
        },
        sizes: sizes(folder)?,
    };
    record.durable = durable(folder)?;
    record.take_latencies();
    Ok(record)
}

/// What was skipped is not known of a folder: it has no figure.
fn durable(folder: &Path) -> Result<Option<Durable>, String> {
    let mut parts = Vec::new();
    for part in Part::ALL {
        let name = format!("{DURABLE}{}.csv", part.name());
        match csv(&folder.join(&name))? {
            None => {}
            Some(Csv::Runs(runs)) => parts.push(runs),
            Some(Csv::Rows(_)) => return Err(format!("{name} has no runs")),
        }
    }
    let skipped = Vec::new();
    Ok((!parts.is_empty()).then_some(Durable {
        parts,
        kept: Vec::new(),
        skipped,
    }))
}

fn sizes(folder: &Path) -> Result<Vec<Runs>, String> {
    let listed = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut sizes = BTreeMap::new();
    for entry in listed {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !name.starts_with(SIZES) || !name.ends_with(".csv") {
            continue;
        }
        match csv(&entry.path())? {
            Some(Csv::Runs(runs)) => sizes.insert(runs.workers, runs),
            _ => return Err(format!("{name} has no runs")),
        };
    }
    Ok(sizes.into_values().collect())
}

fn csv(path: &Path) -> Result<Option<Csv>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(text) = text(path)? else { return Ok(None) };
    let read = Csv::read(&text, &contenders::names());
    read.map(Some).map_err(|why| format!("{name}: {why}"))
}

/// `None` if there is no such file.
fn text(path: &Path) -> Result<Option<String>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
        Ok(bytes) if bytes.len() > MOST_BYTES => Err(format!(
            "{name} is too long, allowed is up to {} MiB",
            MOST_BYTES >> 20
        )),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(format!("{name} is not UTF-8")),
        },
    }
}

/// Stands where there is nothing.
const NONE: &str = "-";

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// What stands before the percents.
const TIMES_COLUMNS: [&str; 4] = ["variant", "loop", "per_second", "jobs"];

fn times(tails: &[Tail]) -> Rows {
    let percents = PERCENTS.map(|percent| format!("p{percent}_ns"));
    let columns = TIMES_COLUMNS.into_iter();
    let columns: Vec<&str> =
        columns.chain(percents.iter().map(String::as_str)).collect();
    let mut rows = Rows::new("times", "once", &columns);
    for tail in tails {
        let (load, per_second) = match tail.load {
            Load::Closed => ("closed".to_owned(), None),
            Load::Open { percent, per_second } => {
                (format!("open-{percent}"), Some(per_second))
            }
        };
        let id = format!("{}/{load}", tail.name);
        let mut cells = vec![
            tail.name.clone(),
            load,
            or_none(per_second),
            tail.jobs.to_string(),
        ];
        cells.extend(tail.points.map(or_none));
        rows.rows.push((id, cells));
    }
    rows
}

fn of_times(rows: &Rows) -> Result<Vec<Tail>, String> {
    let width = TIMES_COLUMNS.len() + PERCENTS.len();
    if rows.table != "times" || rows.columns.len() != width {
        return Err("it is another table".to_owned());
    }
    let tail = |(id, cells): &(String, Vec<String>)| {
        let at = |why| format!("{id}: {why}");
        let load = match (cells[1].as_str(), cells[2].as_str()) {
            ("closed", NONE) => Load::Closed,
            (load, per_second) => {
                let percent = load.strip_prefix("open-").unwrap_or(load);
                Load::Open {
                    percent: number("loop", percent).map_err(at)?,
                    per_second: number("per_second", per_second)
                        .map_err(at)?,
                }
            }
        };
        let mut points = [None; PERCENTS.len()];
        let cells_of_points = cells[TIMES_COLUMNS.len()..].iter();
        for (point, cell) in points.iter_mut().zip(cells_of_points) {
            *point = maybe("a time", cell).map_err(at)?;
        }
        let jobs = number("jobs", &cells[3]).map_err(at)?;
        Ok(Tail { name: cells[0].clone(), load, jobs, points })
    };
    rows.rows.iter().map(tail).collect()
}

const JOBS_COLUMNS: [&str; 7] =
    ["variant", "job", "thread", "made_ns", "started_ns", "ended_ns", "how"];

fn jobs(traces: &[(String, Trace)]) -> Rows {
    let mut rows = Rows::new("jobs", "once", &JOBS_COLUMNS);
    for (name, trace) in traces {
        for job in trace.records() {
            let id = format!("{name}/{}", job.number);
            rows.rows.push((
                id,
                vec![
                    name.clone(),
                    job.number.to_string(),
                    job.thread.to_string(),
                    job.made.as_nanos().to_string(),
                    or_none(job.started.map(|it| it.as_nanos())),
                    job.ended.as_nanos().to_string(),
                    job.how.to_string(),
                ],
            ));
        }
    }
    rows
}

fn of_jobs(
    rows: &Rows,
    workers: usize,
) -> Result<Vec<(String, Trace)>, String> {
    if rows.table != "jobs" || rows.columns != JOBS_COLUMNS {
        return Err("it is another table".to_owned());
    }
    let mut runs: Vec<(String, Vec<JobRecord>)> = Vec::new();
    for (id, cells) in &rows.rows {
        let name = &cells[0];
        let job = of_job(cells).map_err(|why| format!("{id}: {why}"))?;
        match runs.iter_mut().find(|run| run.0 == *name) {
            Some((_, jobs)) => jobs.push(job),
            None => runs.push((name.clone(), vec![job])),
        }
    }
    let traced = runs.into_iter().map(|(name, jobs)| {
        let workers = if name == INLINE { 1 } else { workers };
        (name, Trace::new(jobs, workers, 0))
    });
    Ok(traced.collect())
}

fn of_job(cells: &[String]) -> Result<JobRecord, String> {
    let how = &cells[6];
    let named = Ended::ALL.into_iter().find(|it| it.name() == how);
    let Some(how) = named else {
        let allowed = Ended::ALL.map(Ended::name).join(", ");
        return Err(format!("how is {}, allowed is {allowed}", shown(how)));
    };
    let made = number("made_ns", &cells[3])?;
    let started = maybe("started_ns", &cells[4])?;
    let ended = number("ended_ns", &cells[5])?;
    if made > started.unwrap_or(made) || started.unwrap_or(made) > ended {
        return Err(format!(
            "made, started and ended are {made}, {} and {ended}, allowed is \
             one after the other",
            or_none(started)
        ));
    }
    Ok(JobRecord {
        number: number("job", &cells[1])?,
        made: Duration::from_nanos(made),
        started: started.map(Duration::from_nanos),
        ended: Duration::from_nanos(ended),
        how,
        thread: number("thread", &cells[2])? as usize,
        lane: None,
    })
}

fn maybe(what: &str, cell: &str) -> Result<Option<u64>, String> {
    match cell {
        NONE => Ok(None),
        cell => number(what, cell).map(Some),
    }
}

fn number(what: &str, cell: &str) -> Result<u64, String> {
    let parsed = cell.parse();
    parsed
        .map_err(|_| format!("{what} is {}, allowed is 0 and up", shown(cell)))
}
