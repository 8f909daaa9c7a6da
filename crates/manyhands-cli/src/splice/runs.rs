//! The table of a comparison.

use manyhands_measure::State;
use manyhands_measure::record::Runs;

use super::marker::Marker;
use super::table::{on, unknown};
use crate::output::{plural, ratio, time};
use crate::record::Record;
use crate::report::{Report, Row, range};
use crate::table::{Column, Table, left, right};

/// What a column shows of a contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
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
    pub(super) fn wanted(
        record: &Record,
        marker: &Marker,
    ) -> Result<Vec<Self>, String> {
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
        let Row { entrant, latency, judged, .. } = *row;
        let Row { cpu_per_job, jobs_per_second, .. } = *row;
        let speed = judged.speed;
        let estimate = speed.map(|speed| speed.estimate);
        let is_baseline = entrant.name == runs.baseline();
        let interval = speed.and_then(|speed| speed.interval);
        let known = match self {
            Self::Wall => judged.wall.map(time),
            Self::WallPerJob => jobs_per_second.map(|it| time(1e9 / it)),
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
pub(super) fn is_price(columns: &[Shows]) -> bool {
    columns.contains(&Shows::Times)
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
pub(super) fn table(
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
pub(super) fn below(report: &Report<'_>, is_price: bool) -> String {
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
    let ratios = format!(
        "ratios are to {baseline} in the same round, with 95 % intervals"
    );
    said.push(ratios);
    said.push(on(&runs.machine));
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use manyhands_measure::record::Entrant;
    use manyhands_measure::{Machine, Round, Spent};

    use super::super::table::tests::made;
    use super::*;
    use crate::report::Recorded;

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
}
