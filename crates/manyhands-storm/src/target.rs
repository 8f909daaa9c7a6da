//! The queue that a storm is about.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum as _;
use manyhands_durable::{
    Admin, Backoff, Builder, Counts, DurableJob, Error, Filter, JobId,
    JobQueue, Status, Submission,
};

use crate::broken::{Broken, Flaw};
use crate::job::{Form, KIND, StormJob};
use crate::oracle::Kept;

/// After how long a worker that gives no sign has lost its jobs.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// How long a job waits whose wake-up was lost.
pub(crate) const POLL: Duration = Duration::from_millis(250);

/// Which queue, and where.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(String),
    Broken(Flaw, PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(url),
            Self::Broken(flaw, path) => {
                let name = flaw.to_possible_value();
                let name = name.as_ref().map_or("none", |it| it.get_name());
                write!(f, "broken:{name}:{}", path.display())
            }
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("postgres://") {
            return Ok(Self::Postgres(text.into()));
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.into()));
        }
        let broken = text.strip_prefix("broken:");
        let (flaw, path) = broken
            .and_then(|it| it.split_once(':'))
            .with_context(|| format!("no target: {text}"))?;
        let flaw = Flaw::from_str(flaw, true).map_err(|it| anyhow!(it))?;
        Ok(Self::Broken(flaw, path.into()))
    }
}

impl Target {
    /// The file of it, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) | Self::Broken(_, path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// A queue of `J` in it, of which `how` says more.
    pub(crate) fn queue<J: DurableJob>(
        &self,
        how: impl Fn(Builder<J>) -> Builder<J>,
    ) -> Result<JobQueue<J>, Error> {
        let builder = JobQueue::builder()
            .lease(LEASE)
            .poll(POLL)
            .backoff(Backoff::exponential(
                Duration::from_millis(100),
                Duration::from_secs(1),
            ))
            .retention(Duration::from_secs(24 * 3600));
        match self {
            Self::Sqlite(path) => how(builder).sqlite(path),
            Self::Postgres(url) => how(builder).postgres(url),
            Self::Broken(..) => Err(Error::Invalid("it is broken".into())),
        }
    }

    /// All that is kept of the storm's jobs.
    pub(crate) fn list(&self) -> Result<Vec<Kept>> {
        if let Self::Broken(flaw, path) = self {
            return Broken::open(path, *flaw)?.list();
        }
        let admin = Admin::open(&self.to_string())?;
        let all = admin.list(&Filter::new().kind(KIND))?;
        Ok(all.into_iter().map(kept).collect())
    }

    /// What is kept of some.
    pub(crate) fn find(&self, ids: &[i64]) -> Result<Vec<Kept>> {
        if let Self::Broken(..) = self {
            let mut all = self.list()?;
            all.retain(|it| ids.contains(&it.id));
            return Ok(all);
        }
        let ids = ids.iter().map(|id| JobId::new(*id));
        let some = Filter::new().kind(KIND).ids(ids);
        let some = Admin::open(&self.to_string())?.list(&some)?;
        Ok(some.into_iter().map(kept).collect())
    }

    /// How many jobs are where.
    pub(crate) fn counts(&self) -> Result<Counts> {
        let all = Admin::open(&self.to_string())?.counts()?;
        let mine = all.into_iter().find(|counts| counts.kind == KIND);
        Ok(mine.unwrap_or_default())
    }

    /// How many are neither done nor dead.
    pub(crate) fn unfinished(&self) -> Result<u64> {
        if let Self::Broken(..) = self {
            let all = self.list()?;
            return Ok(all.iter().filter(|it| !it.is_over()).count() as u64);
        }
        Ok(self.counts()?.unfinished())
    }
}

fn kept(status: Status) -> Kept {
    Kept {
        id: status.id.get(),
        key: status.key,
        state: status.state.name().into(),
        attempts: status.attempts,
        max_attempts: status.max_attempts,
        last_error: status.last_error,
        output: status.output,
    }
}

/// Whoever submits jobs.
pub(crate) enum Sender<J: DurableJob> {
    Real(Box<JobQueue<J>>),
    Broken(Broken),
}

/// A job, and its serial word.
pub(crate) type Item = (StormJob, Option<String>);

impl<J: Form> Sender<J> {
    /// Waits for a store that is not there yet.
    pub(crate) fn open(target: &Target) -> Result<Self> {
        if let Target::Broken(flaw, path) = target {
            return Ok(Self::Broken(Broken::open(path, *flaw)?));
        }
        Ok(Self::Real(Box::new(patiently(|| target.queue(|it| it))?)))
    }

    /// All of the items, or none.
    pub(crate) fn submit(&self, items: &[Item]) -> Result<Vec<i64>, Error> {
        match self {
            Self::Real(queue) => {
                let mut all = items.iter().map(|(job, serial)| {
                    (J::of(job.clone()), how(job, serial.as_deref()))
                });
                if items.len() == 1
                    && let Some((job, how)) = all.next()
                {
                    let id = queue.submit_with(job, how);
                    return id
                        .map(|id| vec![id.get()])
                        .map_err(|refused| refused.error);
                }
                let ids = queue.submit_all(all)?;
                Ok(ids.into_iter().map(|id| id.get()).collect())
            }
            Self::Broken(broken) => {
                let ids = items.iter().map(|(job, serial)| {
                    broken.submit(job, serial.clone()).map_err(|error| {
                        let text = format!("{error:#}");
                        if text.starts_with("refused") {
                            Error::Invalid(text)
                        } else {
                            Error::Unknown(text)
                        }
                    })
                });
                ids.collect()
            }
        }
    }
}

/// How a job of the storm is submitted.
pub(crate) fn how(job: &StormJob, serial: Option<&str>) -> Submission {
    let how = Submission::new()
        .key(job.key.clone())
        .max_attempts(job.max_attempts());
    match serial {
        Some(serial) => how.serial(serial),
        None => how,
    }
}

/// Asks again for a minute, while it is the store that is not there.
pub(crate) fn patiently<T>(
    mut ask: impl FnMut() -> Result<T, Error>,
) -> Result<T> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match ask() {
            Err(error) if error.is_transient() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            answer => return Ok(answer?),
        }
    }
}
