//! `manyhands run`: one variant at work, to be watched.

use std::iter;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use manyhands::{Config, Outcome, WorkerPool};
use manyhands_trace::{Phase, Recorder, Times, Traced};
use manyhands_workloads::{Seen, Visits, WorkJob, Workload};

use super::End;
use crate::args::{name, path};
use crate::board::{Board, Lane};
use crate::contenders::{self, Contender};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::output::{plural, print, say, time, wrap};
use crate::table::{Table, left, right};
use crate::timeline::Timeline;
use crate::work::{self, WorkArgs};

/// Run jobs on one variant, and watch its workers
///
/// Without options, 5 jobs of a second on 3 workers, as in Go by Example.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one: `manyhands list` names them
    #[arg(value_parser = name(contenders::names()))]
    variant: &'static str,
    #[command(flatten)]
    work: WorkArgs,
    /// Print each start and end, however many jobs there are
    ///
    /// Without it, they are printed for up to 100 jobs.
    #[arg(long)]
    lines: bool,
    /// Draw the workers while they work, as lines of text
    #[arg(long, conflicts_with = "lines")]
    live: bool,
    /// Draw what each worker did into FILE, as .html, .svg, or .json
    ///
    /// JSON is for viewers of Chrome's trace events, such as Perfetto.
    #[arg(
        long,
        value_name = "FILE",
        value_parser = path("a file"),
        allow_hyphen_values = true
    )]
    timeline: Option<PathBuf>,
}

/// Go by Example's own sizes.
const WORKERS: usize = 3;
const JOBS: usize = 5;
const WORK: &str = "sleep:1s";

/// How many jobs a person may want to watch: a few screens.
const MOST_WATCHED: usize = 100;

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let work = args.work;
    let spec = work.work.clone().unwrap_or_else(|| WORK.to_owned());
    let mut settings = work.settings(&[&spec])?;
    let kind = spec.clone();
    if work.work.is_none() {
        settings.jobs = settings.jobs.or(Some(JOBS));
    }
    let Some(workload) = work::prepare(spec, settings, interrupt)? else {
        say("interrupted: nothing was run yet");
        return Ok(End::Interrupted);
    };
    let config = work.config(&kind, WORKERS)?;
    let contender = contender(args.variant)?;
    let timeline = match args.timeline {
        None => None,
        Some(path) => match Timeline::open(path, interrupt)? {
            None => return Ok(End::Interrupted),
            opened => opened,
        },
    };
    let few = workload.len() <= MOST_WATCHED;
    let lines = args.lines || few && !args.live;
    if !lines && !args.live {
        say(format!(
            "{} are too many to watch: only the totals are printed; --lines \
             prints each start and end",
            plural(workload.len() as u64, "job"),
        ));
    }

    let recorder = timeline.as_ref().map(|it| Arc::clone(&it.recorder));
    // Beside requests, what they asked for is shown.
    let for_visits = || Recorder::new(workload.len());
    let recorder = recorder.or_else(|| workload.has_visits().then(for_visits));
    let how = How { lines, live: args.live, recorder: recorder.clone() };
    let watched = watch(&contender, config, &workload, how, interrupt)?;
    print(&watched.strip)?;
    print(totals(args.variant, &watched))?;
    if let (Some(visits), Some(recorder)) = (&watched.visits, recorder) {
        let jobs = recorder.trace(watched.workers.get()).times(Phase::Whole);
        print(visited(visits, &jobs))?;
    }
    if let Some(timeline) = timeline {
        let title = summary(args.variant, &watched);
        let warning = timeline.write(&title, watched.workers.get())?;
        warning.into_iter().for_each(say);
    }
    work::unread_of(&workload).into_iter().for_each(say);
    if !interrupt.is_pressed() {
        return Ok(End::Fine);
    }
    if watched.unrun > 0 {
        say("interrupted: this is partial");
    }
    Ok(End::Interrupted)
}

/// How a run is watched.
#[derive(Debug)]
struct How {
    /// Each start and end is printed.
    lines: bool,
    /// The lanes are drawn.
    live: bool,
    /// What a timeline is made of.
    recorder: Option<Arc<Recorder>>,
}

/// A job that is watched.
type Watch = Traced<WorkJob, (Arc<Board>, Option<Arc<Recorder>>)>;

/// What was seen of a run.
#[derive(Debug)]
struct Watched {
    /// What was drawn of the lanes.
    strip: String,
    wall: Duration,
    workers: NonZeroUsize,
    lanes: Vec<Lane>,
    /// The requests that brought the jobs, if it was requests that did.
    visits: Option<Visits>,
    /// Jobs that answered with an error.
    errors: u64,
    panicked: u64,
    /// Jobs that came back unrun, or were never accepted.
    unrun: u64,
}

/// Runs the jobs, and checks their answers unless it is interrupted.
fn watch(
    contender: &Contender<Watch>,
    config: Config,
    workload: &Workload,
    how: How,
    interrupt: &Interrupt,
) -> anyhow::Result<Watched> {
    let pool: Arc<dyn WorkerPool<Watch>> = contender.make(config)?.into();
    let workers = pool.workers();
    let to_cancel = Arc::clone(&pool);
    let guard = interrupt.on_press(move || to_cancel.cancel());
    let board = Board::new(workers.get(), how.lines, interrupt);
    let live = how.live.then(|| Live::start(Arc::clone(&board)));
    let observer = Arc::new((Arc::clone(&board), how.recorder));
    let mut numbered = (1..).zip(workload.jobs());
    // It does not say how many there are, so that none is made ahead of its
    // turn, and seen to wait where it does not yet.
    let jobs = iter::from_fn(move || {
        let (number, job) = numbered.next()?;
        Some(Traced::fallible(number, job, &observer))
    });
    let mut tally = workload.tally();
    let [mut errors, mut panicked, mut unrun] = [0; 3];
    let clock = Instant::now();
    let fed = workload.run_on(&pool, config.workers(), jobs, |id, outcome| {
        let seen = match outcome {
            Outcome::Done(Ok(answer)) => Seen::Answer(answer),
            Outcome::Done(Err(error)) => Seen::Error(error),
            Outcome::Panicked(panic) => Seen::Panicked(panic),
            Outcome::Cancelled(_) => Seen::Cancelled,
        };
        match seen {
            Seen::Answer(_) => {}
            Seen::Error(_) => errors += 1,
            Seen::Panicked(_) => panicked += 1,
            Seen::Cancelled => unrun += 1,
        }
        let answer = seen.answer();
        tally.add(id, seen);
        answer
    });
    let wall = clock.elapsed();
    drop(guard);
    drop(pool);
    let strip = live.map(Live::end).unwrap_or_default();

    let lanes = board.lanes()?;
    let fed = fed.context(contender.name)?;
    tally.refused(fed.refused);
    unrun += fed.refused;
    if !interrupt.is_pressed() {
        let checked = tally.check(contender.claims.stops_on_error);
        checked.with_context(|| format!("{} is wrong", contender.name))?;
    }
    let visits = fed.visits;
    Ok(Watched {
        strip,
        wall,
        workers,
        lanes,
        visits,
        errors,
        panicked,
        unrun,
    })
}

/// The one that is called so. There is one: the command line was checked.
fn contender(name: &str) -> anyhow::Result<Contender<Watch>> {
    let all = contenders::all::<Watch, _, _>();
    let found = all.into_iter().find(|contender| contender.name == name);
    found.with_context(|| format!("there is no variant {name}"))
}

/// A sentence.
fn summary(variant: &str, watched: &Watched) -> String {
    let run: u64 = watched.lanes.iter().map(|lane| lane.jobs).sum();
    let mut sentence = format!(
        "{variant}: {} in {} on {}",
        plural(run, "job"),
        time(watched.wall.as_nanos() as f64),
        plural(watched.workers.get() as u64, "worker"),
    );
    let ends = [
        (watched.errors, "answered with an error"),
        (watched.panicked, "panicked"),
        (watched.unrun, "not run"),
    ];
    for (jobs, end) in ends {
        if jobs > 0 {
            sentence += &format!(", {jobs} {end}");
        }
    }
    sentence
}

/// The sentence, and a table with a row a worker.
fn totals(variant: &str, watched: &Watched) -> String {
    let sentence = summary(variant, watched);
    let columns = [right("worker"), right("jobs"), right("busy")];
    let mut table = Table::new(columns);
    for (number, lane) in watched.lanes.iter().enumerate() {
        let number = (number + 1).to_string();
        let busy = time(lane.busy.as_nanos() as f64);
        table.row([number, lane.jobs.to_string(), busy]);
    }
    format!("\n{}\n{}", wrap(&(sentence + "."), 0), table.plain())
}

/// A sentence on the requests, and how long they took beside what they asked
/// for.
fn visited(visits: &Visits, jobs: &Times) -> String {
    let mut sentence = format!(
        "{}: {} accepted, {} refused",
        plural(visits.sent, "request"),
        visits.accepted,
        visits.refused,
    );
    if visits.late > 0 {
        sentence += &format!(", {} when there was nothing left", visits.late);
    }
    if visits.gave_up > 0 {
        sentence += &format!(
            "; {} more were not sent, for as many as may wait were waiting",
            visits.gave_up
        );
    }
    let columns = [left(""), right("half within"), right("99 % within")];
    let mut table = Table::new(columns);
    let requests: Times = visits.times.iter().copied().collect();
    for (name, times) in [("requests", &requests), ("jobs", jobs)] {
        let within =
            |percent| time(times.percentile(percent).as_nanos() as f64);
        table.row([name.to_owned(), within(50.0), within(99.0)]);
    }
    format!("\n{}\n{}", wrap(&(sentence + "."), 0), table.plain())
}
