//! A table in Markdown, and below it a line that says on what it was
//! measured: made of what a record holds, and of nothing else.

use std::path::Path;

use manyhands_measure::record::{Rows, Runs, shown};
use manyhands_measure::{Machine, State};

use super::marker::Marker;
use crate::output::{plural, ratio, time};
use crate::record::Record;
use crate::report::{Recorded, Report, Row, range};
use crate::table::{Column, Table, left, right};

/// What stands after the marker.
///
/// # Errors
///
/// Which of the marker's names the record does not have.
pub(crate) fn table(
    recorded: &Recorded,
    marker: &Marker,
) -> Result<String, String> {
    let (table, below) = match recorded {
        Recorded::Compared(record) => {
            let report = Report::new(record);
            let columns = Shows::wanted(record, marker)?;
            let table = of_runs(&report, &columns, marker)?;
            (table, below_runs(&report, is_price(&columns)))
        }
        Recorded::Rows(rows) => (of_rows(rows, marker)?, below_rows(rows)),
    };
    let date = match date(&marker.record) {
        Some(date) => format!("{date}, "),
        None => String::new(),
    };
    let table = table.markdown();
    let below = format!("{below}; {date}[record]({}).", marker.record);
    // So that nothing in a record is taken for HTML, or for a marker.
    Ok(format!("{table}\n{below}\n").replace('<', "&lt;"))
}

/// What a column shows of a contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Wall,
    WallPerJob,
    CpuPerJob,
    Times,
    Speed,
    Interval,
    P50,
    P99,
    Verdict,
    Bends,
}

impl Shows {
    /// The columns, by their heads.
    const ALL: [(&'static str, Self); 10] = [
        ("wall", Self::Wall),
        ("wall/job", Self::WallPerJob),
        ("cpu/job", Self::CpuPerJob),
        ("times", Self::Times),
        ("speed", Self::Speed),
        ("interval", Self::Interval),
        ("p50", Self::P50),
        ("p99", Self::P99),
        ("verdict", Self::Verdict),
        ("differs in", Self::Bends),
    ];

    /// Those that the marker asks for.
    fn wanted(record: &Record, marker: &Marker) -> Result<Vec<Self>, String> {
        let Some(names) = &marker.columns else {
            return Ok(Self::usual(record));
        };
        let heads = Self::ALL.map(|(head, _)| head);
        let column = |name: &String| {
            let found = Self::ALL.iter().find(|(head, _)| head == name);
            let found = found.map(|(_, column)| *column);
            found.ok_or_else(|| unknown("columns", name, &heads))
        };
        let columns = names.iter().map(column);
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        match is_price(&columns) && columns.contains(&Self::Speed) {
            false => Ok(columns),
            true => Err("columns has times and speed, allowed is one of \
                         them, since the interval is of that"
                .into()),
        }
    }

    /// Those that there are if it asks for none: as the program that
    /// wrote the record prints them.
    fn usual(record: &Record) -> Vec<Self> {
        let is_compare = record.runs.group.is_empty();
        // The one group of `pools` that is about speed-up.
        let is_speed = is_compare || record.runs.group == "cpu";
        let mut usual = match is_compare {
            true => vec![Self::Wall],
            false => vec![Self::WallPerJob],
        };
        let ratio = if is_speed { Self::Speed } else { Self::Times };
        usual.extend([Self::CpuPerJob, ratio, Self::Interval]);
        if record.latencies.iter().any(|latency| latency.p50.is_some()) {
            usual.extend([Self::P50, Self::P99]);
        }
        usual.push(Self::Verdict);
        if !is_compare {
            usual.push(Self::Bends);
        }
        usual
    }

    fn column(self) -> Column {
        let head = Self::ALL.iter().find(|(_, it)| *it == self);
        let head = head.map_or("", |(head, _)| head);
        match self {
            Self::Interval | Self::Verdict | Self::Bends => left(head),
            _ => right(head),
        }
    }

    /// The cell. `is_price` if the interval is that of `times`.
    fn cell(self, row: &Row<'_>, runs: &Runs, is_price: bool) -> String {
        let Row { entrant, latency, judged, cpu_per_job, .. } = *row;
        let speed = judged.speed;
        let estimate = speed.map(|speed| speed.estimate);
        let is_baseline = entrant.name == runs.baseline();
        let interval = speed.and_then(|speed| speed.interval);
        let known = match self {
            Self::Wall => judged.wall.map(time),
            Self::WallPerJob => judged.wall.map(|it| time(it / jobs(runs))),
            Self::CpuPerJob => cpu_per_job.map(time),
            Self::Times => estimate.map(|speed| ratio(1.0 / speed)),
            Self::Speed => estimate.map(ratio),
            Self::Interval => interval
                .filter(|_| !is_baseline)
                .map(|interval| range(priced(interval, is_price))),
            Self::P50 => latency.p50.map(time),
            Self::P99 => latency.p99.map(time),
            Self::Verdict => Some(judged.verdict.word().to_owned()),
            Self::Bends => {
                let fewer = match entrant.ran < runs.jobs {
                    true => format!(" ({} jobs, scaled)", entrant.ran),
                    false => String::new(),
                };
                let bends = format!("{}{fewer}", entrant.bends);
                return bends.trim().to_owned();
            }
        };
        known.unwrap_or_else(|| "–".to_owned())
    }
}

/// Whether ratios are shown as what the work costs, and not as speeds.
fn is_price(columns: &[Shows]) -> bool {
    columns.contains(&Shows::Times)
}

fn jobs(runs: &Runs) -> f64 {
    runs.jobs as f64
}

/// An interval of speeds, or of the prices that they are.
fn priced((low, high): (f64, f64), is_price: bool) -> (f64, f64) {
    match is_price {
        true => (1.0 / high, 1.0 / low),
        false => (low, high),
    }
}

/// A row a contender: in the order of the variants, or by time if there is a
/// group; the baseline always.
fn of_runs(
    report: &Report<'_>,
    columns: &[Shows],
    marker: &Marker,
) -> Result<Table, String> {
    let runs = &report.record.runs;
    let names = runs.entrants.iter().map(|entrant| &*entrant.name);
    let names: Vec<&str> = names.collect();
    let only = marker.only.iter().flatten();
    if let Some(name) = only.clone().find(|only| !names.contains(&&***only)) {
        return Err(unknown("only", name, &names));
    }
    let mut rows: Vec<Row<'_>> = report.rows().collect();
    // The baseline again stays the last.
    let last = rows.len().saturating_sub(1);
    if !runs.group.is_empty() {
        let wall = |row: &Row<'_>| row.judged.wall.unwrap_or(f64::MAX);
        rows[..last].sort_by(|a, b| wall(a).total_cmp(&wall(b)));
    }
    let heads = columns.iter().map(|column| column.column());
    let mut table = Table::new([left("variant")].into_iter().chain(heads));
    for row in &rows {
        let name = &row.entrant.name;
        let is_baseline = name == runs.baseline();
        if is_baseline
            || marker.only.as_ref().is_none_or(|it| it.contains(name))
        {
            let cell =
                |column: &Shows| column.cell(row, runs, is_price(columns));
            let cells = columns.iter().map(cell);
            table.row(std::iter::once(name.clone()).chain(cells));
        }
    }
    Ok(table)
}

/// On what a comparison was measured, and how sure it is.
fn below_runs(report: &Report<'_>, is_price: bool) -> String {
    let Report { record, judgement } = report;
    let runs = &record.runs;
    let baseline = runs.baseline();
    let mut said = Vec::new();
    if runs.partial {
        said.push("**Partial**: the comparison was interrupted".to_owned());
    }
    let noise = judgement.noise.and_then(|noise| noise.interval);
    let noise = noise.map(|noise| range(priced(noise, is_price)));
    match noise {
        Some(noise) if judgement.is_refused => said.push(format!(
            "**Nobody is ranked**: A/A, {baseline} against itself, is \
             {noise}, off by over 3 %"
        )),
        Some(noise) => {
            said.push(format!("A/A, {baseline} against itself: {noise}"));
        }
        None => said.push(
            "too few rounds for intervals, so nobody is ranked".to_owned(),
        ),
    }
    let group = match runs.group.is_empty() {
        true => String::new(),
        false => format!("{}, ", runs.group),
    };
    said.push(format!(
        "{group}{}, {}, {}, a queue of {}",
        runs.work,
        plural(runs.jobs, "job"),
        plural(runs.workers, "worker"),
        runs.queue,
    ));
    let State { used, left_out, is_mixed, .. } = judgement.state;
    let rounds = plural((used + left_out) as u64, "round");
    let rounds = match (is_mixed, left_out) {
        (true, _) => format!("{rounds}, of no one state of the machine,"),
        (_, 0) => rounds,
        _ => format!("{used} of {rounds}, in one state of the machine,"),
    };
    let processes = match runs.processes() {
        0 | 1 => "one process".to_owned(),
        processes => format!("{processes} processes"),
    };
    said.push(format!("{rounds} in {processes}"));
    said.push(on(&runs.machine));
    said.join("; ")
}

/// A row an id, of the table's own columns.
fn of_rows(rows: &Rows, marker: &Marker) -> Result<Table, String> {
    let heads: Vec<&str> = rows.columns.iter().map(|it| &**it).collect();
    let columns: Vec<usize> = match &marker.columns {
        None => (0..heads.len()).collect(),
        Some(names) => {
            let place = |name: &String| {
                let found = heads.iter().position(|head| head == name);
                found.ok_or_else(|| unknown("columns", name, &heads))
            };
            names.iter().map(place).collect::<Result<_, _>>()?
        }
    };
    let ids: Vec<&str> = rows.rows.iter().map(|(id, _)| &**id).collect();
    let only = marker.only.iter().flatten();
    if let Some(name) =
        only.clone().find(|name| !ids.iter().any(|id| is_part(name, id)))
    {
        return Err(unknown("only", name, &ids));
    }
    let chosen = columns.iter().map(|&place| right(heads[place].to_owned()));
    let mut table = Table::new([left("id")].into_iter().chain(chosen));
    for (id, cells) in &rows.rows {
        let is_chosen = marker.only.is_none()
            || only.clone().any(|name| is_part(name, id));
        if is_chosen {
            let cells = columns.iter().map(|&place| cells[place].clone());
            table.row(std::iter::once(id.clone()).chain(cells));
        }
    }
    Ok(table)
}

/// True for an id, for what it begins with up to a slash, and for what it ends
/// with after one: a row, a group of them, a contender.
fn is_part(name: &str, id: &str) -> bool {
    let rest = |rest: &str| rest.is_empty() || rest.starts_with('/');
    id.strip_prefix(name).is_some_and(rest)
        || id.strip_suffix(name).is_some_and(|it| it.ends_with('/'))
}

/// On what a table was measured.
fn below_rows(rows: &Rows) -> String {
    let load = match rows.load {
        Some(load) => format!(", load {load:.1} before it"),
        None => String::new(),
    };
    format!(
        "{}, in {} length; one row after the other, and no A/A; {}{load}",
        rows.table,
        rows.length,
        on(&rows.machine)
    )
}

fn on(machine: &Machine) -> String {
    let Machine { os, arch, cores, rustc, revision } = machine;
    let cores = plural(*cores, "core");
    let revision = match revision {
        Some(revision) => format!(", revision {revision}"),
        None => String::new(),
    };
    format!("{os} on {arch}, {cores}, {rustc}{revision}")
}

fn unknown(option: &str, name: &str, allowed: &[&str]) -> String {
    /// More than that nobody reads.
    const MOST: usize = 20;
    let more = match allowed.len() > MOST {
        true => ", …",
        false => "",
    };
    let allowed = &allowed[..allowed.len().min(MOST)];
    let (name, allowed) = (shown(name), allowed.join(", "));
    format!("{option} has {name}, allowed are {allowed}{more}")
}

/// The folder of the day, if the record lies in one.
fn date(record: &str) -> Option<&str> {
    let folders = Path::new(record).parent()?.components();
    let mut names = folders.filter_map(|it| it.as_os_str().to_str());
    names.find(|name| {
        let shape = name.bytes().map(|byte| match byte {
            b'0'..=b'9' => '0',
            other => char::from(other),
        });
        shape.collect::<String>() == "0000-00-00"
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use manyhands_measure::record::Entrant;
    use manyhands_measure::{Round, Spent};

    use super::super::marker::Line;
    use super::*;

    /// A comparison in which `slow` took twice as long as the baseline,
    /// `quick` half as long, and the baseline again so many nanoseconds.
    fn recorded(group: &str, again: fn(u64) -> u64) -> Recorded {
        let round = |at: u64| {
            let walls = [1000, 2000, 500, again(at)];
            let spent = walls.map(|nanos| {
                let wall = Duration::from_nanos(nanos * 1000);
                Some(Spent { wall, ..Spent::default() })
            });
            Round {
                process: at as usize % 2 + 1,
                order: vec![0, 1, 2, 3],
                runs: spent.to_vec(),
                cache_line: None,
                load: None,
            }
        };
        let slow = Entrant {
            bends: "no ids".into(),
            ran: 10,
            ..Entrant::whole("slow", 1000)
        };
        let whole = |name| Entrant::whole(name, 1000);
        let entrants =
            vec![whole("base"), slow, whole("quick"), whole("base (again)")];
        let runs = Runs {
            partial: false,
            group: group.into(),
            work: "noop".into(),
            jobs: 1000,
            workers: 2,
            queue: 64,
            seed: 1,
            machine: Machine::look(),
            entrants,
            rounds: (0..12).map(round).collect(),
        };
        Recorded::Compared(runs.into())
    }

    fn made(recorded: &Recorded, marker: &str) -> Result<String, String> {
        let line = format!("<!-- table: {marker} -->");
        match Line::of(&line) {
            Ok(Line::Start(marker)) => table(recorded, &marker),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_of_compare_has_its_order_and_its_speeds() {
        let shown = made(&recorded("", |_| 1000), "r/2026-01-02/a.csv");
        let shown = shown.unwrap();
        assert!(shown.starts_with(
            "\
| variant      |   wall | cpu/job | speed | interval  | verdict     |
|--------------|-------:|--------:|------:|-----------|-------------|
| base         | 1.00ms |       – |  1.00 | –         | baseline    |
| slow         | 2.00ms |       – |  0.50 | 0.50–0.50 | slower      |
| quick        |  500µs |       – |  2.00 | 2.00–2.00 | faster      |
| base (again) | 1.00ms |       – |  1.00 | 1.00–1.00 | cannot tell |

A/A, base against itself: 1.00–1.00; noop, 1000 jobs, 2 workers, a queue of \
             64; 12 rounds in 2 processes; "
        ));
        let end = "; 2026-01-02, [record](r/2026-01-02/a.csv).\n";
        assert!(shown.ends_with(end), "{shown}");
        let machine = Machine::look();
        assert!(shown.contains(&machine.rustc), "{shown}");
        assert!(shown.contains(&machine.revision.unwrap_or_default()));
    }

    #[test]
    fn a_table_of_pools_is_by_time_with_prices_and_what_bends_it() {
        let shown = made(&recorded("dispatch", |_| 1000), "a").unwrap();
        let words = |line: &str| {
            let cells = line.trim_matches('|').split('|').map(str::trim);
            cells.collect::<Vec<_>>().join("; ")
        };
        let rows: Vec<_> = shown.lines().map(words).collect();
        assert_eq!(
            rows[0],
            "variant; wall/job; cpu/job; times; interval; verdict; differs in"
        );
        assert_eq!(rows[2], "quick; 500ns; –; 0.50; 0.50–0.50; faster; ");
        assert_eq!(rows[3], "base; 1.00µs; –; 1.00; –; baseline; ");
        assert_eq!(
            rows[4],
            "slow; 2.00µs; –; 2.00; 2.00–2.00; slower; \
             no ids (10 jobs, scaled)"
        );
        assert!(shown.contains("; dispatch, noop, 1000 jobs, "), "{shown}");
        let speeds = made(&recorded("cpu", |_| 1000), "a").unwrap();
        assert!(speeds.contains("| speed |"), "{speeds}");
    }

    #[test]
    fn a_machine_that_is_too_unsteady_ranks_nobody_and_the_line_says_so() {
        let unsteady = |at| if at % 2 == 0 { 900 } else { 1200 };
        for group in ["", "dispatch"] {
            let shown = made(&recorded(group, unsteady), "a").unwrap();
            let line = "**Nobody is ranked**: A/A, base against itself, is ";
            assert!(shown.contains(line), "{shown}");
            assert!(shown.contains("not ranked"), "{shown}");
            assert!(!shown.contains("faster"), "{shown}");
        }
    }

    #[test]
    fn a_marker_keeps_a_table_short_and_the_baseline_in_it() {
        let recorded = recorded("", |_| 1000);
        let marker = "a only=quick columns=times,interval";
        let shown = made(&recorded, marker).unwrap();
        assert!(shown.starts_with(
            "\
| variant | times | interval  |
|---------|------:|-----------|
| base    |  1.00 | –         |
| quick   |  0.50 | 0.50–0.50 |

"
        ));
        for (marker, why) in [
            ("a only=fast", "only has fast, allowed are base, slow, quick, "),
            ("a columns=ns", "columns has ns, allowed are wall, wall/job, "),
            ("a columns=times,speed", "columns has times and speed, allowed"),
        ] {
            let refused = made(&recorded, marker).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn a_recorded_table_is_shown_as_it_is() {
        let row = |id: &str, cells: [&str; 2]| {
            (id.to_owned(), cells.map(Into::into).to_vec())
        };
        let rows = Recorded::Rows(Rows {
            table: "latency".into(),
            length: "quick".into(),
            machine: Machine::look(),
            load: Some(0.5),
            columns: vec!["p50".into(), "under way".into()],
            rows: vec![
                row("latency/idle/a", ["1", "<b>|"]),
                row("latency/idle/b", ["2", "-"]),
                row("latency/load-50/a", ["3", "-"]),
            ],
        });
        let shown = made(&rows, "x.csv only=a columns=under way").unwrap();
        assert!(shown.starts_with(
            "\
| id                | under way |
|-------------------|----------:|
| latency/idle/a    |     &lt;b>\\| |
| latency/load-50/a |         - |

latency, in quick length; one row after the other, and no A/A; "
        ));
        assert!(shown.ends_with("; [record](x.csv).\n"), "{shown}");
        for (marker, why) in [
            ("x only=c", "only has c, allowed are latency/idle/a, latency/"),
            ("x columns=p99", "columns has p99, allowed are p50, under way"),
        ] {
            let refused = made(&rows, marker).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn a_name_stands_for_a_row_a_group_or_a_contender() {
        let id = "latency/load-50/channel";
        for part in [id, "latency", "latency/load-50", "channel"] {
            assert!(is_part(part, id), "{part}");
        }
        for other in ["", "load-50", "latency/load", "nel", "x"] {
            assert!(!is_part(other, id), "{other}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_folder() {
        let of = |path| date(path);
        assert_eq!(of("benches/record/2026-11-21/a.csv"), Some("2026-11-21"));
        assert_eq!(of("benches/record/2026-11-21"), None);
        assert_eq!(of("2026-11-2x/a.csv"), None);
        assert_eq!(of("a.csv"), None);
    }
}
