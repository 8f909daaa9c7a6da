//! Whether one run gave every answer, and the right ones.

use std::fmt;

use manyhands_core::{JobId, Outcome, Panic};

use crate::workload::Expected;
use crate::{Answer, WorkError, WorkJob, Workload, line};

/// What came back for one job.
#[derive(Debug)]
pub enum Seen {
    /// It answered.
    Answer(Answer),
    /// It answered with an error.
    Error(WorkError),
    /// It panicked.
    Panicked(Panic),
    /// It came back unrun.
    Cancelled,
}

impl Seen {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Self::Answer(answer) => Some(*answer),
            _ => None,
        }
    }
}

impl From<Outcome<WorkJob>> for Seen {
    fn from(outcome: Outcome<WorkJob>) -> Self {
        match outcome {
            Outcome::Done(Ok(answer)) => Self::Answer(answer),
            Outcome::Done(Err(error)) => Self::Error(error),
            Outcome::Panicked(panic) => Self::Panicked(panic),
            Outcome::Cancelled(_) => Self::Cancelled,
        }
    }
}

/// Counts and compares what comes back from **one** run, on a fresh pool with
/// one submitter that submits the jobs in their order: there, a job's id is
/// its place in the workload. Made by [`Workload::tally`].
///
/// Takes one bit a job, and a comparison a completion.
///
/// ```
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_workloads::{Settings, Workload};
///
/// let settings = Settings { jobs: Some(20), ..Settings::default() };
/// let workload = Workload::parse("fail:10", &settings)?;
///
/// let mut tally = workload.tally();
/// let pool = InlinePool::new();
/// pool.run_all(workload.jobs(), |done| tally.add(done.id, done.outcome))?;
/// let checked = tally.check(false)?;
/// assert_eq!((checked.done, checked.errors), (18, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tally<'a> {
    workload: &'a Workload,
    /// One bit a job: its completion has been taken in.
    seen: Vec<u64>,
    /// Those that answered, for work that looks at what they have done.
    answered: Vec<u64>,
    sums: Checked,
    /// The first thing that was wrong.
    wrong: Option<WrongAnswer>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(workload: &'a Workload) -> Self {
        if let Some(source) = workload.source() {
            source.begin();
        }
        Self {
            answered: Vec::new(),
            workload,
            seen: vec![0; workload.len().div_ceil(64)],
            sums: Checked::default(),
            wrong: None,
        }
    }

    /// Takes in the completion of one job.
    pub fn add(&mut self, id: JobId, seen: impl Into<Seen>) {
        let (index, seen) = (id.get(), seen.into());
        let counted = self.count(index, &seen);
        // Once something was wrong, the rest is only counted.
        if self.wrong.is_none() {
            self.wrong =
                counted.and_then(|()| self.compare(index, &seen)).err();
        }
    }

    /// Takes in that so many jobs, the last ones of the workload, were never
    /// accepted.
    pub fn refused(&mut self, jobs: u64) {
        self.sums.refused += jobs;
    }

    /// Whether each job is accounted for exactly once, and each answer is
    /// the expected one.
    ///
    /// With `stops_on_error`, for pools that start no more jobs after one
    /// has answered with an error: jobs may come back unrun, or be refused,
    /// if there was such an error. Without, none may.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self, stops_on_error: bool) -> Result<Checked, WrongAnswer> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let sums = self.sums;
        let jobs = self.workload.len() as u64;
        let Some(accepted) = jobs.checked_sub(sums.refused) else {
            return Err(WrongAnswer::new(format!(
                "{} refused, but there are only {jobs}",
                line::count(sums.refused, "job was", "jobs were"),
            )));
        };
        let mut lost = (0..accepted).filter(|&index| !self.has_seen(index));
        if let Some(first) = lost.next() {
            return Err(WrongAnswer::new(format!(
                "{} never came back, the first is {}",
                line::count(1 + lost.count() as u64, "job", "jobs"),
                self.workload.describe(first),
            )));
        }
        if let Some(both) = (accepted..jobs).find(|&i| self.has_seen(i)) {
            return Err(WrongAnswer::new(format!(
                "{} came back, but only {accepted} were accepted",
                self.workload.describe(both),
            )));
        }
        let unrun = sums.cancelled + sums.refused;
        if unrun > 0 && !(stops_on_error && sums.errors > 0) {
            return Err(WrongAnswer::new(format!(
                "{} not run, though nothing had stopped the pool",
                line::count(unrun, "job was", "jobs were"),
            )));
        }
        if let Some(source) = self.workload.source() {
            source.end(&self.answered)?;
        }
        Ok(sums)
    }

    /// Marks a job as seen and adds it to the sums.
    fn count(&mut self, index: u64, seen: &Seen) -> Result<(), WrongAnswer> {
        if index >= self.workload.len() as u64 {
            return Err(WrongAnswer::new(format!(
                "job {index} came back, but there are only {} jobs",
                self.workload.len(),
            )));
        }
        if self.has_seen(index) {
            return Err(WrongAnswer::new(format!(
                "{} came back twice",
                self.workload.describe(index),
            )));
        }
        let (word, bit) = place(index);
        self.seen[word] |= bit;
        match seen {
            Seen::Answer(answer) => {
                if self.workload.source().is_some() {
                    self.answered.push(index);
                }
                self.sums.done += 1;
                self.sums.bytes += answer.bytes;
            }
            Seen::Error(_) => self.sums.errors += 1,
            Seen::Panicked(_) => self.sums.panicked += 1,
            Seen::Cancelled => self.sums.cancelled += 1,
        }
        Ok(())
    }

    /// Holds what came back against what is expected.
    fn compare(&self, index: u64, seen: &Seen) -> Result<(), WrongAnswer> {
        let expected = self.workload.expected(index);
        match (&expected, seen) {
            (_, Seen::Cancelled) => return Ok(()),
            (Expected::Answer(right), Seen::Answer(given)) => {
                if given == right {
                    return Ok(());
                }
                if self.workload.reads_files() {
                    return Err(WrongAnswer::new(format!(
                        "{} differs from the first read: \
                         {right} then, {given} now",
                        self.workload.describe(index),
                    )));
                }
            }
            (Expected::Error(right), Seen::Error(given)) if given == right => {
                return Ok(());
            }
            (Expected::Panic, Seen::Panicked(_)) => return Ok(()),
            _ => {}
        }
        Err(WrongAnswer::new(format!(
            "{} {seen}, expected was {expected}",
            self.workload.describe(index),
        )))
    }

    fn has_seen(&self, index: u64) -> bool {
        let (word, bit) = place(index);
        self.seen[word] & bit != 0
    }
}

/// Where a job's bit is.
fn place(index: u64) -> (usize, u64) {
    ((index / 64) as usize, 1 << (index % 64))
}

impl fmt::Debug for Tally<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally")
            .field("workload", &self.workload.name())
            .field("sums", &self.sums)
            .field("wrong", &self.wrong)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => write!(f, "answered {answer}"),
            Self::Error(error) => {
                write!(f, "answered with an error ({error})")
            }
            Self::Panicked(panic) => {
                write!(f, "panicked ({})", line::word(panic.message()))
            }
            Self::Cancelled => f.write_str("came back unrun"),
        }
    }
}

/// The sums of a run in which everything was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Jobs that answered.
    pub done: u64,
    /// Jobs that answered with an error, as they should.
    pub errors: u64,
    /// Jobs that panicked, as they should.
    pub panicked: u64,
    /// Jobs that were accepted and came back unrun.
    pub cancelled: u64,
    /// Jobs that were never accepted.
    pub refused: u64,
    /// Bytes of input that the jobs read.
    pub bytes: u64,
}

/// What is wrong with a run: one line that names the first wrong job, what
/// was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAnswer(String);

impl WrongAnswer {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

impl fmt::Display for WrongAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongAnswer {}
