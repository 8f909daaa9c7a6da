//! What is allowed.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

use manyhands_core::Config;

use crate::envelope::LARGEST;
use crate::store::NewJob;
use crate::{DurableJob, Error, Submission};

pub(crate) fn workers(workers: usize) -> Result<NonZeroUsize, Error> {
    let config = Config::new(workers, 0);
    let config = config.map_err(|error| Error::Invalid(error.to_string()))?;
    Ok(config.workers())
}

pub(crate) fn limit(jobs: usize) -> Result<NonZeroUsize, Error> {
    NonZeroUsize::new(jobs).ok_or_else(|| {
        Error::Invalid("limit 0: at least one job runs at once".into())
    })
}

/// A kind: letters, digits, and `-_.:`, 1 to 64 of them.
pub(crate) fn kind(kind: &str) -> Result<(), Error> {
    name("kind", kind)
}

pub(crate) fn name(what: &str, name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{what} {name:?}: it is 1 to 64 of a-z A-Z 0-9 - _ . :"
    )))
}

pub(crate) fn within(
    what: &str,
    value: Duration,
    allowed: RangeInclusive<Duration>,
) -> Result<(), Error> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let (least, most) = (allowed.start(), allowed.end());
    Err(Error::Invalid(format!(
        "{what} {value:?}: it is {least:?} to {most:?}"
    )))
}

/// Writes a job down, as it is to be stored.
pub(crate) fn new_job<J: DurableJob>(
    job: &J,
    how: Submission,
) -> Result<NewJob, Error> {
    let job = serde_json::to_string(job).map_err(|error| {
        Error::Invalid(format!("the job cannot be written: {error}"))
    })?;
    written_job(J::KIND, job, how, J::MAX_ATTEMPTS)
}

/// A job of which only its form is known.
pub(crate) fn written_job(
    kind: &str,
    job: String,
    how: Submission,
    max_attempts: u32,
) -> Result<NewJob, Error> {
    self::kind(kind)?;
    if job.len() > LARGEST {
        let bytes = job.len();
        return Err(Error::Invalid(format!(
            "a job of {bytes} bytes: at most {LARGEST} are stored; let it \
             name what it works on"
        )));
    }
    // PostgreSQL's JSON cannot hold it.
    if job.contains("\\u0000") {
        return Err(Error::Invalid("a job with a NUL character".into()));
    }
    text("key", how.key.as_deref(), 512)?;
    text("serial", how.serial.as_deref(), 256)?;
    text("trace parent", how.trace_parent.as_deref(), 256)?;
    let max_attempts = how.max_attempts.unwrap_or(max_attempts);
    if !(1..=1000).contains(&max_attempts) {
        return Err(Error::Invalid(format!(
            "{max_attempts} attempts: they are 1 to 1000"
        )));
    }
    Ok(NewJob { kind: kind.into(), job, how, max_attempts })
}

/// What is stored in one transaction.
pub(crate) fn together(jobs: &[NewJob]) -> Result<(), Error> {
    const MOST: usize = 10_000;
    const BYTES: usize = 16 << 20;
    let (count, bytes) =
        (jobs.len(), jobs.iter().map(|it| it.job.len()).sum::<usize>());
    if count > MOST {
        return Err(Error::Invalid(format!(
            "{count} jobs at once: at most {MOST} are stored together"
        )));
    }
    if bytes > BYTES {
        return Err(Error::Invalid(format!(
            "jobs of {bytes} bytes at once: at most {BYTES} are stored \
             together"
        )));
    }
    Ok(())
}

fn text(what: &str, text: Option<&str>, most: usize) -> Result<(), Error> {
    let Some(text) = text else { return Ok(()) };
    if text.contains('\0') {
        return Err(Error::Invalid(format!("a {what} with a NUL character")));
    }
    if !(1..=most).contains(&text.len()) {
        let bytes = text.len();
        return Err(Error::Invalid(format!(
            "a {what} of {bytes} bytes: it is 1 to {most}"
        )));
    }
    Ok(())
}
