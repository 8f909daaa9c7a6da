//! `manyhands run`: one variant at work, to be watched.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use manyhands::{Config, Outcome, SubmitAllError, WorkerPool, WorkerPoolExt};
use manyhands_workloads::{Seen, Workload};

use super::End;
use crate::args::name;
use crate::contenders::{self, Contender};
use crate::interrupt::Interrupt;
use crate::lanes::{Board, Lane, Traced};
use crate::output::{plural, print, say, time, wrap};
use crate::table::{Table, right};
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
    let mut settings = work.settings(&spec)?;
    if work.work.is_none() {
        settings.jobs = settings.jobs.or(Some(JOBS));
    }
    let Some(workload) = work::prepare(spec, settings, interrupt)? else {
        say("interrupted: nothing was run yet");
        return Ok(End::Interrupted);
    };
    let config = Config::new(
        work.workers.unwrap_or(WORKERS),
        work.queue.unwrap_or(Config::DEFAULT_QUEUE),
    )?;
    let contender = contender(args.variant)?;
    let lines = args.lines || workload.len() <= MOST_WATCHED;
    if !lines {
        say(format!(
            "{} are too many to watch: only the totals are printed; --lines \
             prints each start and end",
            plural(workload.len() as u64, "job"),
        ));
    }

    let watched = watch(&contender, config, &workload, lines, interrupt)?;
    print(totals(args.variant, &watched))?;
    work::unread_of(&workload).into_iter().for_each(say);
    if !interrupt.is_pressed() {
        return Ok(End::Fine);
    }
    if watched.unrun > 0 {
        say("interrupted: this is partial");
    }
    Ok(End::Interrupted)
}

/// What was seen of a run.
#[derive(Debug)]
struct Watched {
    wall: Duration,
    workers: NonZeroUsize,
    lanes: Vec<Lane>,
    /// Jobs that answered with an error.
    errors: u64,
    panicked: u64,
    /// Jobs that came back unrun, or were never accepted.
    unrun: u64,
}

/// Runs the jobs, and checks their answers unless it is interrupted.
fn watch(
    contender: &Contender<Traced>,
    config: Config,
    workload: &Workload,
    lines: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<Watched> {
    let pool: Arc<dyn WorkerPool<Traced>> = contender.make(config)?.into();
    let workers = pool.workers();
    let to_cancel = Arc::clone(&pool);
    let guard = interrupt.on_press(move || to_cancel.cancel());
    let board = Board::new(workers.get(), lines, interrupt);
    let jobs = (1..).zip(workload.jobs()).map(|(number, job)| {
        let board = Arc::clone(&board);
        Traced { job, number, board }
    });
    let mut tally = workload.tally();
    let [mut errors, mut panicked, mut unrun] = [0; 3];
    let clock = Instant::now();
    let fed = pool.run_all(jobs, |completion| {
        let seen = match completion.outcome {
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
        tally.add(completion.id, seen);
    });
    let wall = clock.elapsed();
    drop(guard);
    drop(pool);

    let lanes = board.lanes()?;
    if let Err(SubmitAllError { accepted, .. }) = fed {
        let refused = workload.len() as u64 - accepted;
        tally.refused(refused);
        unrun += refused;
    }
    if !interrupt.is_pressed() {
        let checked = tally.check(contender.claims.stops_on_error);
        checked.with_context(|| format!("{} is wrong", contender.name))?;
    }
    Ok(Watched { wall, workers, lanes, errors, panicked, unrun })
}

/// The one that is called so. There is one: the command line was checked.
fn contender(name: &str) -> anyhow::Result<Contender<Traced>> {
    let all = contenders::all::<Traced, _, _>();
    let found = all.into_iter().find(|contender| contender.name == name);
    found.with_context(|| format!("there is no variant {name}"))
}

/// A sentence, and a table with a row a worker.
fn totals(variant: &str, watched: &Watched) -> String {
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
    let columns = [right("worker"), right("jobs"), right("busy")];
    let mut table = Table::new(columns);
    for (number, lane) in watched.lanes.iter().enumerate() {
        let number = (number + 1).to_string();
        let busy = time(lane.busy.as_nanos() as f64);
        table.row([number, lane.jobs.to_string(), busy]);
    }
    format!("\n{}\n{}", wrap(&(sentence + "."), 0), table.plain())
}
