//! What `compare` and `record` have in common: which work is measured, with
//! whom, and for how long.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Context;
use clap::builder::{OsStringValueParser, ValueParser};
use manyhands::Config;
use manyhands_measure::record::Runs;
use manyhands_measure::{Budget, Plan, give_up};
use manyhands_workloads::{Kind, Settings, WorkJob, Workload};

use super::queue::store::{Place, Store};
use crate::args::{Names, Usage, names, number, one_of, text, time, twice};
use crate::contenders::{self, Contender, INLINE};
use crate::durable;
use crate::interrupt::Interrupt;
use crate::measure::{Scene, Setting, look, measure, serve};
use crate::record::Record;
use crate::work::{self, WorkArgs};

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct StudyArgs {
    #[command(flatten)]
    pub(super) work: WorkArgs,
    /// Which variants, with commas between [default: all]
    #[arg(
        long,
        value_name = "NAMES",
        value_parser = names(contenders::names()),
        allow_hyphen_values = true
    )]
    variants: Option<Names>,
    /// How many processes take turns, a round each
    #[arg(
        long,
        value_name = "N",
        default_value = "5",
        value_parser = number(1, MOST_PROCESSES),
        allow_hyphen_values = true
    )]
    processes: usize,
    /// Most rounds, of all processes [default: what fits into the time, up to
    /// 200, of several works 10]
    #[arg(
        long,
        value_name = "N",
        value_parser = number(1, Budget::MOST_ROUNDS),
        allow_hyphen_values = true
    )]
    rounds: Option<usize>,
    /// About how long the rounds of a work may take [default: 20s, of several
    /// works 20s each, without --rounds]
    #[arg(long, value_parser = time(), allow_hyphen_values = true)]
    time: Option<Duration>,
    /// Show what it costs that jobs outlive their process, or not: yes or no
    /// [default: yes for signup, which all has, and where nothing else is
    /// said of work and variants]
    #[arg(
        long,
        value_name = "YES",
        value_parser = one_of(YES_OR_NO),
        allow_hyphen_values = true
    )]
    durable: Option<bool>,
    /// For that, a PostgreSQL server: postgres://… [default: what the
    /// environment variable MANYHANDS_DB says]
    ///
    /// A database is made there, and dropped in the end.
    #[arg(
        long,
        value_name = "URL",
        value_parser = ValueParser::from(OsStringValueParser::new()),
        allow_hyphen_values = true
    )]
    db: Option<OsString>,
    /// Which part of that a process measures; said by its parent.
    #[arg(long, hide = true, value_parser = text())]
    durable_part: Option<String>,
    /// Which of the works a process measures; said by its parent.
    #[arg(long, hide = true, default_value = "0")]
    nth: usize,
}

/// As many as a record holds, far more than are of any use.
const MOST_PROCESSES: usize = *Runs::PROCESSES.end() as usize;

/// Most works at once.
const MOST_WORKS: usize = 32;

/// What `all` stands for: what worker pools are used for, a work for each row
/// of the tutorial's "Applicability": limiting concurrency, batch processing,
/// network I/O, servers, computing, background jobs. And one that some pools
/// are not for.
const ALL: &str = "capped-db,thumbs,links,server,mandelbrot,signup,block:1ms";

/// How many rounds each of several works has, how long they take at most, and
/// what is looked at for the pictures: so that all works take three minutes.
const ROUNDS_OF_EACH: usize = 10;
const TIME_OF_EACH: Duration = Duration::from_secs(20);
const LOOKS_OF_EACH: Duration = Duration::from_secs(4);

/// The work that is about jobs which are done later.
const SIGNUP: &str = "signup";

const YES_OR_NO: &[(&str, bool)] = &[("yes", true), ("no", false)];

/// How much of the time, beside that of the rounds, goes to what it costs that
/// jobs outlive their process: of 20 s, 8.
const DURABLE_PART: f64 = 0.4;

/// As many rounds as its ratios need, which are far from 1.
const DURABLE_ROUNDS: usize = 12;

/// The servers of tests.
const TEST_SERVER: &str = "MANYHANDS_TEST_POSTGRES";

/// Said when Ctrl-C came too early.
pub(super) const NOTHING: &str = "interrupted: nothing was measured yet";

impl StudyArgs {
    /// Which works, each by itself.
    ///
    /// # Errors
    ///
    /// [`Usage`], when there are none, or too many, or one is there twice.
    pub(super) fn specs(&self) -> Result<Vec<&str>, Usage> {
        let all = self.work.work.as_deref().unwrap_or("files");
        let all = if all == "all" { ALL } else { all };
        let specs: Vec<&str> = all.split(',').collect();
        if specs.len() > MOST_WORKS {
            return Err(Usage(format!(
                "--work has {} works, allowed is up to {MOST_WORKS}",
                specs.len()
            )));
        }
        match twice(&specs) {
            Some(spec) => {
                Err(Usage(format!("--work has {spec} twice, allowed is once")))
            }
            None => Ok(specs),
        }
    }

    /// Whether there is such work, all of it: found out before any of it is
    /// measured, by processes that look again. `None` if Ctrl-C was pressed.
    ///
    /// # Errors
    ///
    /// [`Usage`], when there is not.
    pub(super) fn check(
        &self,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<()>> {
        let settings = self.settings()?;
        let specs = self.specs()?;
        if (0..specs.len()).any(|nth| self.is_with_durable(&specs, nth)) {
            // Whether it is one is seen later.
            let _ = self.server()?;
        }
        for spec in specs {
            let spec = spec.to_owned();
            if work::parse(spec, settings.clone(), interrupt)?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    /// Measures one of the works, and looks at what is drawn of it if that is
    /// wanted. `None` if Ctrl-C was pressed before there was a round; if it
    /// was pressed later, there is what was measured until then.
    pub(super) fn measure(
        &self,
        nth: usize,
        with_looks: bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Record>> {
        let specs = self.specs()?;
        let config = self.work.config(specs[nth], one_a_core())?;
        let plan = Plan {
            processes: self.processes,
            budget: self.budget(specs.len()),
            seed: self.work.seed,
        };
        let more = ["--nth".to_owned(), nth.to_string()];
        let measured = measure(&plan, &more, interrupt)?;
        if measured.rounds.is_empty() {
            return Ok(None);
        }
        // What is shown says itself whether it is partial, in every format.
        let mut record = Record::of(&plan, config, measured)?;
        if with_looks && !record.runs.partial {
            let scene = Scene {
                spec: specs[nth].to_owned(),
                settings: self.settings()?,
                config,
                time: self.time_of_looks(specs.len()),
            };
            // Without, the rounds are whole all the same.
            let looks = look(&scene, &record, interrupt)?;
            record.looks = looks.unwrap_or_default();
        }
        if self.is_with_durable(&specs, nth) && !record.runs.partial {
            let server = self.server()?;
            let extent = self.extent();
            record.durable = durable::measure(&extent, server, interrupt)?;
        }
        Ok(Some(record))
    }

    /// Whether it is shown what it costs that jobs outlive their process: of
    /// several works once, with that which is about such jobs.
    fn is_with_durable(&self, specs: &[&str], nth: usize) -> bool {
        let is_plain = self.work.is_plain() && self.variants.is_none();
        let place = specs
            .iter()
            .position(|it| Kind::of(it).is_some_and(|it| it.name == SIGNUP));
        match self.durable {
            Some(false) => false,
            Some(true) => nth == place.unwrap_or(0),
            None => is_plain || place == Some(nth),
        }
    }

    /// Whether that was asked for, and not only done.
    pub(super) fn asks_for_durable(&self) -> bool {
        self.durable == Some(true)
    }

    /// Without it, which some formats have no room for.
    pub(super) fn without_durable(self) -> Self {
        Self { durable: Some(false), ..self }
    }

    /// The server, or why there is none.
    ///
    /// # Errors
    ///
    /// [`Usage`], when what was said here is neither a server nor a file.
    fn server(&self) -> Result<Result<String, String>, Usage> {
        let why = match Store::maybe(self.db.clone()) {
            Ok(Some(Store { place: Place::Postgres(url), .. })) => {
                return Ok(Ok(url));
            }
            Ok(Some(store)) => format!("{} is no server", store.by),
            Ok(None) => "no server: --db or MANYHANDS_DB names one".to_owned(),
            // A variable is there for other programs too.
            Err(Usage(why)) if self.db.is_none() => why,
            Err(usage) => return Err(usage),
        };
        let of_tests = std::env::var(TEST_SERVER).ok();
        let of_tests = of_tests.filter(|url| !url.is_empty());
        Ok(of_tests.ok_or(why))
    }

    fn extent(&self) -> durable::Extent {
        let time = self.time.unwrap_or(Budget::DEFAULT_TIME);
        let rounds = self.rounds.unwrap_or(DURABLE_ROUNDS);
        durable::Extent {
            workers: self.work.workers.unwrap_or(durable::WORKERS),
            processes: self.processes.min(2),
            rounds: rounds.min(DURABLE_ROUNDS),
            time: time.min(Budget::DEFAULT_TIME).mul_f64(DURABLE_PART),
            seed: self.work.seed,
        }
    }

    /// The same command line in a process that measures.
    pub(crate) fn serve(&self) -> anyhow::Result<()> {
        if let Some(part) = &self.durable_part {
            let workers = self.work.workers.unwrap_or(durable::WORKERS);
            let part = durable::Part::named(part).context("no such part")?;
            return match durable::serve(part, workers) {
                Ok(()) => Ok(()),
                Err(error) => Ok(give_up(&format!("{error:#}"))?),
            };
        }
        match self.setting() {
            Ok(setting) => serve(&setting),
            Err(error) => Ok(give_up(&format!("{error:#}"))?),
        }
    }

    fn setting(&self) -> anyhow::Result<Setting> {
        let specs = self.specs()?;
        let spec = specs.get(self.nth).copied().unwrap_or(specs[0]);
        Ok(Setting {
            workload: Workload::parse(spec, &self.settings()?)?.into(),
            config: self.work.config(spec, one_a_core())?,
            contenders: self.contenders(),
        })
    }

    fn settings(&self) -> Result<Settings, Usage> {
        self.work.settings(&self.specs()?)
    }

    /// The baseline, and the chosen variants.
    fn contenders(&self) -> Vec<Contender<WorkJob>> {
        let is_chosen = |name: &'static str| match &self.variants {
            Some(Names(names)) => name == INLINE || names.contains(&name),
            None => true,
        };
        let mut contenders = contenders::all::<WorkJob, _, _>();
        contenders.retain(|contender| is_chosen(contender.name));
        contenders
    }

    /// As many rounds as fit into the time; where only the rounds are said,
    /// they take the time they take.
    fn budget(&self, works: usize) -> Budget {
        let default = self.rounds.is_none().then(|| default_time(works));
        Budget {
            rounds: self.rounds.unwrap_or(match works {
                1 => Budget::DEFAULT_ROUNDS,
                _ => ROUNDS_OF_EACH,
            }),
            time: self.time.or(default),
        }
    }

    /// Half as long as the rounds of one work, if nothing is said.
    fn time_of_looks(&self, works: usize) -> Duration {
        match self.time {
            Some(time) => time / 2,
            None if works == 1 => Budget::DEFAULT_TIME / 2,
            None => LOOKS_OF_EACH,
        }
    }
}

fn one_a_core() -> usize {
    Config::default().workers().get()
}

fn default_time(works: usize) -> Duration {
    match works {
        1 => Budget::DEFAULT_TIME,
        _ => TIME_OF_EACH,
    }
}
