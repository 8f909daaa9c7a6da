//! What was measured, as a person wants to know it: who is faster, by how
//! much, and how sure that is.

mod csv;
mod json;
mod read;
mod text;

use std::time::Duration;

pub(crate) use self::csv::csv;
pub(crate) use self::json::json;
pub(crate) use self::read::{MOST_BYTES, read};
pub(crate) use self::text::{markdown, plain};
use crate::args::Format;
use crate::contenders::{AGAIN, INLINE};
use crate::measure::Round;
use crate::record::{Entrant, Record};
use crate::stats::{FEWEST, Ratio, median};

/// Everything that is reported.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) record: &'a Record,
    /// One an entrant, in their order.
    pub(crate) rows: Vec<Row<'a>>,
    /// The baseline against itself: what the machine does to two runs of the
    /// same thing.
    pub(crate) noise: Option<Ratio>,
    /// `None` while there are too few rounds to tell.
    pub(crate) best: Option<Best<'a>>,
}

/// One contender.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    /// The median of its times, in nanoseconds.
    pub(crate) wall: Option<f64>,
    /// How many jobs a second that makes. `None` for one that stopped.
    pub(crate) jobs_per_second: Option<f64>,
    /// How many times as fast as the baseline in the same round. `None` for
    /// one that stopped.
    pub(crate) speed: Option<Ratio>,
    /// From submit to completion, in nanoseconds.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// A row in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What the others are compared with.
    Baseline,
    Faster,
    Slower,
    CannotTell,
    /// Its pattern is to stop at the first error, and it did: its time is
    /// that of less work, and compares with nothing.
    Stopped,
    /// Interrupted before its first run.
    NotMeasured,
}

/// The fastest, and which others may as well be.
#[derive(Debug)]
pub(crate) struct Best<'a> {
    pub(crate) name: &'a str,
    /// Those that it is faster than by no more than the noise.
    pub(crate) alike: Vec<&'a str>,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::CannotTell => "cannot tell",
            Self::Stopped => "stopped at first error",
            Self::NotMeasured => "not measured",
        }
    }

    /// What a ratio says, given the ratio of a thing to itself: its interval
    /// must not hold 1, and it must be further from 1 than the noise reaches.
    fn of(ratio: &Ratio, noise: Option<&Ratio>) -> Self {
        let Some(reach) = noise.map_or(Some(1.0), Ratio::reach) else {
            return Self::CannotTell;
        };
        if ratio.is_above_one() && ratio.estimate > reach {
            Self::Faster
        } else if ratio.is_below_one() && ratio.estimate < 1.0 / reach {
            Self::Slower
        } else {
            Self::CannotTell
        }
    }
}

impl<'a> Report<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        let place = |name| {
            let mut names = record.entrants.iter().map(|it| &it.name);
            names.position(|it| it == name)
        };
        let against_inline = |who| speed(record, who, place(INLINE)?);
        let noise = place(AGAIN).and_then(against_inline);
        let row = |(who, entrant): (usize, &'a Entrant)| {
            let Entrant { name, stopped, p50, p99 } = entrant;
            let walls = record.rounds.iter().map(|round| round.walls[who]);
            let mut walls: Vec<f64> = walls.flatten().map(nanos).collect();
            walls.sort_by(f64::total_cmp);
            let wall = median(&walls);
            let speed = against_inline(who).filter(|_| !stopped);
            let jobs = record.jobs as f64;
            Row {
                name,
                wall,
                jobs_per_second: wall
                    .filter(|_| !stopped)
                    .map(|wall| jobs * 1e9 / wall),
                speed,
                p50: *p50,
                p99: *p99,
                verdict: match (wall, &speed) {
                    (None, _) => Verdict::NotMeasured,
                    _ if *stopped => Verdict::Stopped,
                    _ if name == INLINE => Verdict::Baseline,
                    // Not held against itself: here the noise is to be seen.
                    (_, Some(speed)) if name == AGAIN => {
                        Verdict::of(speed, None)
                    }
                    (_, Some(speed)) => Verdict::of(speed, noise.as_ref()),
                    (_, None) => Verdict::CannotTell,
                },
            }
        };
        let rows: Vec<Row<'a>> =
            record.entrants.iter().enumerate().map(row).collect();
        let best = best(record, &rows, noise.as_ref());
        Self { record, rows, noise, best }
    }

    /// In the shape that was asked for.
    pub(crate) fn shown(&self, format: Format) -> anyhow::Result<String> {
        Ok(match format {
            Format::Table => plain(self),
            Format::Json => json(self)?,
            Format::Csv => csv(self.record),
            Format::Md => markdown(self),
        })
    }
}

/// How many times as fast one contender was as another, over the rounds in
/// which both ran.
fn speed(record: &Record, who: usize, than: usize) -> Option<Ratio> {
    let log = |round: &Round| {
        let (who, than) = (round.walls[who]?, round.walls[than]?);
        Some((nanos(than) / nanos(who)).ln())
    };
    Ratio::of_logs(record.rounds.iter().filter_map(log).collect())
}

/// The row with the greatest speed, compared with each other one in the same
/// rounds. The second run of the baseline does not take part.
fn best<'a>(
    record: &Record,
    rows: &[Row<'a>],
    noise: Option<&Ratio>,
) -> Option<Best<'a>> {
    let estimate = |who: usize| rows[who].speed.map(|speed| speed.estimate);
    let ranked: Vec<usize> = (0..rows.len())
        .filter(|&who| rows[who].name != AGAIN && estimate(who).is_some())
        .collect();
    let by_speed = |a: &usize, b: &usize| {
        estimate(*a).unwrap_or(0.0).total_cmp(&estimate(*b).unwrap_or(0.0))
    };
    let best = ranked.iter().copied().max_by(by_speed)?;
    if record.rounds.len() < FEWEST {
        return None;
    }
    let is_behind = |who: usize| {
        let ahead = speed(record, best, who);
        ahead.is_some_and(|it| Verdict::of(&it, noise) == Verdict::Faster)
    };
    let alike = ranked.into_iter().filter(|&who| who != best);
    let alike = alike.filter(|&who| !is_behind(who));
    let alike = alike.map(|who| rows[who].name).collect();
    Some(Best { name: rows[best].name, alike })
}

/// As a number to calculate with; never 0, so that ratios stay finite.
fn nanos(time: Duration) -> f64 {
    time.as_nanos().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::About;

    /// What is recorded of `inline`, `channel`, `waitgroup` and `inline
    /// (again)` when they took so many microseconds in each round.
    fn recorded(rounds: &[[u64; 4]]) -> Record {
        let names = [INLINE, "channel", "waitgroup", AGAIN];
        let rounds = rounds.iter().map(|walls| Round {
            order: vec![0, 1, 2, 3],
            walls: walls.map(|us| Some(Duration::from_micros(us))).to_vec(),
        });
        let entrant = |name: &str| Entrant {
            name: name.into(),
            stopped: false,
            p50: Some(1000.0),
            p99: Some(12_345.5),
        };
        let about = About {
            version: "0.1.0".into(),
            summary: "10 jobs of nothing".into(),
            unread: 0,
            first_unread: Vec::new(),
            os: "linux".into(),
            arch: "x86_64".into(),
            cores: 2,
            cache_line: Some((20.1, 33.333_333_333_333_336)),
            most_rounds: 100,
            time: None,
            elapsed: 1_000_000_000,
            answers: 0,
        };
        Record {
            partial: false,
            work: "noop".into(),
            jobs: 10,
            workers: 2,
            queue: 256,
            seed: 1,
            about: Some(about),
            entrants: names.map(entrant).to_vec(),
            rounds: rounds.collect(),
        }
    }

    fn reported(rounds: &[[u64; 4]], check: impl FnOnce(&Report<'_>)) {
        check(&Report::new(&recorded(rounds)));
    }

    fn verdicts(report: &Report<'_>) -> Vec<Verdict> {
        report.rows.iter().map(|row| row.verdict).collect()
    }

    use Verdict::{Baseline, CannotTell, Faster, Slower};

    #[test]
    fn what_is_beyond_the_noise_has_a_verdict() {
        // The rounds differ by far more than the contenders within one do.
        let rounds: Vec<_> = (1..=10)
            .map(|n| n * n * 100)
            .map(|base| [base, base / 2, base * 2, base + base / 100])
            .collect();
        reported(&rounds, |report| {
            let expected = [Baseline, Faster, Slower, Slower];
            assert_eq!(verdicts(report), expected);
            let speed = report.rows[1].speed.unwrap();
            assert!((speed.estimate - 2.0).abs() < 0.05, "{speed:?}");
            let best = report.best.as_ref().unwrap();
            assert_eq!((best.name, best.alike.len()), ("channel", 0));
        });
    }

    #[test]
    fn what_is_within_the_noise_has_none() {
        // 2 % faster in each round, but the baseline differs from itself by
        // 5 %, now in the one direction and now in the other.
        let rounds: Vec<_> = (0..10)
            .map(|n| [1000, 980, 1200, if n < 5 { 950 } else { 1050 }])
            .collect();
        reported(&rounds, |report| {
            let expected = [Baseline, CannotTell, Slower, CannotTell];
            assert_eq!(verdicts(report), expected);
            let best = report.best.as_ref().unwrap();
            assert_eq!(best.name, "channel");
            assert_eq!(best.alike, [INLINE]);
        });
    }

    #[test]
    fn an_interval_that_holds_1_gives_no_verdict() {
        let rounds: Vec<_> = (0..10)
            .map(|n| [1000, if n < 7 { 500 } else { 1500 }, 1000, 1000])
            .collect();
        reported(&rounds, |report| {
            let speed = report.rows[1].speed.unwrap();
            assert!(speed.estimate > 1.9);
            assert_eq!(report.rows[1].verdict, CannotTell);
        });
    }

    #[test]
    fn few_rounds_give_no_verdict_and_no_best() {
        reported(&[[1000, 10, 10, 1000]; FEWEST - 1], |report| {
            let expected = [Baseline, CannotTell, CannotTell, CannotTell];
            assert_eq!(verdicts(report), expected);
            assert!(report.best.is_none());
        });
    }

    #[test]
    fn jobs_per_second_go_by_the_median_time() {
        let rounds = [[1000, 10, 20, 30], [1000, 1, 20, 30], [900, 99, 0, 30]];
        reported(&rounds, |report| {
            assert_eq!(report.rows[0].wall, Some(1e6));
            assert_eq!(report.rows[0].jobs_per_second, Some(10_000.0));
            assert_eq!(report.rows[1].wall, Some(1e4));
        });
    }

    /// What was measured, and what was read of it, are shown as the same.
    #[test]
    fn a_record_in_json_is_shown_as_it_was_when_it_was_measured() {
        let mut uneven = Vec::new();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            uneven.push([(); 4].map(|()| random.u64(1..1_000_000_007)));
        }
        for rounds in [&uneven[..], &uneven[..FEWEST], &uneven[..1]] {
            let record = recorded(rounds);
            let report = Report::new(&record);
            let again = read(json(&report).unwrap().as_bytes()).unwrap();
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
        let cut = Duration::from_micros(999);
        let walls = vec![None, Some(cut), None, Some(cut)];
        record.rounds.push(Round { order: vec![3, 1], walls });
        let cut = json(&Report::new(&record)).unwrap();
        let refused = read(cut.as_bytes()).unwrap_err();
        assert!(refused.contains("unless it is partial"), "{refused}");
        record.partial = true;
        let report = Report::new(&record);
        for (format, marked) in [
            (Format::Table, "\npartial   the comparison was interrupted"),
            (Format::Md, "\n- **partial**: the comparison was interrupted"),
            (Format::Json, "\n  \"partial\": true,\n"),
            (Format::Csv, "\nnoop,10,2,256,1,true,3,2,channel,false,999000\n"),
        ] {
            let shown = report.shown(format).unwrap();
            assert!(shown.contains(marked), "{shown}");
        }
        let json = json(&report).unwrap();
        assert_eq!(read(json.as_bytes()).as_ref(), Ok(&record));
        let from_csv = read(csv(&record).as_bytes()).unwrap();
        assert_eq!(from_csv.rounds, record.rounds);
        assert!(from_csv.partial);
    }

    #[test]
    fn a_number_that_is_off_by_a_rounding_is_taken_and_by_more_is_not() {
        let record = recorded(&[[1000, 700, 3000, 1001]; 3]);
        let text = json(&Report::new(&record)).unwrap();
        let shown = Report::new(&record).rows[1].jobs_per_second.unwrap();
        let shown = serde_json::to_string(&shown).unwrap();
        for (by, is_taken) in [(1e-12, true), (1e-6, false)] {
            let other = shown.parse::<f64>().unwrap() * (1.0 + by);
            let other = serde_json::to_string(&other).unwrap();
            assert_ne!(other, shown);
            let text = text.replace(&shown, &other);
            assert_eq!(read(text.as_bytes()).is_ok(), is_taken, "{by}");
        }
    }
}
