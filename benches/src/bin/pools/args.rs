//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use manyhands_benches::contenders::{Sizes, Way};
use manyhands_benches::work::Work;
use manyhands_measure::Budget;
use manyhands_measure::record::{Runs, name};

pub(crate) const USAGE: &str = "\
pools GROUP [OPTION]...
pools report FILE

One table of all contenders from one run in which they take turns.

GROUP is what is compared:
  dispatch   one submit a job, results read while feeding
  batch      many jobs a call
  handles    a handle a job
  cpu        dispatch and batch, as speed-up over a plain loop

--work WORK      noop, spin:SIZE, skew:SIZE, sleep:TIME (noop); TIME is as
                 10us, SIZE is a TIME or a number of rounds, as 700x
--jobs N         jobs a run (200000)
--workers N      workers (2)
--queue N        length of the queue, where there is one (1024)
--processes N    processes that take turns (5)
--rounds N       most rounds (30)
--time SECONDS   no further round when this is over (none)
--seed N         of the order within each round (1)
--baseline NAME  with what the others are compared (by GROUP)
--only A,B,C     only these, and the baseline
--record FILE    writes each timed run into a new file, as CSV
--list           the contenders, and how each bends the comparison
--help           this

report prints the table of such a file once more.
";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Only the usage.
    Usage,
    /// The table of a record.
    Report(PathBuf),
    /// A comparison.
    Compare(Args),
}

/// What is to be compared, and how.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) group: Group,
    pub(crate) work: Work,
    pub(crate) jobs: u64,
    pub(crate) sizes: Sizes,
    pub(crate) processes: usize,
    pub(crate) budget: Budget,
    pub(crate) seed: u64,
    pub(crate) baseline: String,
    /// Empty for all.
    pub(crate) only: Vec<String>,
    /// Where the timed runs are to be.
    pub(crate) record: Option<PathBuf>,
    pub(crate) list: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Dispatch,
    Batch,
    Handles,
    Cpu,
}

impl Group {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "dispatch" => Self::Dispatch,
            "batch" => Self::Batch,
            "handles" => Self::Handles,
            "cpu" => Self::Cpu,
            _ => return None,
        })
    }

    /// As it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Batch => "batch",
            Self::Handles => "handles",
            Self::Cpu => "cpu",
        }
    }

    /// Whether those of this way take part.
    pub(crate) fn has(self, way: Way) -> bool {
        match self {
            Self::Dispatch => way == Way::Single,
            Self::Batch => way == Way::Batch,
            Self::Handles => way == Way::Handle,
            Self::Cpu => way != Way::Handle,
        }
    }

    /// With what the others are compared if nothing is said.
    fn baseline(self) -> &'static str {
        match self {
            Self::Dispatch => "crossbeam",
            Self::Batch => "crossbeam-vecs",
            Self::Handles => "thread-join",
            Self::Cpu => "inline",
        }
    }
}

impl Args {
    /// What is said twice counts as it is said last.
    pub(crate) fn parse(
        args: impl IntoIterator<Item = String>,
    ) -> Result<Asked, String> {
        const GROUPS: &str = "dispatch, batch, handles and cpu, or report";
        let mut args = args.into_iter();
        let group = match args.next() {
            Some(help) if help == "--help" || help == "-h" => {
                return Ok(Asked::Usage);
            }
            Some(report) if report == "report" => {
                return match (args.next(), args.next()) {
                    (Some(file), None) => Ok(Asked::Report(file.into())),
                    (None, _) => Err("report is followed by nothing, \
                                      allowed is a file"
                        .into()),
                    (_, Some(more)) => {
                        Err(wrong("what follows", &more, "one file"))
                    }
                };
            }
            Some(name) => Group::parse(&name)
                .ok_or_else(|| wrong("GROUP", &name, GROUPS))?,
            None => {
                return Err(format!("GROUP is missing, allowed are {GROUPS}"));
            }
        };
        let mut parsed = Self {
            group,
            work: Work::parse("noop").map_err(|why| why.to_string())?,
            jobs: 200_000,
            sizes: Sizes { workers: 2, queue: 1024 },
            processes: 5,
            budget: Budget { rounds: 30, time: None },
            seed: 1,
            baseline: group.baseline().to_owned(),
            only: Vec::new(),
            record: None,
            list: false,
        };
        while let Some(option) = args.next() {
            match &*option {
                "--help" | "-h" => return Ok(Asked::Usage),
                "--list" => parsed.list = true,
                _ => parsed.set(&option, args.next())?,
            }
        }
        Ok(Asked::Compare(parsed))
    }

    fn set(
        &mut self,
        option: &str,
        value: Option<String>,
    ) -> Result<(), String> {
        const OPTIONS: [&str; 11] = [
            "--work",
            "--jobs",
            "--workers",
            "--queue",
            "--processes",
            "--rounds",
            "--time",
            "--seed",
            "--baseline",
            "--only",
            "--record",
        ];
        if !OPTIONS.contains(&option) {
            return Err(wrong("the option", option, "those of --help"));
        }
        let Some(value) = value else {
            return Err(format!("{option} is followed by nothing"));
        };
        let most = u64::MAX;
        match option {
            "--work" => {
                // As long as a record can hold.
                name(option, &value)?;
                self.work =
                    Work::parse(&value).map_err(|why| why.to_string())?;
            }
            "--jobs" => {
                self.jobs = number(option, &value, 1, *Runs::JOBS.end())?;
            }
            "--workers" => {
                let allowed = *Runs::WORKERS.end();
                let workers = number(option, &value, 1, allowed)?;
                self.sizes.workers = workers as usize;
            }
            "--queue" => {
                let queue = number(option, &value, 1, 1_000_000)?;
                self.sizes.queue = queue as usize;
            }
            "--processes" => {
                let allowed = *Runs::PROCESSES.end();
                self.processes = number(option, &value, 1, allowed)? as usize;
            }
            "--rounds" => {
                let allowed = Budget::MOST_ROUNDS as u64;
                self.budget.rounds =
                    number(option, &value, 1, allowed)? as usize;
            }
            "--time" => {
                let seconds = number(option, &value, 1, 86_400)?;
                self.budget.time = Some(Duration::from_secs(seconds));
            }
            "--seed" => self.seed = number(option, &value, 0, most)?,
            "--baseline" => self.baseline = value,
            "--record" => self.record = Some(value.into()),
            _ => self.only = value.split(',').map(str::to_owned).collect(),
        }
        Ok(())
    }
}

fn number(
    option: &str,
    value: &str,
    least: u64,
    most: u64,
) -> Result<u64, String> {
    let number = value.parse().ok();
    number
        .filter(|it| (least..=most).contains(it))
        .ok_or_else(|| wrong(option, value, &format!("{least} to {most}")))
}

fn wrong(what: &str, value: &str, allowed: &str) -> String {
    let value: String = value.chars().take(60).collect();
    format!("{what} is {value:?}, allowed are {allowed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_said_last_counts() {
        let args = parse("cpu --jobs 5 --work spin:1us --jobs 7 --work noop");
        let Ok(Asked::Compare(args)) = args else { panic!("{args:?}") };
        assert_eq!((args.jobs, args.work.name()), (7, "noop"));
        assert_eq!((args.group, &*args.baseline), (Group::Cpu, "inline"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (line, why) in [
            ("", "GROUP is missing, allowed are dispatch"),
            ("dispach", "GROUP is \"dispach\", allowed are dispatch"),
            ("batch --jobs 0", "--jobs is \"0\", allowed are 1 to 100000000"),
            ("batch --jobs", "--jobs is followed by nothing"),
            ("batch --rounds 1001", "allowed are 1 to 1000"),
            ("batch --work nop", "work is \"nop\", allowed are noop"),
            ("report", "report is followed by nothing, allowed is a file"),
            ("report a b", "what follows is \"b\", allowed are one file"),
            ("batch --wrok noop", "the option is \"--wrok\", allowed are"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        assert!(matches!(parse("batch --help"), Ok(Asked::Usage)));
    }
}
