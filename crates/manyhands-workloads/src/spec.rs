//! What a workload can be called, and what is understood by it.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

#[cfg(feature = "web")]
use crate::real::Links;
use crate::real::{CappedDb, Mandelbrot, Queens};
#[cfg(feature = "web")]
use crate::web::Arrival;
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
    /// True if it reads what [`Settings::input`] names.
    pub has_input: bool,
    /// How many workers suit it, where that is not one a core.
    pub workers: Option<usize>,
    /// How long a queue suits it, where any would not do as well.
    pub queue: Option<usize>,
    /// What a comparison on it shows beside who is fast, in a sentence or two.
    pub lesson: Option<&'static str>,
}

impl Kind {
    /// The kind that a name with or without its parameter is of.
    pub fn of(spec: &str) -> Option<&'static Self> {
        let name = spec.split(':').next()?;
        KINDS.iter().find(|kind| kind.name == name)
    }
}

/// Every kind of workload there is.
pub fn all() -> &'static [Kind] {
    KINDS
}

const KINDS: &[Kind] = &[
    Kind {
        name: "files",
        syntax: "files",
        default: "files",
        summary: "BLAKE3 hash, lines, words and bytes of each file",
        has_input: true,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "noop",
        syntax: "noop",
        default: "noop",
        summary: "nothing: what is measured is the pool",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "sleep",
        syntax: "sleep:TIME",
        default: "sleep:1ms",
        summary: "wait without using the processor, as for a network",
        has_input: false,
        workers: None,
        queue: None,
        lesson: Some(
            "Jobs that wait need workers, not cores: a pool of one \
             worker a core, as pools for computing are, lies idle.",
        ),
    },
    Kind {
        name: "block",
        syntax: "block:TIME",
        default: "block:1ms",
        summary: "wait, and keep the thread: as a task must not",
        has_input: false,
        workers: Some(64),
        queue: None,
        lesson: Some(
            "A task must not block. A runtime has a thread a core, and \
             a task that keeps one keeps it from all others: the pools of \
             tasks run that many at once, whatever their workers.",
        ),
    },
    Kind {
        name: "spin",
        syntax: "spin:TIME",
        default: "spin:10us",
        summary: "arithmetic, the same amount in each job",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "skew",
        syntax: "skew:TIME",
        default: "skew:50us",
        summary: "arithmetic of log-normal sizes, TIME on average",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "capped-db",
        syntax: "capped-db[:RATE]",
        default: "capped-db",
        summary: "look-ups at a server that gives 4 connections",
        has_input: false,
        workers: Some(CappedDb::CONNECTIONS),
        queue: None,
        lesson: Some(
            "A pool keeps within a cap by its workers. As many threads \
             or tasks as there are jobs would be refused.",
        ),
    },
    #[cfg(feature = "web")]
    Kind {
        name: "links",
        syntax: "links",
        default: "links",
        summary: "visits to the pages of a site, with broken links",
        has_input: false,
        workers: Some(Links::WORKERS),
        queue: None,
        lesson: None,
    },
    Kind {
        name: "thumbs",
        syntax: "thumbs",
        default: "thumbs",
        summary: "thumbnails of pictures, PNG and JPEG, drawn or read",
        has_input: true,
        workers: None,
        queue: None,
        lesson: None,
    },
    #[cfg(feature = "web")]
    Kind {
        name: "server",
        syntax: "server:PERCENT",
        default: "server:150",
        summary: "requests to a service, more than it can answer",
        has_input: false,
        workers: None,
        queue: Some(16),
        lesson: Some(
            "More is asked for than can be done. A pool with a bound \
             says so at once, and answers the rest in time; without one, \
             callers wait longer and longer.",
        ),
    },
    Kind {
        name: "mandelbrot",
        syntax: "mandelbrot:WIDTH",
        default: "mandelbrot:768",
        summary: "tiles of a picture, some a hundred times as long as others",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "queens",
        syntax: "queens:N",
        default: "queens:12",
        summary: "how many ways to place N queens, by the first two",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    #[cfg(feature = "web")]
    Kind {
        name: "signup",
        syntax: "signup",
        default: "signup",
        summary: "mail to those who sign up, sent later and again if need be",
        has_input: false,
        workers: Some(16),
        queue: None,
        lesson: Some(
            "A request is answered when its job is accepted, long before \
             it is done. Without a pool it waits for the mail.",
        ),
    },
    Kind {
        name: "fail",
        syntax: "fail:N",
        default: "fail:10",
        summary: "nothing, but every N-th job answers with an error",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
    Kind {
        name: "panic",
        syntax: "panic:N",
        default: "panic:10",
        summary: "nothing, but every N-th job panics",
        has_input: false,
        workers: None,
        queue: None,
        lesson: None,
    },
];

/// A workload's name and parameter, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Files,
    Noop,
    Sleep(Duration),
    Block(Duration),
    Spin(Duration),
    Skew(Duration),
    CappedDb(Option<u32>),
    #[cfg(feature = "web")]
    Links,
    Thumbs,
    Mandelbrot(u32),
    #[cfg(feature = "web")]
    Server(u32),
    Queens(u32),
    #[cfg(feature = "web")]
    Signup,
    Fail(u64),
    Panic(u64),
}

impl Form {
    /// What the work behind a request of `server` takes. Long beside what the
    /// request itself takes, which is not what is compared.
    #[cfg(feature = "web")]
    pub(crate) const REQUEST: Duration = Duration::from_millis(2);

    /// How many requests may be asked for, in percent of what can be done.
    #[cfg(feature = "web")]
    const PERCENTS: RangeInclusive<u32> = 1..=1000;

    /// How its jobs come to the pool, if they do not just lie there.
    #[cfg(feature = "web")]
    pub(crate) fn arrival(self) -> Option<Arrival> {
        match self {
            Self::Server(percent) => {
                Some(Arrival::Paced { percent, a_job: Self::REQUEST })
            }
            Self::Signup => Some(Arrival::Eager { callers: 8 }),
            _ => None,
        }
    }

    /// Understands a name with or without its parameter.
    pub(crate) fn parse(spec: &str) -> Result<Self, WorkloadError> {
        let name = spec.split(':').next().unwrap_or(spec);
        let Some(kind) = Kind::of(spec) else { return Err(unknown(name)) };
        let spec = if spec == name { kind.default } else { spec };
        let parameter = spec.split_once(':').map(|(_, parameter)| parameter);
        let form = match (kind.name, parameter) {
            ("files", None) => Self::Files,
            ("capped-db", None) => Self::CappedDb(None),
            ("capped-db", Some(text)) => {
                Self::CappedDb(Some(size(name, text, CappedDb::RATES)?))
            }
            #[cfg(feature = "web")]
            ("links", None) => Self::Links,
            ("thumbs", None) => Self::Thumbs,
            ("noop", None) => Self::Noop,
            ("sleep", Some(text)) => Self::Sleep(time(name, text)?),
            ("block", Some(text)) => Self::Block(time(name, text)?),
            ("spin", Some(text)) => Self::Spin(time(name, text)?),
            ("skew", Some(text)) => Self::Skew(time(name, text)?),
            ("mandelbrot", Some(text)) => {
                Self::Mandelbrot(size(name, text, Mandelbrot::WIDTHS)?)
            }
            ("queens", Some(text)) => {
                Self::Queens(size(name, text, Queens::SIZES)?)
            }
            #[cfg(feature = "web")]
            ("server", Some(text)) => {
                Self::Server(size(name, text, Self::PERCENTS)?)
            }
            #[cfg(feature = "web")]
            ("signup", None) => Self::Signup,
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
            Self::CappedDb(_) => "a look-up".into(),
            #[cfg(feature = "web")]
            Self::Links => "a visit".into(),
            Self::Thumbs => "a thumbnail".into(),
            Self::Mandelbrot(_) => "a tile".into(),
            Self::Queens(_) => "a start".into(),
            #[cfg(feature = "web")]
            Self::Server(percent) => format!(
                "{} arithmetic, asked for at {percent} % of what can be done",
                Time(Self::REQUEST)
            ),
            #[cfg(feature = "web")]
            Self::Signup => "a mail".into(),
            Self::Noop => "nothing".into(),
            Self::Sleep(time) => format!("{} sleep", Time(time)),
            Self::Block(time) => {
                format!("{} sleep that keeps its thread", Time(time))
            }
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
        /// Enough to fill a queue and to keep it full for a while.
        #[cfg(feature = "web")]
        const REQUESTS: usize = 60;
        match self {
            #[cfg(feature = "web")]
            Self::Server(_) => REQUESTS,
            Self::Sleep(time)
            | Self::Block(time)
            | Self::Spin(time)
            | Self::Skew(time) => {
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
            Self::Block(time) => write!(f, "block:{}", Time(time)),
            Self::Spin(time) => write!(f, "spin:{}", Time(time)),
            Self::Skew(mean) => write!(f, "skew:{}", Time(mean)),
            Self::CappedDb(None) => f.write_str("capped-db"),
            Self::CappedDb(Some(rate)) => write!(f, "capped-db:{rate}"),
            #[cfg(feature = "web")]
            Self::Links => f.write_str("links"),
            Self::Thumbs => f.write_str("thumbs"),
            Self::Mandelbrot(width) => write!(f, "mandelbrot:{width}"),
            Self::Queens(size) => write!(f, "queens:{size}"),
            #[cfg(feature = "web")]
            Self::Server(percent) => write!(f, "server:{percent}"),
            #[cfg(feature = "web")]
            Self::Signup => f.write_str("signup"),
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

/// Reads a size.
fn size(
    name: &str,
    text: &str,
    allowed: RangeInclusive<u32>,
) -> Result<u32, WorkloadError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(size) if digits && allowed.contains(&size) => Ok(size),
        _ => Err(WorkloadError::new(format!(
            "{name} has parameter `{}`, allowed is a number from {} to {}",
            line::word(text),
            allowed.start(),
            allowed.end(),
        ))),
    }
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
            // What may be left away has no default.
            let has_default = kind.default.contains(':');
            let syntax = kind.syntax.split('[').next().unwrap();
            assert_eq!(syntax.contains(':'), has_default, "{kind:?}");
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
