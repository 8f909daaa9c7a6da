//! What is looked at once the rounds are over, in this process, to be drawn:
//! a run of each job by job, jobs that come at random times, and pools of
//! other sizes. Nothing is concluded from it.

use std::iter;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use manyhands::{Config, Outcome, WorkerPool};
use manyhands_measure::record::Runs;
use manyhands_measure::{Round, Verdict, cache_line, load};
use manyhands_trace::{Recorder, Trace, Traced};
use manyhands_workloads::{Seen, Settings, WorkJob, Workload};

use super::Setting;
use super::latency::{Latency, Stamped, stamped, unstamp};
use super::trial::Trial;
use crate::contenders::{self, Contender, INLINE};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::record::{Load, Looks, Record, Tail};

/// What there is to look at.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) spec: String,
    pub(crate) settings: Settings,
    pub(crate) config: Config,
    /// About how long it may take.
    pub(crate) time: Duration,
}

/// Most jobs that are drawn one by one.
const MOST_TRACED: usize = 1000;

/// Of what the middle one of the variants does at most, in percent.
const LOADS: [u64; 2] = [50, 80];

/// Fewer jobs do not tell of the slowest among them.
const FEWEST_OPEN: usize = 50;
const MOST_OPEN: usize = 50_000;

/// How many workers. Up to as many as anybody sets on few cores.
const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// How long the jobs of a run take together, where pools have other sizes.
const SMALL: f64 = 0.03;
const FEWEST_SMALL: usize = 64;

/// Most rounds of other sizes.
const ROUNDS: usize = 7;

/// Looks at those that took part in what was recorded; `None` if Ctrl-C was
/// pressed.
///
/// # Errors
///
/// The first wrong answer, or a pool that cannot be made.
pub(crate) fn look(
    scene: &Scene,
    record: &Record,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Looks>> {
    let (scene, record) = (scene.clone(), record.clone());
    // A run that sleeps for an hour is not waited for.
    interrupt.or(move || Looking::new(&scene, &record)?.look()).transpose()
}

struct Looking<'a> {
    scene: &'a Scene,
    record: &'a Record,
    /// What a job takes by itself, in seconds.
    a_job: f64,
    /// Those that ran all jobs, without the baseline.
    names: Vec<&'static str>,
    /// Jobs a second of the middle one of them.
    middle: f64,
    progress: Progress,
}

impl<'a> Looking<'a> {
    const STEPS: u64 = 1000;

    fn new(scene: &'a Scene, record: &'a Record) -> anyhow::Result<Self> {
        let judgement = record.runs.judge();
        let jobs = record.runs.jobs as f64;
        let wall = judgement.rows.first().and_then(|row| row.wall);
        let wall = wall.context("the baseline was not measured")?;
        let mut speeds = Vec::new();
        let mut names = Vec::new();
        for name in contenders::variant_names() {
            let entrants = record.runs.entrants.iter();
            let mut rows = entrants.zip(&judgement.rows);
            let row = rows.find(|(entrant, _)| entrant.name == name);
            let Some((_, row)) = row else { continue };
            let (Some(wall), false) =
                (row.wall, row.verdict == Verdict::Stopped)
            else {
                continue;
            };
            names.push(name);
            speeds.push(jobs / wall * 1e9);
        }
        speeds.sort_by(f64::total_cmp);
        let middle = speeds.get(speeds.len() / 2).copied().unwrap_or(0.0);
        let progress = Progress::new(Self::STEPS, "");
        let a_job = wall / jobs / 1e9;
        Ok(Self { scene, record, a_job, names, middle, progress })
    }

    fn look(&self) -> anyhow::Result<Looks> {
        let traces = self.traces()?;
        let mut tails = self.record.looks.tails.clone();
        // What the baseline does twice needs no second picture.
        tails.retain(|tail| !tail.name.ends_with("(again)"));
        tails.extend(self.tails()?);
        Ok(Looks { traces, tails, sizes: self.sizes()? })
    }

    /// So many jobs of the work.
    fn workload(&self, jobs: usize) -> anyhow::Result<Arc<Workload>> {
        let Scene { spec, settings, .. } = self.scene;
        let settings = Settings { jobs: Some(jobs), ..settings.clone() };
        let workload = Workload::parse(spec, &settings)?;
        workload.prepare();
        Ok(Arc::new(workload))
    }

    /// These jobs, on so many workers.
    fn setting(
        &self,
        workload: &Arc<Workload>,
        workers: usize,
    ) -> anyhow::Result<Setting> {
        let mut contenders = contenders::all::<WorkJob, _, _>();
        contenders.retain(|contender| {
            let mut entrants = self.record.runs.entrants.iter();
            entrants.any(|entrant| entrant.name == contender.name)
        });
        let config = Config::new(workers, self.scene.config.queue())?;
        Ok(Setting { workload: Arc::clone(workload), config, contenders })
    }

    fn jobs(&self) -> usize {
        self.record.runs.jobs as usize
    }

    fn workers(&self) -> usize {
        self.scene.config.workers().get()
    }

    /// The beginning of a run of each, job by job.
    fn traces(&self) -> anyhow::Result<Vec<(String, Trace)>> {
        let jobs = self.jobs().min(MOST_TRACED);
        let setting = self.setting(&self.workload(jobs)?, self.workers())?;
        let trial = Trial { setting: &setting };
        let all = contenders::all::<Traced<WorkJob, Recorder>, _, _>();
        let mut traces = Vec::new();
        for contender in all {
            let name = contender.name;
            if !setting.contenders.iter().any(|it| it.name == name) {
                continue;
            }
            self.progress.next(0, format!("drawn: {name}"));
            let recorder = Recorder::new(jobs);
            let recording = Arc::clone(&recorder);
            let mut numbered = (1..).zip(setting.workload.jobs());
            // It does not say how many there are, so that none is made ahead
            // of its turn, and seen to wait where it does not yet.
            let jobs = iter::from_fn(move || {
                let (number, job) = numbered.next()?;
                Some(Traced::fallible(number, job, &recording))
            });
            trial.run(&contender, jobs, |outcome| match outcome {
                Outcome::Done(Ok(answer)) => Seen::Answer(answer),
                Outcome::Done(Err(error)) => Seen::Error(error),
                Outcome::Panicked(panic) => Seen::Panicked(panic),
                Outcome::Cancelled(_) => Seen::Cancelled,
            })?;
            let workers = if name == INLINE { 1 } else { self.workers() };
            traces.push((name.to_owned(), recorder.trace(workers)));
        }
        Ok(traces)
    }

    /// Jobs that come at random times.
    fn tails(&self) -> anyhow::Result<Vec<Tail>> {
        let mut tails = Vec::new();
        let runs = LOADS.len() * self.names.len();
        let time = self.scene.time.as_secs_f64() / 2.0 / runs.max(1) as f64;
        for (at, percent) in LOADS.into_iter().enumerate() {
            let rate = self.middle * percent as f64 / 100.0;
            let jobs = ((rate * time) as usize).min(MOST_OPEN);
            if jobs < FEWEST_OPEN {
                continue;
            }
            let setting =
                self.setting(&self.workload(jobs)?, self.workers())?;
            let due = schedule(rate, jobs, self.record.runs.seed);
            for (nth, name) in self.names.iter().enumerate() {
                let part = (at * self.names.len() + nth) as u64;
                let step = part * (Self::STEPS / 2) / runs as u64;
                self.progress.next(step, format!("{percent} % load: {name}"));
                let latency = open(&setting, name, &due)?;
                let per_second = rate as u64;
                let load = Load::Open { percent, per_second };
                tails.push(latency.tail(name, load));
            }
        }
        Ok(tails)
    }

    /// Pools of other sizes.
    fn sizes(&self) -> anyhow::Result<Vec<Runs>> {
        let jobs = (SMALL / self.a_job.max(1e-9)) as usize;
        let jobs = jobs.max(FEWEST_SMALL).min(self.jobs());
        let workload = self.workload(jobs)?;
        let most = workload.most_workers().unwrap_or(usize::MAX);
        let settings: Vec<Setting> = SIZES
            .into_iter()
            .filter(|&workers| workers <= most)
            .map(|workers| self.setting(&workload, workers))
            .collect::<anyhow::Result<_>>()?;
        let mut random = fastrand::Rng::with_seed(self.record.runs.seed);
        let mut sizes: Vec<Vec<Round>> = vec![Vec::new(); settings.len()];
        let (clock, time) = (Instant::now(), self.scene.time / 2);
        for round in 0..ROUNDS {
            // Never more than begun with time left, and one at least.
            if round > 0 && clock.elapsed() >= time {
                break;
            }
            for (setting, rounds) in settings.iter().zip(&mut sizes) {
                let workers = setting.config.workers();
                let part = clock.elapsed().as_secs_f64() / time.as_secs_f64();
                let half = Self::STEPS / 2;
                let step = half + (part.min(1.0) * half as f64) as u64;
                let what = format!("{workers} workers, round {}", round + 1);
                self.progress.next(step, what);
                rounds.push(one_round(setting, &mut random)?);
            }
        }
        let runs = |(setting, rounds): (&Setting, Vec<Round>)| Runs {
            partial: false,
            jobs: jobs as u64,
            workers: setting.config.workers().get() as u64,
            rounds,
            ..self.record.runs.clone()
        };
        let mut sizes: Vec<Runs> =
            settings.iter().zip(sizes).map(runs).collect();
        for runs in &mut sizes {
            for entrant in &mut runs.entrants {
                entrant.ran = runs.jobs;
            }
        }
        Ok(sizes)
    }
}

/// One run of each, in random order.
fn one_round(
    setting: &Setting,
    random: &mut fastrand::Rng,
) -> anyhow::Result<Round> {
    let trial = Trial { setting };
    let contenders = &setting.contenders;
    // The baseline, the first, runs once more as the last.
    let entrants = contenders.len() + 1;
    let mut order: Vec<usize> = (0..entrants).collect();
    random.shuffle(&mut order);
    let before = cache_line();
    let load = load();
    let mut runs = vec![None; entrants];
    for &who in &order {
        let contender = &contenders[who % contenders.len()];
        let jobs = setting.workload.jobs();
        let ran = trial.run(contender, jobs, Seen::from)?;
        runs[who] = Some(ran.spent);
    }
    let cache_line = before.zip(cache_line());
    Ok(Round { process: 1, order, runs, cache_line, load })
}

/// When jobs are due: the gaps between them are exponential, as they are
/// between callers that do not know of each other.
fn schedule(rate: f64, jobs: usize, seed: u64) -> Vec<Duration> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut due = Duration::ZERO;
    let mut next = || {
        // Above 0, so that its logarithm is finite.
        let even = 1.0 - random.f64();
        due += Duration::from_secs_f64(-even.ln() / rate);
        due
    };
    (0..jobs).map(|_| next()).collect()
}

/// Submits jobs when they are due, whether the pool is ready for them or not,
/// and counts from when they were.
fn open(
    setting: &Setting,
    name: &'static str,
    due: &[Duration],
) -> anyhow::Result<Latency> {
    let Setting { workload, config, .. } = setting;
    let contender: Contender<Stamped> = stamped(name);
    let pool: Arc<dyn WorkerPool<Stamped>> = contender.make(*config)?.into();
    let mut tally = workload.tally();
    let mut latency = Latency::new();
    let start = Instant::now();
    let refused = thread::scope(|scope| {
        let submitter = scope.spawn(|| {
            let mut refused = 0;
            for (job, due) in workload.jobs().zip(due) {
                thread::sleep(due.saturating_sub(start.elapsed()));
                let job = Stamped::new(job, start + *due);
                refused += u64::from(pool.submit(job).is_err());
            }
            pool.close();
            refused
        });
        while let Some(completion) = pool.recv() {
            let seen = unstamp(completion.outcome, &mut latency);
            tally.add(completion.id, seen);
        }
        submitter.join()
    });
    let refused = refused.unwrap_or_else(|it| std::panic::resume_unwind(it));
    tally.refused(refused);
    let checked = tally.check(contender.claims.stops_on_error);
    checked.with_context(|| format!("{name} is wrong"))?;
    Ok(latency)
}
