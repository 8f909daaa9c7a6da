//! A storm: load, faults during load, scenes of one fault each, and then what
//! the oracle says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fastrand::Rng;
use nix::sys::signal::Signal;
use serde::Serialize;

use crate::broken::Flaw;
use crate::fleet::{How, Process, Yard};
use crate::follow::Follow;
use crate::job::{self, StormJob, What, open_effects};
use crate::ledger::{Entry, now, read_all};
use crate::oracle::{History, Kept, Report, judge};
use crate::plan::{Event, Size, WORKING, faults, plan};
use crate::proxy::Proxy;
use crate::scenes;
use crate::server::Server;
use crate::target::{Item, Sender, Target};

/// Runs a storm, and says what it broke.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// sqlite, postgres, or broken-FLAW: a queue that is broken on purpose, to
    /// be found by the check that is for its flaw. The twelve flaws, which
    /// are in README.md, are for all ten checks.
    #[arg(long)]
    pub(crate) db: String,
    /// What goes wrong when is drawn from it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many jobs are submitted under load.
    #[arg(long, default_value_t = 2000)]
    jobs: usize,
    /// How many processes work.
    #[arg(long, default_value_t = 4)]
    pub(crate) workers: usize,
    /// On how many threads each.
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// Which faults: D01 to D19 with commas between them, all, or none.
    #[arg(long, default_value = "all")]
    faults: String,
    /// Over how many seconds the load is spread, at least.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// How long the rest may take after the load, in seconds.
    #[arg(long, default_value_t = 60)]
    settle: u64,
    /// How many threads submit in each of two processes: one, or 16 if it is
    /// large.
    #[arg(long)]
    senders: Option<usize>,
    /// 100 000 jobs, a million behind them, and faults to match.
    #[arg(long)]
    pub(crate) large: bool,
    /// How many jobs wait behind all others. A million if it is large.
    #[arg(long)]
    pub(crate) behind: Option<usize>,
    /// Kills at random for so many minutes, instead of a plan.
    #[arg(skip)]
    pub(crate) minutes: Option<u64>,
    /// Where to write what was found, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Keeps the files of the storm here.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What a scene found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scene {
    pub(crate) fault: &'static str,
    pub(crate) holds: bool,
    pub(crate) what: String,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Findings {
    db: String,
    seed: u64,
    jobs: usize,
    plan: Vec<String>,
    scenes: Vec<Scene>,
    /// How often a process died at each named point.
    crashes: BTreeMap<String, u64>,
    seconds: f64,
    oracle: Report,
}

/// A place for a process.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) process: Option<Process>,
    arguments: Vec<String>,
    /// By way of the proxy.
    proxied: bool,
    how: How,
    is_over: bool,
}

pub(crate) struct Storm {
    pub(crate) run: Run,
    pub(crate) faults: BTreeSet<&'static str>,
    pub(crate) rng: Rng,
    pub(crate) folder: PathBuf,
    pub(crate) target: Target,
    proxied: Target,
    pub(crate) server: Option<Server>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) yard: Yard,
    pub(crate) workers: Vec<Slot>,
    producers: Vec<Slot>,
    asleep: Vec<(Instant, u32)>,
    pub(crate) follow: Follow,
    sender: Option<Sender<StormJob>>,
    seen: HashMap<i64, (String, String)>,
    pub(crate) scenes: Vec<Scene>,
    crashes: BTreeMap<String, u64>,
    /// What a control is to be found by.
    flaw: Option<Flaw>,
    /// How often the server was stopped at once.
    pub(crate) restarts: usize,
}

/// How many processes submit.
pub(crate) const PRODUCERS: usize = 2;

impl Run {
    /// True if nothing is broken.
    pub(crate) fn go(mut self) -> Result<bool> {
        if self.large {
            self.senders.get_or_insert(16);
            self.jobs = self.jobs.max(100_000);
            self.settle = self.settle.max(1800);
            self.behind.get_or_insert(1_000_000);
        }
        let keep = self.folder.clone();
        let temporary = tempfile::Builder::new().prefix("storm-").tempdir()?;
        let folder = keep.unwrap_or_else(|| temporary.path().into());
        std::fs::create_dir_all(&folder)?;
        if nix::unistd::geteuid().is_root() {
            // The server runs as nobody, in a folder of this one.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&folder, mode)?;
        }
        let began = Instant::now();
        let mut storm = Storm::new(self, &folder)?;
        let plan = storm.plan()?;
        let died = storm.weather(&plan);
        // Even so, what was written down is looked at.
        if let Err(error) = &died {
            say(&format!("the storm ended early: {error:#}"))?;
        }
        storm.still();
        let oracle = judge(&storm.history()?);
        let broken = oracle.broken();
        let mut holds = broken.is_empty() && died.is_ok();
        holds &= storm.scenes.iter().all(|scene| scene.holds);
        say(&oracle.to_string())?;
        for scene in &storm.scenes {
            let verdict = if scene.holds { "holds" } else { "BROKEN" };
            say(&format!("{} {verdict}: {}", scene.fault, scene.what))?;
        }
        say(&format!("deaths at points: {:?}", storm.crashes))?;
        let seconds = began.elapsed().as_secs_f64();
        say(&format!("{seconds:.0} s, seed {}", storm.run.seed))?;
        let findings = Findings {
            db: storm.run.db.clone(),
            seed: storm.run.seed,
            jobs: storm.run.jobs,
            plan: plan.iter().map(|(at, it)| format!("{at}: {it}")).collect(),
            scenes: std::mem::take(&mut storm.scenes),
            crashes: storm.crashes.clone(),
            seconds,
            oracle,
        };
        if let Some(path) = &storm.run.report {
            std::fs::write(path, serde_json::to_string_pretty(&findings)?)?;
        }
        if let Some(flaw) = storm.flaw {
            return control(flaw, &broken);
        }
        Ok(holds)
    }
}

/// A control is right when it is found by the check that is for it.
fn control(flaw: Flaw, broken: &[&str]) -> Result<bool> {
    match flaw.found_by() {
        None => Ok(broken.is_empty()),
        Some(check) if broken.contains(&check) => {
            say(&format!("{flaw:?} was found by {check}"))?;
            Ok(true)
        }
        Some(check) => {
            say(&format!("{flaw:?} was NOT found by {check}"))?;
            Ok(false)
        }
    }
}

/// For whoever runs it.
pub(crate) fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

impl Storm {
    fn new(run: Run, folder: &Path) -> Result<Self> {
        let faults = faults(&run.faults)?;
        let mut rng = Rng::with_seed(run.seed);
        let mut server = None;
        let mut proxy = None;
        let mut flaw = None;
        let (target, proxied);
        if run.db == "postgres" {
            let new = Server::new(
                &folder.join("server"),
                faults.contains("D11") && !run.large,
            )?;
            target = Target::Postgres(new.url());
            let between = Proxy::new(new.port(), rng.u64(..))?;
            proxied = Target::Postgres(new.url_at(between.port()));
            server = Some(new);
            proxy = Some(between);
        } else {
            let path = folder.join("jobs.db");
            target = if let Some(name) = run.db.strip_prefix("broken-") {
                format!("broken:{name}:{}", path.display()).parse()?
            } else if run.db == "sqlite" {
                Target::Sqlite(path)
            } else {
                bail!("no db {}: it is sqlite, postgres, broken-…", run.db);
            };
            if let Target::Broken(it, _) = &target {
                flaw = Some(*it);
            }
            proxied = target.clone();
        }
        let yard = Yard::new(folder)?;
        job::open(folder, "driver")?;
        let sender = Some(Sender::open(&target)?);
        Ok(Self {
            faults,
            rng,
            folder: folder.into(),
            target,
            proxied,
            server,
            proxy,
            yard,
            workers: Vec::new(),
            producers: Vec::new(),
            asleep: Vec::new(),
            follow: Follow::new(folder),
            sender,
            seen: HashMap::new(),
            scenes: Vec::new(),
            crashes: BTreeMap::new(),
            flaw,
            restarts: 0,
            run,
        })
    }

    pub(crate) fn is_real(&self) -> bool {
        self.flaw.is_none()
    }

    fn plan(&mut self) -> Result<Vec<(usize, Event)>> {
        let size = Size {
            jobs: self.run.jobs,
            workers: self.run.workers,
            producers: PRODUCERS,
            has_server: self.server.is_some(),
            is_large: self.run.large,
        };
        let plan = if self.run.minutes.is_some() {
            Vec::new()
        } else {
            plan(&mut self.rng, &self.faults, size)
        };
        let mut text = format!(
            "{}: seed {}, {} jobs, {} workers of {} threads, {:?}",
            self.run.db,
            self.run.seed,
            self.run.jobs,
            self.run.workers,
            self.run.threads,
            self.faults,
        );
        for (at, event) in &plan {
            write!(text, "\n  at {at}: {event}")?;
        }
        say(&text)?;
        Ok(plan)
    }

    fn weather(&mut self, plan: &[(usize, Event)]) -> Result<()> {
        if let Some(jobs) = self.run.behind {
            scenes::backlog(self, jobs)?;
        }
        if self.is_real() && self.faults.contains("D16") {
            scenes::behind(self)?;
        }
        let began = Instant::now();
        self.load(plan)?;
        let seconds = began.elapsed().as_secs_f64();
        let committed = self.follow.committed;
        say(&format!("load: {committed} jobs in {seconds:.1} s"))?;
        if let Some(minutes) = self.run.minutes {
            return self.soak(Duration::from_secs(60 * minutes));
        }
        self.settle("the load")?;
        scenes::play(self)?;
        self.fleet(self.run.workers)?;
        self.settle("the scenes")
    }

    /// The arguments of worker number `slot`.
    pub(crate) fn worker(&self, slot: usize) -> Vec<String> {
        let mut arguments = vec!["worker".to_owned(), "--threads".into()];
        arguments.push(self.run.threads.to_string());
        // Every other is of the next release.
        if slot % 2 == 1 && self.faults.contains("D14") {
            arguments.push("--new".into());
        }
        arguments
    }

    /// All workers are killed, and so many started.
    pub(crate) fn fleet(&mut self, workers: usize) -> Result<()> {
        self.workers.clear();
        self.asleep.clear();
        for slot in 0..workers {
            let arguments = self.worker(slot);
            self.hire(arguments, slot == 0, How::default())?;
        }
        Ok(())
    }

    /// Starts another worker, and keeps it.
    pub(crate) fn hire(
        &mut self,
        arguments: Vec<String>,
        proxied: bool,
        how: How,
    ) -> Result<usize> {
        let target = if proxied { &self.proxied } else { &self.target };
        let process = self.yard.start(target, &arguments, &how)?;
        let process = Some(process);
        let is_over = false;
        let slot = Slot { process, arguments, proxied, how, is_over };
        self.workers.push(slot);
        Ok(self.workers.len() - 1)
    }

    /// Starts producers, the first of which is number `first` of all.
    fn produce(&mut self, first: usize) -> Result<()> {
        for number in first..first + PRODUCERS {
            let mut arguments = vec!["producer".to_owned()];
            let killers = if self.faults.contains("D06") { 2 } else { 0 };
            for (name, value) in [
                ("--slot", number as u64),
                ("--jobs", (self.run.jobs / PRODUCERS) as u64),
                ("--seed", self.run.seed),
                ("--killers", killers),
                ("--pace", self.run.seconds * 1000),
                ("--threads", self.run.senders.unwrap_or(1) as u64),
            ] {
                arguments.push(name.into());
                arguments.push(value.to_string());
            }
            if number % 2 == 1 && self.faults.contains("D14") {
                arguments.push("--new".into());
            }
            let how = How::default();
            let process = self.yard.start(&self.proxied, &arguments, &how)?;
            self.producers.push(Slot {
                process: Some(process),
                arguments,
                proxied: true,
                how,
                is_over: false,
            });
        }
        Ok(())
    }

    fn load(&mut self, plan: &[(usize, Event)]) -> Result<()> {
        self.fleet(self.run.workers)?;
        self.produce(0)?;
        let mut next = 0;
        let mut looked = Instant::now();
        let limit = self.run.seconds + self.run.settle * 2;
        let until = Instant::now() + Duration::from_secs(limit);
        while next < plan.len() || self.producers.iter().any(|it| !it.is_over)
        {
            self.tick()?;
            let are_over = self.producers.iter().all(|it| it.is_over);
            if let Some((at, event)) = plan.get(next)
                && (self.follow.committed >= *at || are_over)
            {
                next += 1;
                self.happen(event)?;
                if are_over {
                    self.pause(Duration::from_millis(500))?;
                }
            }
            if looked.elapsed() > Duration::from_secs(1) && !self.run.large {
                looked = Instant::now();
                // The store may be away.
                let _ = self.observe();
            }
            if Instant::now() > until {
                let committed = self.follow.committed;
                bail!("the load lasts too long: {committed} are committed");
            }
        }
        Ok(())
    }

    /// Lets the others go on.
    pub(crate) fn pause(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.tick()?;
        }
        Ok(())
    }

    /// Waits until `done`, and fails after `within`.
    pub(crate) fn wait(
        &mut self,
        within: Duration,
        what: &str,
        mut done: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let until = Instant::now() + within;
        loop {
            self.tick()?;
            if done(self)? {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{what}: not within {within:?}");
            }
        }
    }

    /// Looks after all processes, for a moment.
    fn tick(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(10));
        self.follow.look()?;
        let now = Instant::now();
        self.asleep.retain(|(until, pid)| {
            let wakes = now >= *until;
            if wakes {
                for slot in &self.workers {
                    if let Some(process) = &slot.process
                        && process.id() == *pid
                    {
                        process.signal(Signal::SIGCONT);
                    }
                }
            }
            !wakes
        });
        let (direct, proxied) = (&self.target, &self.proxied);
        for slot in self.workers.iter_mut().chain(&mut self.producers) {
            let Some(process) = &mut slot.process else { continue };
            let Some(status) = process.ended() else { continue };
            if status.signal() == Some(Signal::SIGABRT as i32)
                && let Some(point) = process.crash.clone()
            {
                *self.crashes.entry(point).or_default() += 1;
            }
            if status.success() {
                slot.process = None;
                slot.is_over = true;
                continue;
            }
            let target = if slot.proxied { proxied } else { direct };
            let new = self.yard.start(target, &slot.arguments, &slot.how)?;
            slot.process = Some(new);
        }
        Ok(())
    }

    fn happen(&mut self, event: &Event) -> Result<()> {
        match *event {
            Event::Kill { worker } => {
                if let Some(it) = &mut self.workers[worker].process {
                    it.kill();
                }
            }
            Event::KillProducer { producer } => {
                if let Some(it) = &mut self.producers[producer].process {
                    it.kill();
                }
            }
            Event::Crash { worker, point, after } => {
                let how = crash(point, after);
                let slot = &mut self.workers[worker];
                let target =
                    if slot.proxied { &self.proxied } else { &self.target };
                slot.process = None;
                let new = self.yard.start(target, &slot.arguments, &how)?;
                slot.process = Some(new);
            }
            Event::CrashProducer { producer, point, after } => {
                let how = crash(point, after);
                let slot = &mut self.producers[producer];
                if !slot.is_over {
                    slot.process = None;
                    let target = &self.proxied;
                    let new =
                        self.yard.start(target, &slot.arguments, &how)?;
                    slot.process = Some(new);
                }
            }
            Event::Stall { worker, ms } => {
                if let Some(it) = &self.workers[worker].process {
                    it.signal(Signal::SIGSTOP);
                    let until = Instant::now() + Duration::from_millis(ms);
                    self.asleep.push((until, it.id()));
                }
            }
            Event::Restart => {
                let server = self.server.as_ref().context("no server")?;
                server.stop()?;
                server.start()?;
                self.restarts += 1;
            }
            Event::Away { ms } => scenes::away(self, ms)?,
            Event::Cut { on } => {
                if let Some(proxy) = &self.proxy {
                    proxy.cut(on);
                }
            }
        }
        Ok(())
    }

    /// Kills at random until the time is up.
    fn soak(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        let mut said = Instant::now();
        let mut first = 0;
        while Instant::now() < until {
            let wait = self.rng.u64(100..3_000);
            self.pause(Duration::from_millis(wait))?;
            let worker = self.rng.usize(..self.workers.len());
            let event = match self.rng.u32(..20) {
                0..12 => Event::Kill { worker },
                12..14 => Event::Stall { worker, ms: 5_000 },
                14 if self.server.is_some() => Event::Restart,
                15 => {
                    let producer = self.rng.usize(..self.producers.len());
                    Event::KillProducer { producer }
                }
                16 => Event::Cut { on: self.rng.bool() },
                _ => {
                    let points = WORKING;
                    let point = points[self.rng.usize(..points.len())];
                    let after = self.rng.u64(..20);
                    Event::Crash { worker, point, after }
                }
            };
            self.happen(&event)?;
            if self.producers.iter().all(|it| it.is_over) {
                self.producers.clear();
                first += PRODUCERS;
                self.produce(first)?;
            }
            if said.elapsed() > Duration::from_secs(60) {
                said = Instant::now();
                // The store may be away.
                let _ = self.observe();
                say(&format!("{} committed", self.follow.committed))?;
            }
        }
        if let Some(proxy) = &self.proxy {
            proxy.cut(false);
        }
        self.wait(Duration::from_secs(120), "the producers", |storm| {
            Ok(storm.producers.iter().all(|it| it.is_over))
        })?;
        self.fleet(self.run.workers)?;
        self.settle("the soak")
    }

    /// Waits until no job is left.
    fn settle(&mut self, after: &str) -> Result<()> {
        let began = Instant::now();
        self.rest(after)?;
        let seconds = began.elapsed().as_secs_f64();
        say(&format!("rest after {after}: {seconds:.1} s"))
    }

    fn rest(&mut self, after: &str) -> Result<()> {
        let within = Duration::from_secs(self.run.settle);
        let until = Instant::now() + within;
        let mut took = Duration::ZERO;
        loop {
            // A look at a million jobs takes its time.
            self.pause(Duration::from_millis(500).max(took * 5))?;
            let began = Instant::now();
            let left = self.target.unfinished();
            took = began.elapsed();
            match left {
                Ok(0) => return self.observe().map(drop),
                left if Instant::now() > until => {
                    // A control that does not settle is to be judged as well.
                    if self.flaw.is_some_and(|it| it != Flaw::None) {
                        return Ok(());
                    }
                    bail!("after {after}, within {within:?}: {left:?} left");
                }
                _ => {}
            }
        }
    }

    /// Looks at all jobs, and writes down which have come to their end.
    pub(crate) fn observe(&mut self) -> Result<()> {
        let kept = self.target.list()?;
        self.see(&kept)
    }

    fn see(&mut self, kept: &[Kept]) -> Result<()> {
        let mut new = Vec::new();
        for it in kept.iter().filter(|it| it.is_over()) {
            let output = it.output.clone().unwrap_or_default();
            let end = (it.state.clone(), output.clone());
            if self.seen.get(&it.id) != Some(&end) {
                let (id, state) = (it.id, it.state.clone());
                new.push(Entry::Seen { id, state, output });
                self.seen.insert(it.id, end);
            }
        }
        job::say_all(&new)
    }

    /// All processes are gone.
    pub(crate) fn still(&mut self) {
        self.workers.clear();
        self.asleep.clear();
        self.producers.clear();
    }

    fn history(&self) -> Result<History> {
        let ledgers = read_all(&self.folder.join("ledgers"))?;
        let kept = self.target.list()?;
        let effects = open_effects(&self.folder)?;
        let mut keys = effects.prepare("SELECT key FROM effects")?;
        let keys = keys.query_map((), |row| row.get(0))?;
        let effects = keys.collect::<Result<_, _>>()?;
        Ok(History { ledgers, kept, effects })
    }

    pub(crate) fn found(
        &mut self,
        fault: &'static str,
        holds: bool,
        what: String,
    ) {
        self.scenes.push(Scene { fault, holds, what });
    }

    /// Submits a job for a scene, and returns its id.
    pub(crate) fn submit(&mut self, key: &str, what: What) -> Result<i64> {
        let ids = self.submit_all(vec![StormJob::new(key.into(), what)])?;
        ids.first().copied().context("no id")
    }

    /// In one transaction.
    pub(crate) fn submit_all(
        &mut self,
        jobs: Vec<StormJob>,
    ) -> Result<Vec<i64>> {
        self.submit_items(jobs.into_iter().map(|job| (job, None)).collect())
    }

    /// In one transaction, with their serial words.
    pub(crate) fn submit_items(
        &mut self,
        items: Vec<Item>,
    ) -> Result<Vec<i64>> {
        let intents = items.iter().map(|(job, serial)| Entry::Intent {
            key: job.key.clone(),
            checksum: job.checksum(),
            serial: serial.clone(),
        });
        job::say_all(&intents.collect::<Vec<_>>())?;
        let sender = self.sender.as_ref().context("no sender")?;
        let until = Instant::now() + Duration::from_secs(30);
        let ids = loop {
            match sender.submit(&items) {
                Ok(ids) => break ids,
                Err(error)
                    if error.is_transient() && Instant::now() < until =>
                {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => bail!("submit: {error}"),
            }
        };
        let committed = items.iter().zip(&ids).map(|((job, _), id)| {
            Entry::Committed { key: job.key.clone(), id: *id }
        });
        job::say_all(&committed.collect::<Vec<_>>())?;
        Ok(ids)
    }

    /// Waits until all of the jobs are done or dead, and returns them.
    pub(crate) fn finish(
        &mut self,
        ids: &[i64],
        within: Duration,
    ) -> Result<Vec<Kept>> {
        let mut found = Vec::new();
        let what = format!("{} jobs from {:?}", ids.len(), ids.first());
        self.wait(within, &what, |storm| {
            // The store may be away.
            let Ok(kept) = storm.target.find(ids) else { return Ok(false) };
            storm.see(&kept)?;
            let is_over = kept.iter().all(Kept::is_over);
            found = kept;
            Ok(found.len() == ids.len() && is_over)
        })?;
        self.follow.look()?;
        Ok(found)
    }

    /// A dead letter is about to be driven again.
    pub(crate) fn redrive(&mut self, id: i64, key: &str) -> Result<()> {
        self.follow.look()?;
        let starts = u32::try_from(self.follow.of(key).len())?;
        self.seen.remove(&id);
        job::say(&Entry::Redriven { id, starts })
    }

    /// Of the ledgers.
    pub(crate) fn clock(&self) -> u64 {
        now()
    }
}

fn crash(point: &str, after: u64) -> How {
    How { crash: Some((point.into(), after)), ..How::default() }
}
