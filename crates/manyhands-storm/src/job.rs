//! The job of a storm: it says what it does, does it, and misbehaves as it was
//! told to.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use manyhands_durable::{Attempt, DurableJob, Failure, crash};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::ledger::{Entry, Ledger, now};
use crate::oracle::PERMANENT;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    Good,
    /// Takes so many milliseconds, and gives up when it is cancelled.
    Slow(u64),
    /// Takes so many, and hears nothing.
    Deaf(u64),
    /// Fails so many attempts, and succeeds then.
    Fails(u32),
    /// Panics each time.
    Poison,
    /// Ends its process each time.
    Killer,
    Permanent,
    /// Has a payload of some hundred kilobytes.
    Big,
}

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StormJob {
    pub(crate) key: String,
    pub(crate) what: What,
    pub(crate) pad: String,
}

/// The same job a release later: it has another field, which old ones have
/// not, and which old workers do not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewJob {
    #[serde(flatten)]
    pub(crate) job: StormJob,
    #[serde(default)]
    pub(crate) note: Option<String>,
}

/// Something else under the same kind: what the worker finds is no job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alien {
    pub(crate) body: serde_json::Value,
}

impl StormJob {
    pub(crate) fn new(key: String, what: What) -> Self {
        let pad = match what {
            What::Big => format!("{key}\u{1F32A}\"\\").repeat(20_000),
            _ => format!("{key} '; \"\\ \u{1F32A}"),
        };
        Self { key, what, pad }
    }

    /// Of all that it holds.
    pub(crate) fn checksum(&self) -> u64 {
        let what = format!("{:?}", self.what);
        // FNV-1a, with a mark between the parts.
        let parts = [&self.key, &what, &self.pad];
        let bytes = parts.iter().flat_map(|it| it.bytes().chain([0]));
        bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// How often it is tried.
    pub(crate) fn max_attempts(&self) -> u32 {
        match self.what {
            // These take their neighbours with them.
            What::Killer => 2,
            What::Poison => 3,
            // Others are to survive whatever the storm does.
            _ => 25,
        }
    }
}

/// The attempt, as whatever queue it is says.
#[derive(Debug)]
pub(crate) struct Doing<'a> {
    pub(crate) id: i64,
    pub(crate) attempt: u32,
    pub(crate) key: Option<&'a str>,
    pub(crate) token: String,
    /// What makes a second time nothing.
    pub(crate) effect: String,
}

/// Who did it: `attempt token`.
pub(crate) type Mark = String;

/// Why it was not done.
#[derive(Debug)]
pub(crate) enum Failed {
    Again(String),
    ForGood(String),
}

/// What all jobs of a process share.
#[derive(Debug)]
struct Workshop {
    ledger: Ledger,
    effects: Mutex<Connection>,
    run: String,
    next: AtomicU64,
}

static WORKSHOP: OnceLock<Workshop> = OnceLock::new();

/// Opens the ledger and the table of effects of this process.
pub(crate) fn open(folder: &Path, who: &str) -> Result<()> {
    let ledger = Ledger::new(&folder.join("ledgers"), who)?;
    let effects = open_effects(folder)?;
    // Its number may come again, but not at the same time.
    let run = format!("{}-{}", std::process::id(), now());
    let next = AtomicU64::new(0);
    let shop = Workshop { ledger, effects: Mutex::new(effects), run, next };
    WORKSHOP.set(shop).map_err(|_| anyhow!("opened twice"))
}

fn shop() -> Result<&'static Workshop> {
    WORKSHOP.get().context("not opened")
}

/// A line of this process.
pub(crate) fn say(entry: &Entry) -> Result<()> {
    shop()?.ledger.write(entry)
}

/// Lines of this process.
pub(crate) fn say_all(entries: &[Entry]) -> Result<()> {
    shop()?.ledger.write_all(entries)
}

/// A word that no other attempt has.
pub(crate) fn token() -> Result<String> {
    let shop = shop()?;
    let number = shop.next.fetch_add(1, Ordering::Relaxed);
    Ok(format!("{}-{number}", shop.run))
}

/// The table of effects: what a job does to the world, by a key that makes a
/// second time nothing.
pub(crate) fn open_effects(folder: &Path) -> Result<Connection> {
    let effects = Connection::open(folder.join("effects.db"))?;
    effects.busy_timeout(Duration::from_secs(60))?;
    // Processes die here, and no power fails.
    effects.pragma_update(None, "journal_mode", "wal")?;
    effects.pragma_update(None, "synchronous", "off")?;
    effects.execute_batch(
        "CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY)",
    )?;
    Ok(effects)
}

fn effect(key: &str) -> Result<()> {
    let effects = &shop()?.effects;
    let effects = effects.lock().unwrap_or_else(PoisonError::into_inner);
    let mut insert = effects
        .prepare_cached("INSERT OR IGNORE INTO effects (key) VALUES (?1)")?;
    insert.execute([key])?;
    Ok(())
}

/// Does `job`. It says so before and after.
pub(crate) fn perform(
    job: &StormJob,
    doing: &Doing<'_>,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Mark, Failed> {
    let again = |error: anyhow::Error| Failed::Again(format!("{error:#}"));
    let Doing { id, attempt, ref token, .. } = *doing;
    // What it was submitted with came with it, or nothing is right.
    let checksum = match doing.key {
        Some(key) if key == job.key => job.checksum(),
        _ => 0,
    };
    let start = Entry::Start {
        id,
        key: job.key.clone(),
        attempt,
        token: token.clone(),
        checksum,
        at: now(),
    };
    say(&start).map_err(again)?;
    crash::point("mid-job");
    let end = |outcome: &str| {
        let (token, outcome) = (token.clone(), outcome.to_owned());
        say(&Entry::End { id, attempt, token, outcome, at: now() })
    };
    let failed = match job.what {
        What::Slow(ms) => (!sleep(ms, is_cancelled))
            .then(|| Failed::Again("cancelled".into())),
        What::Deaf(ms) => {
            (!sleep(ms, &|| false)).then(|| Failed::Again("cancelled".into()))
        }
        What::Fails(times) => (attempt <= times)
            .then(|| Failed::Again(format!("attempt {attempt} fails"))),
        What::Permanent => {
            Some(Failed::ForGood(format!("it fails {PERMANENT}")))
        }
        What::Poison => {
            end("panics").map_err(again)?;
            panic!("poison: attempt {attempt}");
        }
        // Not as a crash point does it, so that one is told from the other.
        What::Killer => {
            let _ = nix::sys::signal::raise(nix::sys::signal::SIGKILL);
            None
        }
        What::Good | What::Big => None,
    };
    if let Some(failed) = failed {
        end("failed").map_err(again)?;
        return Err(failed);
    }
    effect(&doing.effect).map_err(again)?;
    let key = job.key.clone();
    say(&Entry::Effect { id, key, attempt }).map_err(again)?;
    crash::point("after-effect-before-ack");
    end("done").map_err(again)?;
    Ok(format!("{attempt} {token}"))
}

/// False if it was woken.
fn sleep(ms: u64, is_cancelled: &dyn Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_millis(ms);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        if is_cancelled() {
            return false;
        }
        std::thread::sleep(left.min(Duration::from_millis(10)));
    }
}

fn run(job: &StormJob, attempt: &Attempt) -> Result<Mark, Failure> {
    let token = token().map_err(|error| Failure::retry(error.to_string()))?;
    let doing = Doing {
        id: attempt.id().get(),
        attempt: attempt.number(),
        key: attempt.key(),
        token,
        effect: attempt.key().unwrap_or_default().into(),
    };
    let cancelled = || attempt.token().is_cancelled();
    perform(job, &doing, &cancelled).map_err(|failed| match failed {
        Failed::Again(error) => Failure::retry(error),
        Failed::ForGood(error) => Failure::permanent(error),
    })
}

/// The kind of all of them.
pub(crate) const KIND: &str = "storm";

impl DurableJob for StormJob {
    const KIND: &'static str = KIND;
    type Output = Mark;

    fn run(self, attempt: &Attempt) -> Result<Mark, Failure> {
        run(&self, attempt)
    }
}

impl DurableJob for NewJob {
    const KIND: &'static str = KIND;
    type Output = Mark;

    fn run(self, attempt: &Attempt) -> Result<Mark, Failure> {
        run(&self.job, attempt)
    }
}

impl DurableJob for Alien {
    const KIND: &'static str = KIND;
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        Err(Failure::permanent("an alien is never run"))
    }
}

/// Of either release.
pub(crate) trait Form: DurableJob<Output = Mark> {
    fn of(job: StormJob) -> Self;
}

impl Form for StormJob {
    fn of(job: StormJob) -> Self {
        job
    }
}

impl Form for NewJob {
    fn of(job: StormJob) -> Self {
        Self { note: Some(format!("new {}", job.key)), job }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_of_all_that_a_job_holds() {
        let job = StormJob::new("a".into(), What::Slow(3));
        let mut other = job.clone();
        assert_eq!(job.checksum(), other.checksum());
        other.what = What::Slow(4);
        assert_ne!(job.checksum(), other.checksum());
        let other = StormJob { pad: "x".into(), ..job.clone() };
        assert_ne!(job.checksum(), other.checksum());
        let other = StormJob { key: "b".into(), ..job.clone() };
        assert_ne!(job.checksum(), other.checksum());
    }

    #[test]
    fn each_release_reads_what_the_other_wrote() {
        let job = StormJob::new("a".into(), What::Good);
        let new = serde_json::to_string(&NewJob::of(job.clone())).unwrap();
        let read: StormJob = serde_json::from_str(&new).unwrap();
        assert_eq!(read, job);
        let old = serde_json::to_string(&job).unwrap();
        let read: NewJob = serde_json::from_str(&old).unwrap();
        assert_eq!((read.job, read.note), (job, None));
    }
}
