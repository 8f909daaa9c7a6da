//! The timed runs as CSV, there and back: a line a run, in the order in which
//! they ran.

use csv::StringRecord;

use super::allowed::{NAME, length};
use super::fields::{FIRST, Fields, known, line, lines, of_machine};
use super::runs::again;
use super::{Entrant, Run, Runs, shown, within};
use crate::Machine;

/// The shape, and its version: another when a column goes, or comes to mean
/// something else.
const FORMAT: &str = "manyhands-runs/1";

/// What stands above the runs. Up to `revision` all are the same in each.
const COLUMNS: [&str; 29] = [
    FIRST,
    "group",
    "workload",
    "jobs",
    "workers",
    "queue",
    "baseline",
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
    "bends",
    "ran",
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

impl Runs {
    /// One line a timed run. What is not known is empty.
    pub fn csv(&self) -> String {
        let mut text = line(COLUMNS);
        for (run, entrant) in self.runs() {
            let [os, arch, cores, rustc, revision] = of_machine(&self.machine);
            let fields: [String; COLUMNS.len()] = [
                FORMAT.to_owned(),
                self.group.clone(),
                self.work.clone(),
                self.jobs.to_string(),
                self.workers.to_string(),
                self.queue.to_string(),
                self.baseline().to_owned(),
                self.seed.to_string(),
                self.partial.to_string(),
                os,
                arch,
                cores,
                rustc,
                revision,
                run.round.to_string(),
                run.process.to_string(),
                run.place.to_string(),
                run.variant.to_owned(),
                entrant.bends.clone(),
                entrant.ran.to_string(),
                entrant.stopped.to_string(),
                run.wall_ns.to_string(),
                known(run.cpu_ns),
                known(run.voluntary),
                known(run.involuntary),
                known(run.pressure_ns),
                known(run.load),
                known(run.cache_line_ns),
                known(run.cache_line_after_ns),
            ];
            text += &line(fields.iter().map(String::as_str));
        }
        text
    }
}

/// The runs that such a text holds.
///
/// # Errors
///
/// One line: which of its lines is wrong, with what, and what is allowed.
pub(super) fn read(text: &str, order: &[&str]) -> Result<Runs, String> {
    let mut rows = Vec::new();
    for (place, line) in lines(text).enumerate() {
        let (number, line) = line?;
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
    runs(&rows, order)
}

/// One for each entrant in each round.
const MOST_RUNS: usize =
    (*Runs::ROUNDS.end() * *Runs::ENTRANTS.end()) as usize;

/// One run, and what its line says of all.
#[derive(Debug)]
struct Row {
    group: String,
    work: String,
    jobs: u64,
    workers: u64,
    queue: u64,
    baseline: String,
    seed: u64,
    partial: bool,
    machine: Machine,
    round: u64,
    process: u64,
    place: u64,
    entrant: Entrant,
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
        let mut fields = Fields::of(&COLUMNS, line, FORMAT)?;
        let group = fields.text();
        length("group", &group, &(0..=*NAME.end()))?;
        let work = fields.name()?;
        let jobs = fields.number(Runs::JOBS)?;
        let workers = fields.number(Runs::WORKERS)?;
        let queue = fields.number(Runs::QUEUE)?;
        let baseline = fields.name()?;
        // It takes part under this name too.
        super::name("baseline, again,", &again(&baseline))?;
        Ok(Self {
            group,
            work,
            jobs,
            workers,
            queue,
            baseline,
            seed: fields.number(0..=u64::MAX)?,
            partial: fields.truth()?,
            machine: fields.machine()?,
            round: fields.number(Runs::ROUNDS)?,
            process: fields.number(Runs::PROCESSES)?,
            place: fields.number(Runs::ENTRANTS)?,
            entrant: entrant(&mut fields, jobs)?,
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
            variant: &self.entrant.name,
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
            ("group", self.group == other.group),
            ("workload", self.work == other.work),
            ("jobs", self.jobs == other.jobs),
            ("workers", self.workers == other.workers),
            ("queue", self.queue == other.queue),
            ("baseline", self.baseline == other.baseline),
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

/// The columns `variant` to `stopped`.
fn entrant(fields: &mut Fields<'_>, jobs: u64) -> Result<Entrant, String> {
    let name = fields.name()?;
    let bends = fields.text();
    length("bends", &bends, &Runs::BENDS)?;
    let ran = fields.number(1..=jobs)?;
    Ok(Entrant { name, bends, ran, stopped: fields.truth()? })
}

/// What the rows say together.
fn runs(rows: &[(u64, Row)], order: &[&str]) -> Result<Runs, String> {
    let Some((_, first)) = rows.first() else {
        return Err("it has no run, allowed is one or more".into());
    };
    let mut runs = Runs {
        partial: first.partial,
        group: first.group.clone(),
        work: first.work.clone(),
        jobs: first.jobs,
        workers: first.workers,
        queue: first.queue,
        seed: first.seed,
        machine: first.machine.clone(),
        entrants: entrants(rows, first, order)?,
        rounds: Vec::new(),
    };
    for (number, row) in rows {
        let at = |why| format!("line {number}: {why}");
        if let Some(what) = row.differs(first) {
            let why = format!("{what} differs, allowed is one for all runs");
            return Err(at(why));
        }
        runs.add(&row.run()).map_err(at)?;
    }
    runs.check()?;
    Ok(runs)
}

/// Those that have a run, in that order. The baseline always takes part, even
/// if it was interrupted before its run.
fn entrants(
    rows: &[(u64, Row)],
    first: &Row,
    order: &[&str],
) -> Result<Vec<Entrant>, String> {
    let mut entrants: Vec<Entrant> = Vec::new();
    for (number, Row { entrant, .. }) in rows {
        match entrants.iter().find(|found| found.name == entrant.name) {
            None => entrants.push(entrant.clone()),
            Some(found) => {
                let same = [
                    ("bends", found.bends == entrant.bends),
                    ("ran", found.ran == entrant.ran),
                    ("stopped", found.stopped == entrant.stopped),
                ];
                if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
                    let name = &entrant.name;
                    return Err(format!(
                        "line {number}: {what} differs, allowed is one for \
                         all runs of {name}"
                    ));
                }
            }
        }
    }
    let (baseline, again) = (&first.baseline, &again(&first.baseline));
    for name in [baseline, again] {
        if !entrants.iter().any(|entrant| entrant.name == *name) {
            entrants.push(Entrant::whole(name, first.jobs));
        }
    }
    let number = entrants.len() as u64;
    within("the number of variants", number, &Runs::ENTRANTS)?;
    entrants.sort_by_key(|entrant| {
        let place = order.iter().position(|name| *name == entrant.name);
        match &entrant.name {
            name if name == baseline => (0, 0),
            name if name == again => (2, 0),
            _ => (1, place.unwrap_or(order.len())),
        }
    });
    Ok(entrants)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Round, Spent};

    fn sample() -> Runs {
        let spent = |nanos| {
            Some(Spent {
                wall: Duration::from_nanos(nanos),
                ..Spent::default()
            })
        };
        let round = |process, order: [usize; 3]| Round {
            process,
            order: order.to_vec(),
            runs: vec![spent(300), spent(100), spent(301)],
            cache_line: Some((60.5, 61.25)),
            load: Some(0.5),
        };
        let slow = Entrant {
            bends: "no ids, \"quoted\"".into(),
            ran: 5,
            ..Entrant::whole("slow", 20)
        };
        let entrants = vec![
            Entrant::whole("b", 20),
            slow,
            Entrant::whole("b (again)", 20),
        ];
        Runs {
            partial: false,
            group: "dispatch".into(),
            work: "noop".into(),
            jobs: 20,
            workers: 2,
            queue: 1024,
            seed: 7,
            machine: Machine::look(),
            entrants,
            rounds: vec![round(1, [1, 2, 0]), round(2, [0, 1, 2])],
        }
    }

    #[test]
    fn what_was_written_is_read_as_the_same() {
        let runs = sample();
        assert_eq!(read(&runs.csv(), &[]), Ok(runs.clone()));
        assert_eq!(runs.judge(), read(&runs.csv(), &[]).unwrap().judge());
    }

    #[test]
    fn contenders_stand_in_the_order_that_is_asked_for() {
        let mut runs = sample();
        runs.entrants.insert(2, Entrant::whole("early", 20));
        for round in &mut runs.rounds {
            round.order = vec![3, 1, 2, 0];
            round.runs.insert(2, round.runs[0]);
        }
        let names = |order: &[&str]| {
            let read = read(&runs.csv(), order).unwrap();
            read.entrants.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["b", "slow", "early", "b (again)"]);
        let order = ["b (again)", "early", "slow", "b"];
        assert_eq!(names(&order), ["b", "early", "slow", "b (again)"]);
        assert_eq!(names(&["early"]), ["b", "early", "slow", "b (again)"]);
    }

    #[test]
    fn what_does_not_agree_with_the_lines_before_is_named() {
        let text = sample().csv();
        // In its fifth run, which is the second of `slow`.
        for (from, to, why) in [
            (
                ",5,false",
                ",6,false",
                "ran differs, allowed is one for all runs",
            ),
            (",5,false", ",21,false", "ran is 21, allowed is 1 to 20"),
            ("no ids", "ids", "bends differs, allowed is one for all runs of"),
            (",b,7", ",c,7", "baseline differs, allowed is one for all runs"),
            ("dispatch", "batch", "group differs, allowed is one for all"),
            ("runs/1", "runs/2", "format is manyhands-runs/2, allowed is"),
        ] {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            assert!(lines[5].contains(from), "{from}: {}", lines[5]);
            lines[5] = lines[5].replace(from, to);
            let refused = read(&lines.join("\n"), &[]).unwrap_err();
            let why = format!("line 6: {why}");
            assert!(refused.starts_with(&why), "{why}: {refused}");
        }
    }
}
