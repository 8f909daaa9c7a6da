//! What was measured, as a person wants to know it: who is faster, by how
//! much, and how sure that is. What follows from the rounds is for
//! manyhands-measure to know, how it is shown for this.

mod durable;
mod json;
mod page;
mod read;
mod rows;
mod text;

use manyhands_measure::Judgement;
use manyhands_measure::record::Entrant;

pub(crate) use self::durable::rows as durable_rows;
pub(crate) use self::json::json;
pub(crate) use self::page::page;
pub(crate) use self::read::{Recorded, read};
pub(crate) use self::text::range;
use self::text::{markdown, plain};
use crate::args::Format;
use crate::record::{Percentiles, Record};

/// Everything that is reported.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) record: &'a Record,
    /// What follows from it.
    pub(crate) judgement: Judgement,
}

/// One contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) entrant: &'a Entrant,
    pub(crate) latency: Percentiles,
    pub(crate) judged: &'a manyhands_measure::Row,
    /// By the median of its times. `None` for one that stopped.
    pub(crate) jobs_per_second: Option<f64>,
    /// CPU time, in nanoseconds. `None` for one that stopped.
    pub(crate) cpu_per_job: Option<f64>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        Self { record, judgement: record.runs.judge() }
    }

    /// One an entrant, in their order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let jobs = self.record.runs.jobs as f64;
        let entrants = self.record.runs.entrants.iter();
        let entrants = entrants.zip(&self.record.latencies);
        entrants.zip(&self.judgement.rows).map(move |(it, judged)| {
            let (entrant, &latency) = it;
            let of_all =
                |value: Option<f64>| value.filter(|_| !entrant.stopped);
            Row {
                entrant,
                latency,
                judged,
                jobs_per_second: of_all(judged.wall).map(|it| jobs * 1e9 / it),
                cpu_per_job: of_all(judged.cpu).map(|it| it / jobs),
            }
        })
    }

    /// The fastest, and those that cannot be told apart from it.
    pub(crate) fn best(&self) -> Option<(&'a str, Vec<&'a str>)> {
        let best = self.judgement.best.as_ref()?;
        let entrants = &self.record.runs.entrants;
        let name = |who: usize| entrants[who].name.as_str();
        let alike = best.alike.iter().map(|who| name(*who));
        Some((name(best.who), alike.collect()))
    }

    /// In the shape that was asked for.
    pub(crate) fn shown(&self, format: Format) -> anyhow::Result<String> {
        Ok(match format {
            Format::Table => plain(self),
            Format::Json => json(self)?,
            Format::Csv => self.record.runs.csv(),
            Format::Md => markdown(self),
            Format::Html => page(std::slice::from_ref(self.record)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use manyhands_measure::record::Runs;
    use manyhands_measure::{FEWEST, Machine, Round, Spent, Switches};

    use super::*;
    use crate::contenders::INLINE;
    use crate::record::{About, Looks};

    /// What [`read`] makes of a comparison.
    fn compared(text: &str) -> Result<Record, String> {
        match read(text.as_bytes())? {
            Recorded::Compared(record) => Ok(record),
            Recorded::Rows(_) => Err("it is a table".into()),
        }
    }

    /// What is recorded of `inline`, `channel`, `waitgroup` and `inline
    /// (again)` when they took so many nanoseconds in each round.
    fn recorded(rounds: &[[u64; 4]]) -> Record {
        let names = [INLINE, "channel", "waitgroup", "inline (again)"];
        let rounds = rounds.iter().enumerate().map(|(at, walls)| Round {
            process: at % 3 + 1,
            order: vec![0, 1, 2, 3],
            runs: walls.map(|nanos| Some(spent(nanos))).to_vec(),
            cache_line: (at != 1).then_some((20.1, 33.333_333_333_333_336)),
            load: Some(0.07),
        });
        let latency = Percentiles { p50: Some(1000.0), p99: Some(12_345.5) };
        let about = About {
            version: "0.1.0".into(),
            summary: "10 jobs of nothing".into(),
            unread: 0,
            first_unread: Vec::new(),
            processes: 3,
            most_rounds: 100,
            time: None,
            elapsed: 1_000_000_000,
            answers: 0,
            command: None,
        };
        let machine = Machine {
            os: "linux".into(),
            arch: "x86_64".into(),
            cores: 2,
            rustc: "rustc 1.88.0 (6b00bc388 2025-06-23)".into(),
            revision: None,
        };
        let runs = Runs {
            partial: false,
            group: String::new(),
            work: "noop".into(),
            jobs: 10,
            workers: 2,
            queue: 256,
            seed: 1,
            machine,
            entrants: names.map(|name| Entrant::whole(name, 10)).to_vec(),
            rounds: rounds.collect(),
        };
        let (about, latencies) = (Some(about), vec![latency; 4]);
        let looks = Looks::default();
        Record { runs, about, latencies, looks, durable: None }
    }

    fn spent(nanos: u64) -> Spent {
        let wall = Duration::from_nanos(nanos);
        let switches = Switches { voluntary: 3, involuntary: 1 };
        Spent {
            wall,
            cpu: Some(wall * 2),
            switches: Some(switches),
            pressure: None,
        }
    }

    #[test]
    fn jobs_per_second_and_cpu_a_job_go_by_the_median_time() {
        let rounds = [[1000, 10, 20, 30], [1000, 1, 20, 30], [900, 99, 0, 30]];
        let mut record = recorded(&rounds);
        record.runs.entrants[2].stopped = true;
        let report = Report::new(&record);
        let rows: Vec<Row<'_>> = report.rows().collect();
        assert_eq!(rows[0].judged.wall, Some(1000.0));
        assert_eq!(rows[0].jobs_per_second, Some(10_000_000.0));
        assert_eq!(rows[1].judged.wall, Some(10.0));
        assert_eq!(rows[1].cpu_per_job, Some(2.0));
        // Less work than the others.
        assert_eq!(rows[2].judged.wall, Some(20.0));
        assert_eq!(rows[2].jobs_per_second, None);
        assert_eq!(rows[2].cpu_per_job, None);
    }

    #[test]
    fn a_refusal_to_rank_says_so_and_shows_the_times() {
        let again = |n| if n % 2 == 0 { 900_000 } else { 1_100_000 };
        let rounds = |again: &dyn Fn(u64) -> u64| -> Vec<_> {
            (0..12).map(|n| [1_000_000, 500_000, 9_000, again(n)]).collect()
        };
        let noisy = recorded(&rounds(&again));
        let steady = recorded(&rounds(&|_| 1_000_000));
        let words = |record: &Record, format| {
            let shown = Report::new(record).shown(format).unwrap();
            shown.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for format in [Format::Table, Format::Md] {
            let shown = words(&noisy, format);
            assert!(shown.contains("nobody is ranked, for inline differs"));
            assert!(!shown.contains("fastest"), "{shown}");
            assert!(!shown.contains("faster"), "{shown}");
            assert!(shown.contains("500µs"), "{shown}");
            let shown = words(&steady, format);
            assert!(!shown.contains("nobody is ranked"), "{shown}");
            assert!(shown.contains("waitgroup, ahead of each"), "{shown}");
        }
        assert!(words(&noisy, Format::Json).contains("\"refused\": true"));
        assert!(words(&steady, Format::Json).contains("\"refused\": false"));
    }

    #[test]
    fn rounds_that_are_left_out_are_counted_in_the_table() {
        let mut record = recorded(&[[1000, 700, 3000, 1001]; 12]);
        record.runs.rounds[4].cache_line = Some((20.0, 200.0));
        let shown = plain(&Report::new(&record));
        assert!(shown.contains("11 rounds looked at; 1 left out"), "{shown}");
    }

    /// What was measured, and what was read of it, are shown as the same.
    #[test]
    fn a_record_in_json_is_shown_as_it_was_when_it_was_measured() {
        let mut uneven = Vec::new();
        for n in 1..=50u64 {
            // No two alike.
            uneven.push([2, 3, 5, 7].map(|of| n.pow(5) * of % 1_000_007 + 1));
        }
        for rounds in [&uneven[..], &uneven[..FEWEST], &uneven[..1]] {
            let record = recorded(rounds);
            let report = Report::new(&record);
            let again = compared(&json(&report).unwrap()).unwrap();
            assert_eq!(again, record);
            let again = Report::new(&again);
            for &(name, format) in Format::ALL {
                let shown = report.shown(format).unwrap();
                assert_eq!(again.shown(format).unwrap(), shown, "{name}");
            }
        }
    }

    #[test]
    fn a_partial_record_says_so_in_every_format_and_is_read_as_one() {
        let mut record = recorded(&[[1000; 4]; 2]);
        // Interrupted in the third round, after its second run.
        let cut = Some(spent(999));
        record.runs.rounds.push(Round {
            process: 3,
            order: vec![3, 1],
            runs: vec![None, cut, None, cut],
            cache_line: None,
            load: None,
        });
        let cut = json(&Report::new(&record)).unwrap();
        let refused = compared(&cut).unwrap_err();
        assert!(refused.contains("unless it is partial"), "{refused}");
        record.runs.partial = true;
        let report = Report::new(&record);
        for (format, marked) in [
            (Format::Table, "\npartial   the comparison was interrupted"),
            (Format::Md, "\n- **partial**: the comparison was interrupted"),
            (Format::Json, "\n  \"partial\": true,\n"),
            (Format::Csv, ",,3,3,2,channel,,10,false,999,1998,3,1,,,,\n"),
        ] {
            let shown = report.shown(format).unwrap();
            assert!(shown.contains(marked), "{shown}");
        }
        let json = json(&report).unwrap();
        assert_eq!(compared(&json).as_ref(), Ok(&record));
        let from_csv = compared(&record.runs.csv()).unwrap();
        assert_eq!(from_csv.runs, record.runs);
    }

    #[test]
    fn a_number_that_is_off_by_a_rounding_is_taken_and_by_more_is_not() {
        let record = recorded(&[[1000, 700, 3000, 1001]; 3]);
        let report = Report::new(&record);
        let text = json(&report).unwrap();
        let shown = report.rows().nth(1).unwrap().jobs_per_second.unwrap();
        let shown = serde_json::to_string(&shown).unwrap();
        for (by, is_taken) in [(1e-12, true), (1e-6, false)] {
            let other = shown.parse::<f64>().unwrap() * (1.0 + by);
            let other = serde_json::to_string(&other).unwrap();
            assert_ne!(other, shown);
            let text = text.replace(&shown, &other);
            assert_eq!(compared(&text).is_ok(), is_taken, "{by}");
        }
    }
}
