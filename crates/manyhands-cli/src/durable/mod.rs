//! What it costs that jobs outlive their process: one queue, its jobs in
//! memory, in a file of SQLite, in a PostgreSQL server. Measured as the
//! variants are, by manyhands-measure.

mod job;
mod place;
mod scratch;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use manyhands_measure::record::{Entrant, Runs};
use manyhands_measure::{
    Budget, Contender as Measurable, Control, Machine, Next, Plan,
};

pub(crate) use self::place::Place;
use self::place::Timed;
use self::scratch::Scratch;
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// What a record of it belongs to; see [`Runs::group`].
pub(crate) const GROUP: &str = "durable";

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Durable {
    /// One a part, in their order.
    pub(crate) parts: Vec<Runs>,
    /// What a place does before it says yes; none where it was not asked.
    pub(crate) kept: Vec<Kept>,
    /// Places without a figure, and why they have none.
    pub(crate) skipped: Vec<Skipped>,
}

/// How a place keeps jobs, without which its figures say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) place: String,
    pub(crate) how: String,
}

/// A place that was not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) place: String,
    pub(crate) why: String,
}

/// What is timed of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `submit`, a job after the other.
    Submit,
    /// `submit_all`, all of them at once.
    SubmitAll,
    /// From `start` until all that was there has run, and that is written.
    Run,
}

impl Part {
    pub(crate) const ALL: [Self; 3] =
        [Self::Submit, Self::SubmitAll, Self::Run];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::SubmitAll => "submit-all",
            Self::Run => "run",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// How many jobs a run has: so many that the slowest place takes tenths
    /// of a second, where each job waits for a disk.
    fn jobs(self) -> usize {
        match self {
            Self::Submit => 100,
            Self::SubmitAll | Self::Run => job::MOST,
        }
    }
}

/// How many workers if nothing is said.
pub(crate) const WORKERS: usize = 8;

/// How the measuring is bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) workers: usize,
    pub(crate) processes: usize,
    pub(crate) rounds: usize,
    /// Of all parts together.
    pub(crate) time: Duration,
    pub(crate) seed: u64,
}

/// The option by which a process that measures is told what.
pub(crate) const OPTION: &str = "--durable-part";

/// The variables by which it is told where. A password on a command line is
/// seen by everybody on the machine, in a variable by nobody else.
const FOLDER: &str = "MANYHANDS_COMPARE_FOLDER";
const SERVER: &str = "MANYHANDS_COMPARE_SERVER";

/// Measures all parts. `None` if Ctrl-C was pressed.
///
/// # Errors
///
/// A job that did not run, or a store that failed while it was measured; one
/// that is not there is skipped.
pub(crate) fn measure(
    extent: &Extent,
    server: Result<String, String>,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Durable>> {
    let folder = tempfile::Builder::new().prefix("manyhands-").tempdir();
    let folder = folder.context("cannot make a temporary folder")?;
    let mut skipped = Vec::new();
    let mut skip = |place: Place, why: String| {
        let place = place.name().to_owned();
        skipped.push(Skipped { place, why });
    };
    if !cfg!(feature = "sqlite") {
        skip(Place::Sqlite, "this program was built without it".into());
    }
    // A server that does not answer is not waited for when Ctrl-C is pressed.
    let made = match server {
        Err(why) => Err(why),
        Ok(url) => match interrupt.or(move || Scratch::make(&url)) {
            None => return Ok(None),
            Some(made) => made,
        },
    };
    let scratch = match made {
        Ok(scratch) => Some(scratch),
        Err(why) => {
            skip(Place::Postgres, why);
            None
        }
    };
    let control = Control::new();
    let to_stop = control.clone();
    let _guard = interrupt.on_press(move || to_stop.stop());
    let mut kept = Vec::new();
    let mut keeps = |place: Place, how: String| {
        let place = place.name().to_owned();
        kept.push(Kept { place, how });
    };
    if cfg!(feature = "sqlite") {
        // So manyhands-durable opens every file.
        let mut how = "a write-ahead log, synchronous=FULL".to_owned();
        if let Some(kind) = file_system(folder.path()) {
            how += &format!(", on {kind}");
        }
        keeps(Place::Sqlite, how);
    }
    if let Some(scratch) = &scratch {
        keeps(Place::Postgres, scratch.how().to_owned());
    }
    let mut parts = Vec::new();
    for part in Part::ALL {
        let scratch = scratch.as_ref();
        let at = Where { folder: folder.path(), scratch };
        let runs = measure_part(extent, part, &at, &control)?;
        let Some(runs) = runs else { return Ok(None) };
        parts.push(runs);
    }
    Ok(Some(Durable { parts, kept, skipped }))
}

/// Of what kind the file system of a folder is, where the system tells. One in
/// memory keeps nothing.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    // Of those at one place the last is seen.
    let (_, kind) = mounts
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.len())?;
    Some(kind.to_owned())
}

struct Where<'a> {
    folder: &'a Path,
    scratch: Option<&'a Scratch>,
}

fn measure_part(
    extent: &Extent,
    part: Part,
    at: &Where<'_>,
    control: &Control,
) -> anyhow::Result<Option<Runs>> {
    const STEPS: u64 = 1000;
    let time = extent.time / Part::ALL.len() as u32;
    let plan = Plan {
        processes: extent.processes,
        budget: Budget { rounds: extent.rounds, time: Some(time) },
        seed: extent.seed,
    };
    let progress = Progress::new(STEPS, "");
    let mut show = |next: &Next<'_>| {
        let step = (next.part * STEPS as f64) as u64;
        let who = next.who.unwrap_or("starting");
        progress.next(step, format!("durable {}: {who}", part.name()));
    };
    let mut myself = || {
        let mut command = manyhands_measure::myself()?;
        command.args([OPTION, part.name()]);
        command.env(FOLDER, at.folder);
        match at.scratch {
            Some(scratch) => command.env(SERVER, scratch.url()),
            None => command.env_remove(SERVER),
        };
        Ok(command)
    };
    let measured =
        manyhands_measure::measure(&plan, &mut myself, control, &mut show);
    let measured = measured?;
    if measured.is_interrupted {
        return Ok(None);
    }
    let jobs = part.jobs() as u64;
    let entrants = measured.names.into_iter();
    Ok(Some(Runs {
        partial: false,
        group: GROUP.to_owned(),
        work: part.name().to_owned(),
        jobs,
        workers: extent.workers as u64,
        queue: 0,
        seed: plan.seed,
        machine: Machine::look(),
        entrants: entrants.map(|it| Entrant::whole(it, jobs)).collect(),
        rounds: measured.rounds,
    }))
}

/// In a process that measures: makes the runs that the parent asks for.
pub(crate) fn serve(part: Part, workers: usize) -> anyhow::Result<()> {
    let folder = std::env::var_os(FOLDER).context("there is no folder")?;
    let server = std::env::var(SERVER).ok();
    let folder = Path::new(&folder);
    let mut places = vec![Place::InProcess];
    if cfg!(feature = "sqlite") {
        places.push(Place::Sqlite);
    }
    if server.is_some() {
        places.push(Place::Postgres);
    }
    let timed = places.into_iter().map(|place| {
        let server = server.as_deref().unwrap_or_default();
        Timed { place, part, workers, folder, server, runs: 0 }
    });
    let mut timed: Vec<Timed<'_>> = timed.collect();
    let timed = timed.iter_mut().map(|it| it as &mut dyn Measurable);
    Ok(manyhands_measure::serve(part.name(), &mut timed.collect::<Vec<_>>())?)
}
