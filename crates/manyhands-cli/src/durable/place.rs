//! A queue as manyhands-measure knows it: where its jobs are, and what of it
//! is timed.

use std::path::Path;
use std::time::Duration;

use manyhands_durable::{Error, Filter, JobQueue, Submission};
use manyhands_measure::{Contender as Measurable, Ran, Stopwatch, Wrong};

use super::Part;
use super::job::{self, Mark};

/// Where jobs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The baseline.
    InProcess,
    Sqlite,
    Postgres,
}

impl Place {
    /// As the method of the queue is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InProcess => "in-process",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What makes runs.
pub(super) struct Timed<'a> {
    pub(super) place: Place,
    pub(super) part: Part,
    pub(super) workers: usize,
    /// Where files may be.
    pub(super) folder: &'a Path,
    /// A database of its own.
    pub(super) server: &'a str,
    /// How many there were.
    pub(super) runs: usize,
}

/// Longer than any run takes.
const WATCHDOG: Duration = Duration::from_secs(60);

impl Measurable for Timed<'_> {
    fn name(&self) -> &str {
        self.place.name()
    }

    /// A queue without a job each time; all jobs run, timed or not.
    fn run(&mut self) -> Result<Ran, Wrong> {
        let place = self.place.name();
        let wrong = |error: &dyn std::fmt::Display| {
            Wrong(format!("durable {}: {place}: {error}", self.part.name()))
        };
        self.runs += 1;
        let file = format!("{}-{}.db", std::process::id(), self.runs);
        let file = self.folder.join(file);
        let queue = self.open(&file).map_err(|error| wrong(&error))?;
        let count = self.part.jobs();
        let jobs = job::jobs(count);
        let submitting = Stopwatch::start();
        match self.part {
            Part::Submit => {
                for job in jobs {
                    queue.submit(job).map_err(|error| wrong(&error))?;
                }
            }
            Part::SubmitAll | Part::Run => {
                let jobs = jobs.map(|job| (job, Submission::new()));
                queue.submit_all(jobs).map_err(|error| wrong(&error))?;
            }
        }
        let submitted = submitting.stop();
        let running = Stopwatch::start();
        queue.start().map_err(|error| wrong(&error))?;
        let left = job::wait(WATCHDOG);
        // When it returns, what became of them is written.
        queue.stop();
        let ran = running.stop();
        let counts = queue.counts().map_err(|error| wrong(&error))?;
        if left > 0 || counts.done != count as u64 {
            return Err(wrong(&format_args!(
                "{left} of {count} jobs did not run, and {} are done",
                counts.done
            )));
        }
        queue.purge(Filter::new()).map_err(|error| wrong(&error))?;
        drop(queue);
        self.remove(&file);
        let spent = match self.part {
            Part::Submit | Part::SubmitAll => submitted,
            Part::Run => ran,
        };
        Ok(Ran::whole(spent, count as u64))
    }
}

impl Timed<'_> {
    fn open(&self, file: &Path) -> Result<JobQueue<Mark>, Error> {
        let builder = JobQueue::builder().workers(self.workers);
        match self.place {
            #[cfg(feature = "sqlite")]
            Place::Sqlite => builder.sqlite(file),
            #[cfg(feature = "postgres")]
            Place::Postgres => builder.postgres(self.server),
            _ => {
                let _ = (file, self.server);
                builder.in_process()
            }
        }
    }

    /// With what SQLite put beside it. What stays goes with the folder.
    fn remove(&self, file: &Path) {
        for end in ["", "-wal", "-shm"] {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}
