//! A queue that breaks its promises on purpose, so that it is seen that the
//! oracle finds out. It is no example of anything: with nothing broken it is
//! right, and only that.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use manyhands_durable::crash;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::job::{self, Doing, Failed, StormJob};
use crate::oracle::Kept;

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// Acknowledges a job before it runs it.
    AckFirst,
    /// Takes a completion from whoever comes with one.
    NoFencing,
    /// Counts an attempt when it fails: one that kills its worker never does.
    CountsFailures,
    /// Says Ok, and stores a moment later.
    OkBeforeStored,
    /// Runs what it refused.
    RunsRefused,
    /// Gives a job to whoever asks at the same time.
    TwoClaims,
    /// Never takes a job back from a worker that vanished.
    KeepsLeases,
    /// Buries what was done once its lease is over.
    BuriesDone,
    /// Buries a job the first time it fails.
    GivesUpEarly,
    /// Stores a payload in another encoding.
    LosesCharacters,
    /// Gives each attempt an idempotency key of its own.
    KeysAttempts,
    /// Does not look who else runs under a serial word.
    ForgetsSerial,
}

impl Flaw {
    /// The check that must find it.
    pub(crate) fn found_by(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::AckFirst | Self::OkBeforeStored => "no-loss",
            Self::NoFencing => "one-completion",
            Self::CountsFailures | Self::TwoClaims => "attempts-bounded",
            Self::RunsRefused => "no-invention",
            Self::KeepsLeases => "no-lease-left",
            Self::BuriesDone => "done-or-dead",
            Self::GivesUpEarly => "dead-for-a-reason",
            Self::LosesCharacters => "payload-intact",
            Self::KeysAttempts => "one-effect",
            Self::ForgetsSerial => "in-order",
        })
    }
}

/// In seconds, as in the queues that are tested.
const LEASE: f64 = 3.0;

/// By the clock of the machine, in seconds.
const NOW: &str = "(julianday('now') - 2440587.5) * 86400.0";

#[derive(Debug)]
pub(crate) struct Broken {
    flaw: Flaw,
    db: Arc<Mutex<Connection>>,
    /// What was not stored yet: [`Flaw::OkBeforeStored`].
    late: Arc<Mutex<Vec<Late>>>,
}

/// Its id, the job, and its serial word.
type Late = (i64, StormJob, Option<String>);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(Duration::from_secs(60))?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS jobs (
           id INTEGER PRIMARY KEY AUTOINCREMENT,
           key TEXT NOT NULL UNIQUE,
           serial TEXT,
           payload TEXT NOT NULL,
           state TEXT NOT NULL DEFAULT 'ready',
           attempts INTEGER NOT NULL DEFAULT 0,
           max_attempts INTEGER NOT NULL,
           run_at REAL NOT NULL DEFAULT 0,
           token TEXT,
           until REAL NOT NULL DEFAULT 0,
           error TEXT,
           output TEXT
         );
         CREATE INDEX IF NOT EXISTS jobs_by_state
           ON jobs (state, run_at, id);
         CREATE TABLE IF NOT EXISTS ids (next INTEGER)",
    )?;
    Ok(db)
}

impl Broken {
    pub(crate) fn open(path: &Path, flaw: Flaw) -> Result<Self> {
        let db = Arc::new(Mutex::new(connect(path)?));
        let late: Arc<Mutex<Vec<Late>>> = Arc::default();
        if flaw == Flaw::OkBeforeStored {
            let (db, late) = (Arc::clone(&db), Arc::clone(&late));
            std::thread::spawn(move || {
                loop {
                    std::thread::sleep(Duration::from_millis(200));
                    for (id, job, serial) in std::mem::take(&mut *lock(&late))
                    {
                        let _ = insert(&lock(&db), Some(id), &job, serial);
                    }
                }
            });
        }
        Ok(Self { flaw, db, late })
    }

    /// An error is a refusal: it is not stored, or so it says.
    pub(crate) fn submit(
        &self,
        job: &StormJob,
        serial: Option<String>,
    ) -> Result<i64> {
        // It has no room for these.
        if job.pad.len() > 1 << 20 {
            if self.flaw == Flaw::RunsRefused {
                insert(&lock(&self.db), None, job, serial)?;
            }
            bail!("refused: too large");
        }
        if self.flaw == Flaw::OkBeforeStored {
            let id = i64::try_from(crate::ledger::now())?;
            lock(&self.late).push((id, job.clone(), serial));
            return Ok(id);
        }
        let mut job = job.clone();
        if self.flaw == Flaw::LosesCharacters {
            job.pad.retain(|it| it.is_ascii());
        }
        crash::point("before-enqueue-commit");
        let id = insert(&lock(&self.db), None, &job, serial)?;
        crash::point("after-enqueue-before-ack");
        Ok(id)
    }

    pub(crate) fn work(self, threads: usize) -> Workers {
        let stop = Arc::new(AtomicBool::new(false));
        let queue = Arc::new(self);
        let held: Arc<Mutex<Vec<(i64, String)>>> = Arc::default();
        let mut handles = Vec::new();
        for _ in 0..threads {
            let (queue, stop) = (Arc::clone(&queue), Arc::clone(&stop));
            let held = Arc::clone(&held);
            handles.push(std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    // Trouble with the store is waited out.
                    if !matches!(queue.turn(&held), Ok(true)) {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }
            }));
        }
        let (heart, beats) = (Arc::clone(&stop), queue);
        let beat = std::thread::spawn(move || {
            while !heart.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(500));
                let held = lock(&held).clone();
                let _ = beats.extend(&held);
            }
        });
        handles.push(beat);
        Workers { stop, handles }
    }

    fn extend(&self, held: &[(i64, String)]) -> Result<()> {
        let db = lock(&self.db);
        for (id, token) in held {
            crash::point("during-heartbeat");
            let sql = format!(
                "UPDATE jobs SET until = {NOW} + {LEASE}
                 WHERE id = ?1 AND token = ?2 AND state = 'running'"
            );
            db.execute(&sql, (id, token))?;
        }
        Ok(())
    }

    /// Claims a job and runs it, if there is one.
    fn turn(&self, held: &Mutex<Vec<(i64, String)>>) -> Result<bool> {
        let token = job::token()?;
        let Some(claimed) = self.claim(&token)? else { return Ok(false) };
        let Claimed { id, key, attempt, max, payload } = claimed;
        crash::point("after-claim");
        lock(held).push((id, token.clone()));
        let job: StormJob = serde_json::from_str(&payload)?;
        let effect = match self.flaw {
            Flaw::KeysAttempts => format!("{key}#{attempt}"),
            _ => key.clone(),
        };
        let token_of = token.clone();
        let key = Some(key.as_str());
        let doing = Doing { id, attempt, key, token: token_of, effect };
        if self.flaw == Flaw::AckFirst {
            self.complete(id, &token, &format!("{attempt} {token}"))?;
        }
        let ran =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                job::perform(&job, &doing, &|| false)
            }));
        let ran = ran.unwrap_or_else(|_| Err(Failed::Again("panic".into())));
        crash::point("before-ack");
        // A moment's trouble does not undo what was done.
        for _ in 0..20 {
            let written = match &ran {
                _ if self.flaw == Flaw::AckFirst => Ok(()),
                Ok(mark) => self.complete(id, &token, mark),
                Err(Failed::ForGood(why)) => self.bury(id, &token, why),
                Err(Failed::Again(why))
                    if attempt >= max || self.flaw == Flaw::GivesUpEarly =>
                {
                    self.bury(id, &token, why)
                }
                Err(Failed::Again(why)) => self.give_back(id, &token, why),
            };
            if written.is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        crash::point("after-ack-before-reply");
        lock(held).retain(|(_, it)| *it != token);
        Ok(true)
    }

    fn claim(&self, token: &str) -> Result<Option<Claimed>> {
        let mut db = lock(&self.db);
        let behavior = match self.flaw {
            Flaw::TwoClaims => TransactionBehavior::Deferred,
            _ => TransactionBehavior::Immediate,
        };
        let expired = match self.flaw {
            Flaw::KeepsLeases => "0".to_owned(),
            _ => format!("state = 'running' AND until < {NOW}"),
        };
        if self.flaw == Flaw::TwoClaims {
            return two_claims(&db, token, &expired);
        }
        let tx = db.transaction_with_behavior(behavior)?;
        tx.execute(
            &format!(
                "UPDATE jobs SET state = 'dead', token = NULL,
                   error = 'its worker vanished'
                 WHERE {expired} AND attempts >= max_attempts"
            ),
            (),
        )?;
        if self.flaw == Flaw::BuriesDone {
            let sql = format!(
                "UPDATE jobs SET state = 'dead', error = 'its lease is over'
                 WHERE state = 'done' AND until < {NOW}"
            );
            tx.execute(&sql, ())?;
        }
        let found = find(&tx, &expired, self.flaw)?;
        let Some(mut claimed) = found else {
            // Some may have become dead letters.
            tx.commit()?;
            return Ok(None);
        };
        if self.flaw != Flaw::CountsFailures {
            claimed.attempt += 1;
        }
        let sql = format!(
            "UPDATE jobs SET state = 'running', token = ?2, attempts = ?3,
               until = {NOW} + {LEASE} WHERE id = ?1"
        );
        tx.execute(&sql, (claimed.id, token, claimed.attempt))?;
        tx.commit()?;
        if self.flaw == Flaw::CountsFailures {
            claimed.attempt += 1;
        }
        Ok(Some(claimed))
    }

    /// Whose job it is, as SQL.
    fn fence(&self) -> &'static str {
        match self.flaw {
            Flaw::NoFencing => "?2 IS NOT NULL",
            _ => "token = ?2 AND state = 'running'",
        }
    }

    fn complete(&self, id: i64, token: &str, mark: &str) -> Result<()> {
        let counts = match self.flaw {
            Flaw::CountsFailures => ", attempts = attempts + 1",
            _ => "",
        };
        let sql = format!(
            "UPDATE jobs SET state = 'done', output = ?3 {counts}
             WHERE id = ?1 AND {}",
            self.fence()
        );
        lock(&self.db).execute(&sql, (id, token, mark))?;
        Ok(())
    }

    fn bury(&self, id: i64, token: &str, why: &str) -> Result<()> {
        let counts = match self.flaw {
            Flaw::CountsFailures => ", attempts = attempts + 1",
            _ => "",
        };
        let sql = format!(
            "UPDATE jobs SET state = 'dead', error = ?3 {counts}
             WHERE id = ?1 AND {}",
            self.fence()
        );
        crash::point("during-dead-letter");
        lock(&self.db).execute(&sql, (id, token, why))?;
        Ok(())
    }

    fn give_back(&self, id: i64, token: &str, why: &str) -> Result<()> {
        let counts = match self.flaw {
            Flaw::CountsFailures => ", attempts = attempts + 1",
            _ => "",
        };
        let sql = format!(
            "UPDATE jobs SET state = 'ready', error = ?3,
               run_at = {NOW} + 0.1 {counts}
             WHERE id = ?1 AND {}",
            self.fence()
        );
        crash::point("during-nack");
        lock(&self.db).execute(&sql, (id, token, why))?;
        Ok(())
    }

    pub(crate) fn list(&self) -> Result<Vec<Kept>> {
        let db = lock(&self.db);
        let mut rows = db.prepare(
            "SELECT id, key, state, attempts, max_attempts, error, output
             FROM jobs ORDER BY id",
        )?;
        let rows = rows.query_map((), |row| {
            let state: String = row.get(2)?;
            let output: Option<String> = row.get(6)?;
            let last_error: Option<String> = row.get(5)?;
            Ok(Kept {
                id: row.get(0)?,
                key: row.get(1)?,
                attempts: row.get(3)?,
                max_attempts: row.get(4)?,
                last_error,
                output: output.filter(|_| state == "done"),
                state,
            })
        })?;
        rows.map(|row| row.context("a job")).collect()
    }
}

struct Claimed {
    id: i64,
    key: String,
    attempt: u32,
    max: u32,
    payload: String,
}

fn find(
    db: &Connection,
    expired: &str,
    flaw: Flaw,
) -> Result<Option<Claimed>> {
    let serial = match flaw {
        Flaw::ForgetsSerial => "NULL",
        _ => "serial",
    };
    // One at a time under a serial word, the oldest first attempt first.
    let sql = format!(
        "SELECT id, key, attempts, max_attempts, payload FROM jobs AS it
         WHERE attempts < max_attempts
           AND (state = 'ready' AND run_at <= {NOW} OR {expired})
           AND ({serial} IS NULL OR NOT EXISTS (
             SELECT 1 FROM jobs AS other WHERE other.serial = it.serial
               AND other.id <> it.id
               AND (other.state = 'running'
                    OR other.state = 'ready' AND other.id < it.id)))
         ORDER BY run_at, id LIMIT 1"
    );
    let found = db.query_row(&sql, (), |row| {
        Ok(Claimed {
            id: row.get(0)?,
            key: row.get(1)?,
            attempt: row.get(2)?,
            max: row.get(3)?,
            payload: row.get(4)?,
        })
    });
    Ok(found.optional()?)
}

/// Looks in one statement and takes in another, with nothing between them that
/// keeps others out.
fn two_claims(
    db: &Connection,
    token: &str,
    expired: &str,
) -> Result<Option<Claimed>> {
    let Some(mut claimed) = find(db, expired, Flaw::TwoClaims)? else {
        return Ok(None);
    };
    std::thread::sleep(Duration::from_millis(1));
    claimed.attempt += 1;
    let sql = format!(
        "UPDATE jobs SET state = 'running', token = ?2, attempts = ?3,
           until = {NOW} + {LEASE} WHERE id = ?1"
    );
    db.execute(&sql, (claimed.id, token, claimed.attempt))?;
    Ok(Some(claimed))
}

fn insert(
    db: &Connection,
    id: Option<i64>,
    job: &StormJob,
    serial: Option<String>,
) -> Result<i64> {
    let payload = serde_json::to_string(job)?;
    db.execute(
        "INSERT INTO jobs (id, key, serial, payload, max_attempts)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO NOTHING",
        (id, &job.key, serial, payload, job.max_attempts()),
    )?;
    let sql = "SELECT id FROM jobs WHERE key = ?1";
    Ok(db.query_row(sql, [&job.key], |row| row.get(0))?)
}

/// Threads that work on it.
#[derive(Debug)]
pub(crate) struct Workers {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Waits for what runs.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for handle in self.handles {
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::CHECKS;

    #[test]
    fn for_each_check_there_is_a_flaw() {
        let flaws = Flaw::value_variants().iter();
        let found: Vec<&str> = flaws.filter_map(|it| it.found_by()).collect();
        for check in CHECKS {
            assert!(found.contains(&check), "{check}");
        }
        assert_eq!(found.len(), 12);
    }
}
