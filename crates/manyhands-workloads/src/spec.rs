//! What a workload can be called, and what is understood by it.

use std::fmt;
use std::time::Duration;

use crate::{Settings, WorkloadError, line};

/// One kind of workload, as a list of all of them shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name: `sleep`.
    pub name: &'static str,
    /// The name with its parameter: `sleep:TIME`.
    pub syntax: &'static str,
    /// What the name alone means: `sleep:1ms`.
    pub default: &'static str,
    /// What its jobs do, in one line.
    pub summary: &'static str,
}

/// Every kind of workload there is.
pub fn all() -> &'static [Kind] {
    &KINDS
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "files",
        syntax: "files",
        default: "files",
        summary: "BLAKE3 hash, lines, words and bytes of each file",
    },
    Kind {
        name: "noop",
        syntax: "noop",
        default: "noop",
        summary: "nothing: what is measured is the pool",
    },
    Kind {
        name: "sleep",
        syntax: "sleep:TIME",
        default: "sleep:1ms",
        summary: "wait without using the processor, as for a network",
    },
    Kind {
        name: "spin",
        syntax: "spin:TIME",
        default: "spin:10us",
        summary: "arithmetic, the same amount in each job",
    },
    Kind {
        name: "skew",
        syntax: "skew:TIME",
        default: "skew:50us",
        summary: "arithmetic of log-normal sizes, TIME on average",
    },
    Kind {
        name: "fail",
        syntax: "fail:N",
        default: "fail:10",
        summary: "nothing, but every N-th job answers with an error",
    },
    Kind {
        name: "panic",
        syntax: "panic:N",
        default: "panic:10",
        summary: "nothing, but every N-th job panics",
    },
];

/// A workload's name and parameter, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Files,
    Noop,
    Sleep(Duration),
    Spin(Duration),
    Skew(Duration),
    Fail(u64),
    Panic(u64),
}

impl Form {
    /// Understands a name with or without its parameter.
    pub(crate) fn parse(spec: &str) -> Result<Self, WorkloadError> {
        let name = spec.split(':').next().unwrap_or(spec);
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            return Err(unknown(name));
        };
        let spec = if spec == name { kind.default } else { spec };
        let parameter = spec.split_once(':').map(|(_, parameter)| parameter);
        let form = match (kind.name, parameter) {
            ("files", None) => Self::Files,
            ("noop", None) => Self::Noop,
            ("sleep", Some(text)) => Self::Sleep(time(name, text)?),
            ("spin", Some(text)) => Self::Spin(time(name, text)?),
            ("skew", Some(text)) => Self::Skew(time(name, text)?),
            ("fail", Some(text)) => Self::Fail(every(name, text)?),
            ("panic", Some(text)) => Self::Panic(every(name, text)?),
            (_, parameter) => {
                return Err(WorkloadError::new(format!(
                    "{name} has parameter `{}`, allowed is none",
                    line::word(parameter.unwrap_or_default()),
                )));
            }
        };
        Ok(form)
    }

    /// What its jobs are, after `200 jobs of`.
    pub(crate) fn phrase(self) -> String {
        match self {
            Self::Files => "reading one file".into(),
            Self::Noop => "nothing".into(),
            Self::Sleep(time) => format!("{} sleep", Time(time)),
            Self::Spin(time) => format!("{} arithmetic", Time(time)),
            Self::Skew(mean) => {
                format!("log-normal arithmetic, {} on average", Time(mean))
            }
            Self::Fail(n) => format!("nothing, one in {n} an error"),
            Self::Panic(n) => format!("nothing, one in {n} a panic"),
        }
    }

    /// How many jobs if nobody says: as many as take two workers a tenth of
    /// a second, where a pool's start and end hardly show, and the run can be
    /// repeated many times.
    pub(crate) fn default_jobs(self) -> usize {
        /// What all jobs take together.
        const WORK: Duration = Duration::from_millis(200);
        /// Fewer would not show how a pool hands out jobs.
        const LEAST: u128 = 8;
        /// Where there is nothing but the pool to measure: some milliseconds
        /// for those that take a fraction of a microsecond a job, half a
        /// second for those that start a thread for each.
        const MOST: usize = 20_000;
        match self {
            Self::Sleep(time) | Self::Spin(time) | Self::Skew(time) => {
                let jobs = WORK.as_nanos() / time.as_nanos().max(1);
                jobs.clamp(LEAST, MOST as u128) as usize
            }
            _ => MOST,
        }
    }
}

/// The canonical spelling, which parses to the same form.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Files => f.write_str("files"),
            Self::Noop => f.write_str("noop"),
            Self::Sleep(time) => write!(f, "sleep:{}", Time(time)),
            Self::Spin(time) => write!(f, "spin:{}", Time(time)),
            Self::Skew(mean) => write!(f, "skew:{}", Time(mean)),
            Self::Fail(n) => write!(f, "fail:{n}"),
            Self::Panic(n) => write!(f, "panic:{n}"),
        }
    }
}

/// A time in the largest unit of which it has one, in ASCII: `1.5ms`.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{:?}", self.0).replace('µ', "u"))
    }
}

/// Checks the number of jobs that was asked for, if one was.
pub(crate) fn check_jobs(
    jobs: Option<usize>,
) -> Result<Option<usize>, WorkloadError> {
    match jobs {
        Some(jobs) if !(1..=Settings::MAX_JOBS).contains(&jobs) => {
            Err(WorkloadError::new(format!(
                "jobs is {jobs}, allowed is 1 to {}",
                Settings::MAX_JOBS
            )))
        }
        jobs => Ok(jobs),
    }
}

fn unknown(name: &str) -> WorkloadError {
    /// How alike two names must be, from 0 to 1, for one to be a misspelling
    /// of the other; clap has the same for its suggestions.
    const ALIKE: f64 = 0.7;
    let shown = line::word(name);
    let likeness = |kind: &Kind| {
        // No longer than what is shown: likeness takes the square of it.
        strsim::jaro(&shown.to_lowercase(), kind.name)
    };
    let best = KINDS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match best {
        Some(kind) if likeness(kind) > ALIKE => {
            format!("did you mean `{}`?", kind.name)
        }
        _ => {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            format!("there are {}", names.join(", "))
        }
    };
    WorkloadError::new(format!("there is no workload `{shown}`; {hint}"))
}

/// Reads the number of a workload in which every n-th job differs.
fn every(name: &str, text: &str) -> Result<u64, WorkloadError> {
    let most = Settings::MAX_JOBS as u64;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(n) if digits && (1..=most).contains(&n) => Ok(n),
        _ => Err(WorkloadError::new(format!(
            "{name} has parameter `{}`, allowed is a number from 1 to {most}",
            line::word(text),
        ))),
    }
}

/// Reads a time: a decimal number with its unit.
fn time(name: &str, text: &str) -> Result<Duration, WorkloadError> {
    nanoseconds(text).map(Duration::from_nanos).ok_or_else(|| {
        WorkloadError::new(format!(
            "{name} has parameter `{}`, allowed is a time from 1ns to 60s \
             such as 500ns, 10us, 1.5ms or 2s",
            line::word(text),
        ))
    })
}

/// The whole nanoseconds of a time, if it is one and within 1 ns to 60 s.
fn nanoseconds(text: &str) -> Option<u64> {
    /// `s` last: the others end in it too.
    const UNITS: [(&str, f64); 4] =
        [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];
    const ALLOWED: std::ops::RangeInclusive<f64> = 1.0..=60e9;

    let (number, unit) = UNITS.iter().find_map(|&(suffix, unit)| {
        Some((text.strip_suffix(suffix)?, unit))
    })?;
    // Rust's own parser would take `inf`, `1e3` and `+1` as well.
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let nanoseconds = (number.parse::<f64>().ok()? * unit).round();
    ALLOWED.contains(&nanoseconds).then_some(nanoseconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_the_parser_takes() {
        for kind in all() {
            let form = Form::parse(kind.name).unwrap();
            assert_eq!(form.to_string(), kind.default);
            assert_eq!(Form::parse(kind.default), Ok(form));
            assert!(kind.syntax.starts_with(kind.name));
            assert_eq!(
                kind.syntax.contains(':'),
                kind.default.contains(':'),
                "{kind:?}"
            );
            assert!(!kind.summary.contains('\n'));
        }
    }

    #[test]
    fn times_are_read_to_the_nanosecond_and_written_in_one_way() {
        for (text, nanoseconds, canonical) in [
            ("500ns", 500, "500ns"),
            ("1ns", 1, "1ns"),
            ("0.6ns", 1, "1ns"),
            ("10us", 10_000, "10us"),
            ("0.01ms", 10_000, "10us"),
            ("1.5ms", 1_500_000, "1.5ms"),
            (".5ms", 500_000, "500us"),
            ("1.ms", 1_000_000, "1ms"),
            ("0001ms", 1_000_000, "1ms"),
            ("1000us", 1_000_000, "1ms"),
            ("2s", 2_000_000_000, "2s"),
            ("60s", 60_000_000_000, "60s"),
            ("59.999999999s", 59_999_999_999, "59.999999999s"),
        ] {
            let form = Form::parse(&format!("sleep:{text}")).unwrap();
            let time = Duration::from_nanos(nanoseconds);
            assert_eq!(form, Form::Sleep(time), "{text}");
            assert_eq!(form.to_string(), format!("sleep:{canonical}"));
        }
    }

    #[test]
    fn the_default_number_of_jobs_fits_a_fraction_of_a_second() {
        let jobs = |spec| Form::parse(spec).unwrap().default_jobs();
        assert_eq!(jobs("sleep:1ms"), 200);
        assert_eq!(jobs("spin:10us"), 20_000);
        assert_eq!(jobs("skew:50us"), 4_000);
        assert_eq!(jobs("spin:1ns"), 20_000);
        assert_eq!(jobs("sleep:60s"), 8);
    }

    #[test]
    fn every_text_is_understood_or_refused_in_a_line() {
        let pieces = [
            "sleep",
            "spin",
            "skew",
            "fail",
            "panic",
            "files",
            "noop",
            ":",
            ":",
            ".",
            "0",
            "1",
            "9",
            "60",
            "ns",
            "us",
            "µs",
            "ms",
            "s",
            "e",
            "-",
            "+",
            "inf",
            "nan",
            "\n",
            "\u{1b}",
            "\u{202e}",
            "é",
            " ",
            "18446744073709551616",
            "\0",
        ];
        let mut random = fastrand::Rng::with_seed(42);
        for _ in 0..50_000 {
            let count = random.usize(0..8);
            let text: String = (0..count)
                .map(|_| pieces[random.usize(..pieces.len())])
                .collect();
            crate::fuzz::workload(text.as_bytes());
        }
    }
}
