//! SQLite, by the engine honker: one file, no server.
//!
//! Each commit is on the disk when a submission returns (`synchronous=FULL`,
//! a write-ahead log). One thread of the process writes, and commits together
//! what was asked for meanwhile. Other processes of the machine may share the
//! file; of their commits a waiting worker learns within 25 ms. The clock is
//! the machine's.
//!
//! # In the caller's own transaction
//!
//! The queue can live in the application's own database. Then a job is
//! submitted in the very transaction that makes it necessary: both are there,
//! or neither is. [`attach`] prepares a connection, [`submit_in`] submits.
//!
//! ```
//! use manyhands_durable::sqlite::{self, rusqlite};
//! use manyhands_durable::{Attempt, DurableJob, Failure, JobQueue, Submission};
//! use rusqlite::{Connection, TransactionBehavior};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct ConfirmOrder {
//!     order: i64,
//! }
//!
//! impl DurableJob for ConfirmOrder {
//!     const KIND: &'static str = "confirm-order";
//!     type Output = ();
//!
//!     fn run(self, _: &Attempt) -> Result<(), Failure> {
//!         Ok(()) // sends a mail
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("shop.db");
//! let mut conn = Connection::open(&path)?;
//! conn.busy_timeout(std::time::Duration::from_secs(5))?;
//! conn.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, item)")?;
//! sqlite::attach(&conn)?;
//!
//! // The order and its mail, in one transaction.
//! let tx =
//!     conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
//! tx.execute("INSERT INTO orders (item) VALUES ('tea')", [])?;
//! let job = ConfirmOrder { order: tx.last_insert_rowid() };
//! let id = sqlite::submit_in(&tx, &job, Submission::new())?;
//! tx.commit()?;
//!
//! // Another, of which nothing is left.
//! let tx =
//!     conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
//! tx.execute("INSERT INTO orders (item) VALUES ('coffee')", [])?;
//! let job = ConfirmOrder { order: tx.last_insert_rowid() };
//! let gone = sqlite::submit_in(&tx, &job, Submission::new())?;
//! tx.rollback()?;
//!
//! let queue = JobQueue::<ConfirmOrder>::sqlite(&path, 1)?;
//! assert_eq!(queue.counts()?.ready, 1);
//! assert!(queue.status(id)?.is_some());
//! assert!(queue.status(gone)?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim;
mod engine;
mod file;
mod line;
mod look;
mod mend;
mod rows;
mod settle;
mod timetable;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The SQLite that [`attach`] and [`submit_in`] speak of.
pub use rusqlite;
use rusqlite::Connection;

use self::file::Link;
use self::rows::Sealed;
use self::writer::{Bell, Writer};
use crate::store::{
    Ask, Claimed, Hold, Inspect, NewJob, Schedule, Settled, Store, Then,
};
use crate::{
    Counts, DurableJob, Error, Filter, JobId, State, Status, Submission, check,
};

/// How often a worker that waits looks whether another process has written.
/// A look costs some microseconds.
const LOOK: Duration = Duration::from_millis(25);

/// Prepares a connection of the application's own for [`submit_in`]: the
/// engine's SQL functions for this connection; and the queue's tables, if the
/// database does not have them. It sets nothing else: how long the connection
/// waits for locks, and whether its commits are on the disk when they return
/// (`PRAGMA synchronous`), stay the application's.
///
/// Where workers are busy, their process leaves the file free for others in
/// short moments. SQLite's own handler (`busy_timeout`) looks for those ever
/// less often; one that looks each fraction of a millisecond
/// ([`busy_handler`](Connection::busy_handler)) gets its turn sooner.
///
/// # Errors
///
/// When the database cannot be written, or has tables of a newer form.
pub fn attach(conn: &Connection) -> Result<(), Error> {
    let path = PathBuf::from(conn.path().unwrap_or("the database"));
    let made = || -> Result<(), Fault> {
        if file::has_form(conn)? {
            file::check(conn, true)?;
        }
        engine::attach(conn)?;
        if file::is_made(conn)? {
            return Ok(());
        }
        // It may be in a transaction already.
        conn.execute_batch("SAVEPOINT manyhands")?;
        match file::make(conn) {
            Ok(()) => Ok(conn.execute_batch("RELEASE manyhands")?),
            Err(fault) => {
                let undo = "ROLLBACK TO manyhands; RELEASE manyhands";
                let _ = conn.execute_batch(undo);
                Err(fault)
            }
        }
    };
    made().map_err(|fault| fault.at(&path))
}

/// Submits a job as part of a transaction: it is stored when the transaction
/// is committed, and was never there if it is not. Workers notice by
/// themselves, in this process and in others.
///
/// The connection is one that was given to [`attach`]. A transaction that is
/// `IMMEDIATE` from the start cannot fail here because another wrote
/// meanwhile.
///
/// The id is the job's once the transaction is committed; of one that was not,
/// it may become another's.
///
/// # Errors
///
/// [`Error::Invalid`] when the job may not be submitted so, and
/// [`Error::Store`] when the database refuses. Then roll the transaction back.
pub fn submit_in<J: DurableJob>(
    tx: &rusqlite::Transaction<'_>,
    job: &J,
    how: Submission,
) -> Result<JobId, Error> {
    let sealed = Sealed::new(check::new_job(job, how)?)?;
    rows::submit(tx, &sealed).map_err(|fault| {
        fault.at(Path::new(tx.path().unwrap_or("the database")))
    })
}

/// Why a transaction's part was not done.
#[derive(Debug)]
enum Fault {
    Sqlite(rusqlite::Error),
    /// In words.
    Told(String),
    /// It is not about the file.
    Own(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Fault {
    fn at(self, path: &Path) -> Error {
        match self {
            Self::Sqlite(error) => file::store(path, &file::explain(&error)),
            Self::Told(what) => file::store(path, &what),
            Self::Own(error) => error,
        }
    }
}

/// Jobs in a file.
pub(crate) struct Sqlite {
    writer: Writer,
    reader: Mutex<Link>,
    watch: Mutex<Watch>,
    bell: Arc<Bell>,
}

/// Sees what others write.
struct Watch {
    link: Link,
    version: i64,
    looked: Instant,
}

impl Sqlite {
    /// Makes the file if it is absent, but no folder.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::new(Link::create(path)?)
    }

    /// Makes nothing.
    pub(crate) fn open_existing(path: &Path) -> Result<Self, Error> {
        Self::new(Link::existing(path)?)
    }

    fn new(link: Link) -> Result<Self, Error> {
        let reader = Mutex::new(link.reader()?);
        let mut watch =
            Watch { link: link.reader()?, version: 0, looked: Instant::now() };
        watch.has_changed();
        let bell = Arc::new(Bell::default());
        let ringer = Arc::clone(&bell);
        let writer = Writer::start(link, move || ringer.ring())?;
        Ok(Self { writer, reader, watch: Mutex::new(watch), bell })
    }

    /// Reads, all as of one moment.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut link = lock(&self.reader);
        let path = link.path().to_owned();
        let conn = link.get()?;
        let all = || {
            let tx = conn.transaction()?;
            read(&tx)
        };
        all().map_err(|fault| fault.at(&path))
    }

    /// Does it to all that match. They are sought where that holds up nobody
    /// who writes, and it is done portion by portion, so that others get their
    /// turn.
    fn mend(
        &self,
        filter: &Filter,
        states: &[State],
        mend: mend::Mend,
    ) -> Result<u64, Error> {
        let portion = rows::PORTION.unsigned_abs() as usize;
        self.writer.call(|conn| Ok(((), mend::reap(conn)?)))?;
        let before = mend::before(filter);
        let mut next = filter.clone();
        let mut total = 0;
        loop {
            next.limit = portion.min(filter.limit - total);
            let found =
                self.read(|conn| mend::finals(conn, &next, states, before))?;
            let is_last = found.len() < portion;
            let Some(last) = found.last() else { return Ok(total as u64) };
            next = next.after(JobId::new(last.id));
            total += self.writer.call(move |conn| {
                let mut mended = 0;
                for &one in &found {
                    mended += usize::from(mend(conn, one, before)?);
                }
                Ok((mended, true))
            })?;
            if is_last {
                return Ok(total as u64);
            }
        }
    }
}

impl Watch {
    fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let path = self.link.path().to_owned();
        read(self.link.get()?).map_err(|fault| fault.at(&path))
    }

    /// True if some connection, of this process or another, has committed
    /// since this was asked last.
    fn has_changed(&mut self) -> bool {
        self.looked = Instant::now();
        let Ok(conn) = self.link.get() else { return false };
        let Ok(version) = file::version(conn) else { return false };
        std::mem::replace(&mut self.version, version) != version
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inspect for Sqlite {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        self.read(|conn| look::status(conn, id))
    }

    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        self.read(|conn| look::list(conn, filter))
    }

    fn counts(&self) -> Result<Vec<Counts>, Error> {
        self.read(look::counts)
    }

    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        self.mend(filter, &[State::Dead], mend::revive)
    }

    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.writer.call(move |conn| mend::cancel(conn, id))
    }

    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        self.mend(filter, &[State::Done, State::Dead], mend::forget)
    }

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        let kind = kind.to_owned();
        self.writer.call(move |conn| {
            Ok((mend::set_paused(conn, &kind, paused)?, true))
        })
    }
}

impl Store for Sqlite {
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        let sealed: Result<Vec<_>, _> =
            jobs.into_iter().map(Sealed::new).collect();
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return then(Err(error)),
        };
        let act = move |conn: &Connection| {
            let ids: Result<Vec<_>, _> =
                sealed.iter().map(|job| rows::submit(conn, job)).collect();
            Ok((ids?, true))
        };
        self.writer.ask(true, act, then);
    }

    fn claim(&self, ask: Ask<'_>) -> Result<Claimed, Error> {
        let wanted = claim::Wanted::from(ask);
        let again = wanted.clone();
        let claim = |wanted: claim::Wanted| {
            let act =
                move |conn: &_| Ok((claim::claim(conn, &wanted)?, false));
            self.writer.call(act)
        };
        match claim(wanted.clone()) {
            Err(Error::Store(why)) => {
                let bury = move |conn: &_| {
                    Ok((claim::bury_unreadable(conn, &wanted)?, false))
                };
                match self.writer.call(bury) {
                    Ok(1..) => claim(again),
                    _ => Err(Error::Store(why)),
                }
            }
            claimed => claimed,
        }
    }

    fn settle(&self, settled: Vec<Settled>) -> Result<Vec<bool>, Error> {
        self.writer.call(move |conn| settle::settle(conn, &settled))
    }

    fn extend(
        &self,
        holds: &[Hold],
        lease: Duration,
    ) -> Result<Vec<bool>, Error> {
        let holds = holds.to_vec();
        self.writer.call(move |conn| {
            Ok((settle::extend(conn, &holds, lease)?, false))
        })
    }

    fn schedule(
        &self,
        kind: &str,
        schedules: &[Schedule],
    ) -> Result<(), Error> {
        let kind = kind.to_owned();
        let schedules = schedules.to_vec();
        self.writer.call(move |conn| {
            Ok((timetable::schedule(conn, &kind, &schedules)?, false))
        })
    }

    fn tick(&self, kind: &str) -> Result<Option<Duration>, Error> {
        // Mostly it is not yet time, and nothing need be written. Whoever
        // reads a million rows meanwhile is not waited for.
        let next =
            lock(&self.watch).read(|conn| timetable::next_tick(conn, kind))?;
        if next.is_none_or(|wait| !wait.is_zero()) {
            return Ok(next);
        }
        let kind = kind.to_owned();
        self.writer.call(move |conn| {
            let any = timetable::tick(conn, &kind)?;
            Ok((timetable::next_tick(conn, &kind)?, any))
        })
    }

    fn wait(&self, seen: u64, until: Instant) -> u64 {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let rung = self.bell.wait(seen, left.min(LOOK));
            if rung != seen || left.is_zero() {
                return rung;
            }
            let mut watch = lock(&self.watch);
            // If several wait, one looks for all.
            if watch.looked.elapsed() >= LOOK && watch.has_changed() {
                self.bell.ring();
            }
        }
    }

    fn wake(&self) {
        self.bell.ring();
    }
}

#[cfg(test)]
mod tests;
