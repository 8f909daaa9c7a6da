//! A list of jobs, each with the answer that it must give.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use manyhands_core::{Job, JobId, Outcome, WorkerPool, WorkerPoolExt};

use crate::arithmetic::{log_normal, rounds};
use crate::files::{self, Files};
use crate::job::{self, Task};
use crate::real::{CappedDb, Mandelbrot, Queens, Source, Thumbs};
#[cfg(feature = "web")]
use crate::real::{Links, Signup};
use crate::spec::{self, Form};
#[cfg(feature = "web")]
use crate::web;
use crate::{
    Answer, Fed, FileError, FileReport, Tally, WorkError, WorkJob,
    WorkloadError, line,
};

/// What a workload needs to know beside its name.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many jobs, 1 to [`MAX_JOBS`](Self::MAX_JOBS). `None` leaves it to
    /// the workload: for `files`, a job a file. Fewer jobs than files read
    /// the first ones in order of path; with more, the first file comes again
    /// after the last.
    pub jobs: Option<usize>,
    /// The directory whose files `files` reads, and whose pictures `thumbs`
    /// does. `None` is the current one for the former, and for the latter
    /// pictures that are drawn.
    pub input: Option<PathBuf>,
    /// From which `skew` and `thumbs` draw the sizes of their jobs, and
    /// `links` what each page does.
    pub seed: u64,
}

impl Settings {
    /// The most jobs a workload may be asked for. Ten million of the
    /// shortest take seconds, and the expected answers 160 MB.
    pub const MAX_JOBS: usize = 10_000_000;
}

/// As many jobs as the workload thinks right, no input of the user's, and a
/// fixed seed.
impl Default for Settings {
    fn default() -> Self {
        Self { jobs: None, input: None, seed: 1 }
    }
}

/// A list of jobs, each with the answer that it must give.
///
/// ```
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_workloads::{Settings, Workload};
///
/// let settings = Settings { jobs: Some(100), ..Settings::default() };
/// let workload = Workload::parse("spin:10us", &settings)?;
/// assert_eq!(workload.summary(), "100 jobs of 10us arithmetic");
///
/// let mut tally = workload.tally();
/// let pool = InlinePool::new();
/// pool.run_all(workload.jobs(), |done| tally.add(done.id, done.outcome))?;
/// assert_eq!(tally.check(false)?.done, 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Workload {
    name: String,
    form: Form,
    plan: Plan,
    len: usize,
    /// What the jobs answered when they were run one after the other; stays
    /// empty where the answers are known without.
    reference: OnceLock<Reference>,
}

/// How to make any one of the jobs.
#[derive(Clone)]
enum Plan {
    /// They all do the same, if each to its own number.
    Each(Task),
    /// Every n-th does this, the others nothing.
    EveryNth { n: u64, task: Task },
    /// Each draws its own size.
    Skewed { mean: Duration, seed: u64 },
}

impl Plan {
    fn real(source: impl Source + 'static) -> Self {
        Self::Each(Task::Real(Arc::new(source)))
    }

    fn task(&self, index: u64) -> Task {
        match self {
            Self::Each(task) => task.clone(),
            Self::EveryNth { n, task } if (index + 1) % n == 0 => task.clone(),
            Self::EveryNth { .. } => Task::Rest,
            &Self::Skewed { mean, seed } => {
                Task::Spin(rounds(log_normal(mean, seed, index)))
            }
        }
    }
}

/// The answers of a sequential run.
struct Reference {
    answers: Vec<Answer>,
    /// The bytes of all of them together.
    bytes: u64,
    /// The files that could not be read, and why.
    unread: Vec<(u64, FileError)>,
}

/// What must come back for one job.
pub(crate) enum Expected {
    Answer(Answer),
    Error(WorkError),
    Panic,
}

impl Workload {
    /// Makes a workload from its name and parameter: `files`, `noop`,
    /// `sleep:1ms`, `spin:10us`, `skew:50us`, `mandelbrot:768`, `queens:12`,
    /// `fail:10`, `panic:10`. Without the parameter, these are what it is.
    ///
    /// `files` lists the input directory here. `spin` and `skew` measure here
    /// how fast the machine is, once a process, which takes 20 ms.
    ///
    /// # Errors
    ///
    /// One line: an unknown name, with the one that may have been meant; a
    /// parameter or number of jobs outside of what is allowed; an input
    /// directory that cannot be read or holds no file.
    pub fn parse(
        spec: &str,
        settings: &Settings,
    ) -> Result<Self, WorkloadError> {
        let form = Form::parse(spec)?;
        let jobs = spec::check_jobs(settings.jobs)?;
        let mut len = form.default_jobs();
        let plan = match form {
            Form::Files => {
                let here = Path::new(".");
                let root = settings.input.as_deref().unwrap_or(here);
                let files = Files::list(root)?;
                len = files.len();
                Plan::Each(Task::Read(Arc::new(files)))
            }
            Form::Noop => Plan::Each(Task::Rest),
            Form::Sleep(time) => Plan::Each(Task::Sleep(time)),
            Form::Block(time) => Plan::Each(Task::Block(time)),
            Form::Spin(time) => Plan::Each(Task::Spin(rounds(time))),
            Form::Skew(mean) => Plan::Skewed { mean, seed: settings.seed },
            Form::Fail(n) => Plan::EveryNth { n, task: Task::Fail(n) },
            Form::Panic(n) => Plan::EveryNth { n, task: Task::Panic(n) },
            Form::Thumbs => Plan::real(Thumbs::new(
                settings.input.as_deref(),
                settings.seed,
            )?),
            Form::CappedDb(rate) => Plan::real(CappedDb::new(rate)?),
            #[cfg(feature = "web")]
            Form::Links => Plan::real(Links::new(settings.seed)?),
            Form::Mandelbrot(width) => Plan::real(Mandelbrot::new(width)),
            #[cfg(feature = "web")]
            Form::Server(_) => Plan::Each(Task::Spin(rounds(Form::REQUEST))),
            #[cfg(feature = "web")]
            Form::Signup => Plan::real(Signup::new()?),
            Form::Queens(size) => Plan::real(Queens::new(size)),
        };
        if let Plan::Each(Task::Real(source)) = &plan {
            len = source.len();
        }
        let (name, reference) = (form.to_string(), OnceLock::new());
        Ok(Self { name, form, plan, len: jobs.unwrap_or(len), reference })
    }

    /// The name with its parameter, in one fixed spelling: `sleep:1ms`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One phrase about it: `200 jobs of 1ms sleep`, or `312 files, 4.1 MB
    /// under src`. How much and how many of the files could be read is known
    /// once it is [prepared](Self::prepare).
    pub fn summary(&self) -> String {
        if let Some(source) = self.source() {
            return source.summary(self.len);
        }
        let jobs = line::count(self.len as u64, "job", "jobs");
        let Some(files) = self.files() else {
            return format!("{jobs} of {}", self.form.phrase());
        };
        let mut summary = line::count(self.inputs(), "file", "files");
        if self.len as u64 > self.inputs() {
            summary = format!("{jobs} reading {summary}");
        }
        if let Some(reference) = self.reference.get() {
            summary += ", ";
            summary += &line::bytes(reference.bytes);
        }
        summary += " under ";
        summary += &line::path(files.root());
        match self.reference.get().map_or(0, |known| known.unread.len()) {
            0 => summary,
            unread => format!("{summary}, {unread} of them not readable"),
        }
    }

    /// How many jobs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many of its jobs may run at once, if there is a limit to it: more
    /// are refused by what they ask, and answer with an error.
    pub fn most_workers(&self) -> Option<usize> {
        self.source()?.most_workers()
    }

    /// True if its jobs come as requests to a service in front of the pool.
    pub fn has_visits(&self) -> bool {
        #[cfg(feature = "web")]
        return self.form.arrival().is_some();
        #[cfg(not(feature = "web"))]
        false
    }

    /// Never true: a workload has at least one job.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The jobs: each time the same ones, in the same order.
    pub fn jobs(&self) -> impl Iterator<Item = WorkJob> + Send + use<> {
        let plan = self.plan.clone();
        (0..self.len as u64)
            .map(move |index| WorkJob::new(index, plan.task(index)))
    }

    /// Runs it on a fresh pool, in the way its jobs come: most lie there to be
    /// done, and the pool is fed as fast as it takes them; others come as
    /// requests to a service in front of it, and the pool is closed when the
    /// last was accepted.
    ///
    /// `jobs` are [those of the workload](Self::jobs), in some wrapping or in
    /// none, and `workers` are those that the pool was asked to have. `sink`
    /// gets what became of each, and says the answer if there is one: it goes
    /// to the caller who waits for it.
    ///
    /// # Errors
    ///
    /// One line: a service that cannot be served on the loopback interface;
    /// callers and service that do not tell the same story.
    pub fn run_on<J: Job + 'static>(
        &self,
        pool: &Arc<dyn WorkerPool<J>>,
        workers: NonZeroUsize,
        jobs: impl Iterator<Item = J> + Send + 'static,
        mut sink: impl FnMut(JobId, Outcome<J>) -> Option<Answer>,
    ) -> Result<Fed, WorkloadError> {
        #[cfg(feature = "web")]
        if let Some(arrival) = self.form.arrival() {
            let visits = web::serve(arrival, pool, workers, jobs, sink)?;
            let refused = self.len as u64 - visits.accepted;
            return Ok(Fed { refused, visits: Some(visits) });
        }
        // Only callers need to know.
        #[cfg(not(feature = "web"))]
        let _ = workers;
        let fed = pool.run_all(jobs, |done| {
            sink(done.id, done.outcome);
        });
        let accepted = fed.unwrap_or_else(|refused| refused.accepted);
        Ok(Fed { refused: self.len as u64 - accepted, visits: None })
    }

    /// Runs the jobs once on this thread, one after the other, and keeps
    /// their answers as the expected ones. For `files`, this also has the
    /// system read the files into memory, so that the first run measured is
    /// not the only one that waits for the disk.
    ///
    /// Does nothing where the answers are known without running, or if it
    /// has been done. The first [`tally`](Self::tally) does it if nobody did.
    pub fn prepare(&self) {
        self.prepare_while(|_| true);
    }

    /// [`prepare`](Self::prepare) that can be watched and stopped: before
    /// each job, `go_on` is called with the number of jobs done so far.
    ///
    /// Returns false, with nothing kept, if `go_on` did.
    pub fn prepare_while(&self, mut go_on: impl FnMut(usize) -> bool) -> bool {
        if !self.needs_reference() || self.reference.get().is_some() {
            return true;
        }
        let mut answers = Vec::with_capacity(self.len);
        let mut unread = Vec::new();
        for index in 0..self.len as u64 {
            if !go_on(answers.len()) {
                return false;
            }
            answers.push(match self.task(index) {
                Task::Read(files) => {
                    let report = files.report(index);
                    let once = report.err().filter(|_| index < self.inputs());
                    unread.extend(once.map(|error| (index, error)));
                    files::answer(index, &report)
                }
                Task::Spin(rounds) => job::spin_answer(index, rounds),
                Task::Real(source) => source.expected(index),
                _ => job::plain_answer(index),
            });
        }
        let bytes = answers.iter().map(|answer| answer.bytes).sum();
        // If another thread was faster, its answers are as good.
        let _ = self.reference.set(Reference { answers, bytes, unread });
        true
    }

    /// What could not be read, one line each: the path, and why. In order of
    /// path; [prepares](Self::prepare) first.
    ///
    /// Such files are no failure of the run: that they cannot be read is the
    /// answer that every pool must give.
    pub fn unread(&self) -> impl Iterator<Item = String> + use<'_> {
        let files = self.files();
        let unread = files.and_then(|_| self.reference()).map(|it| &it.unread);
        unread.into_iter().flatten().filter_map(move |&(index, error)| {
            Some(format!("{}: {error}", line::path(files?.path(index))))
        })
    }

    /// Reads each file once more and yields what it holds, in order of path.
    /// Yields nothing for workloads that have no files.
    pub fn reports(
        &self,
    ) -> impl Iterator<Item = (&Path, Result<FileReport, FileError>)> {
        let files = self.files();
        (0..self.inputs()).map_while(move |index| {
            Some((files?.path(index), files?.report(index)))
        })
    }

    /// An empty tally for one run. [Prepares](Self::prepare) first.
    pub fn tally(&self) -> Tally<'_> {
        self.prepare();
        Tally::new(self)
    }

    /// The job with that number, for a message.
    pub(crate) fn describe(&self, index: u64) -> String {
        match (self.files(), self.source()) {
            (Some(files), _) => {
                format!("{} (job {index})", line::path(files.path(index)))
            }
            (_, Some(source)) => source.describe(index),
            (None, None) => format!("job {index}"),
        }
    }

    /// What must come back for a job.
    pub(crate) fn expected(&self, index: u64) -> Expected {
        if let Some(reference) = self.reference() {
            return Expected::Answer(reference.answers[index as usize]);
        }
        match self.task(index) {
            Task::Fail(n) => Expected::Error(WorkError::asked(index, n)),
            Task::Panic(_) => Expected::Panic,
            _ => Expected::Answer(job::plain_answer(index)),
        }
    }

    /// True if the jobs read files, which may change.
    pub(crate) fn reads_files(&self) -> bool {
        self.files().is_some()
    }

    pub(crate) fn source(&self) -> Option<&dyn Source> {
        match &self.plan {
            Plan::Each(Task::Real(source)) => Some(&**source),
            _ => None,
        }
    }

    fn files(&self) -> Option<&Files> {
        match &self.plan {
            Plan::Each(Task::Read(files)) => Some(files),
            _ => None,
        }
    }

    /// How many files the jobs read, each counted once.
    fn inputs(&self) -> u64 {
        self.files().map_or(0, |files| files.len().min(self.len)) as u64
    }

    fn task(&self, index: u64) -> Task {
        self.plan.task(index)
    }

    /// True if only a run can tell what the jobs must answer.
    fn needs_reference(&self) -> bool {
        match &self.plan {
            Plan::Each(Task::Spin(_) | Task::Read(_) | Task::Real(_)) => true,
            Plan::Skewed { .. } => true,
            Plan::Each(_) | Plan::EveryNth { .. } => false,
        }
    }

    /// The answers of the reference run, where there has to be one.
    fn reference(&self) -> Option<&Reference> {
        self.prepare();
        self.reference.get()
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => write!(f, "the answer {answer}"),
            Self::Error(error) => write!(f, "the error ({error})"),
            Self::Panic => f.write_str("a panic"),
        }
    }
}
