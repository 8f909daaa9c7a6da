//! The file: how it is opened, and what is wrong with it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Fault, engine};
use crate::Error;

/// The form of our tables.
const FORM: i64 = 1;

/// How long another's transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the file at a path, for as long as it is that file.
pub(super) struct Link {
    path: PathBuf,
    conn: Connection,
    mark: Mark,
    reads: bool,
}

impl Link {
    /// Makes the file if it is absent, and the tables.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path)
            .map_err(|error| store(path, &error.to_string()))?;
        let folder = path.parent().unwrap_or(&path);
        if !folder.is_dir() {
            let folder = folder.display();
            return Err(store(&path, &format!("there is no folder {folder}")));
        }
        if path.is_dir() {
            return Err(store(&path, "a folder, and no file"));
        }
        let flags = OpenFlags::SQLITE_OPEN_CREATE;
        let link = Self::connect(path, flags, false)?;
        link.prepare(true).map_err(|fault| fault.at(&link.path))?;
        Ok(link)
    }

    /// The file must be there, with our tables.
    pub(super) fn existing(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path)
            .map_err(|error| store(path, &error.to_string()))?;
        match fs::metadata(&path) {
            Ok(what) if !what.is_file() => {
                return Err(store(&path, "no file"));
            }
            Ok(_) => {}
            Err(error) => return Err(store(&path, &error.to_string())),
        }
        let link = Self::connect(path, OpenFlags::empty(), false)?;
        link.prepare(false).map_err(|fault| fault.at(&link.path))?;
        Ok(link)
    }

    /// Another connection to the same file, which only reads.
    pub(super) fn reader(&self) -> Result<Self, Error> {
        Self::connect(self.path.clone(), OpenFlags::empty(), true)
    }

    fn connect(
        path: PathBuf,
        flags: OpenFlags,
        reads: bool,
    ) -> Result<Self, Error> {
        // No URIs: a path is a path.
        let flags = flags
            | OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || -> Result<(Connection, Mark), Fault> {
            let conn = Connection::open_with_flags(&path, flags)?;
            let mark = Mark::of(&path)
                .map_err(|error| Fault::Told(error.to_string()))?;
            // Before anything that could meet another's lock.
            conn.busy_handler(Some(be_patient))?;
            conn.set_prepared_statement_cache_capacity(64);
            if reads {
                conn.pragma_update(None, "query_only", true)?;
            } else if conn.is_readonly("main")? {
                let what = "it can be read and not written";
                return Err(Fault::Told(what.into()));
            }
            Ok((conn, mark))
        };
        match open() {
            Ok((conn, mark)) => Ok(Self { path, conn, mark, reads }),
            Err(fault) => Err(fault.at(&path)),
        }
    }

    fn prepare(&self, is_new: bool) -> Result<(), Fault> {
        let conn = &self.conn;
        // Looked at before anything is written.
        check(conn, is_new)?;
        let until = Instant::now() + PATIENCE;
        loop {
            // This does not wait for locks.
            match conn.pragma_update_and_check(
                None,
                "journal_mode",
                "WAL",
                |row| row.get::<_, String>(0),
            ) {
                Ok(mode) if mode == "wal" => break,
                Ok(mode) => {
                    let what = format!("its journal stays '{mode}', not WAL");
                    return Err(Fault::Told(what));
                }
                Err(error) if is_busy(&error) && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error.into()),
            }
        }
        // A commit is on the disk when it returns.
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "cache_size", -32_000)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "wal_autocheckpoint", 4000)?;
        conn.pragma_update_and_check(
            None,
            "journal_size_limit",
            64 << 20,
            |_| Ok(()),
        )?;
        engine::attach(conn)?;
        if is_made(conn)? {
            return Ok(());
        }
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let made = make(conn)
            .and_then(|()| conn.execute_batch("COMMIT").map_err(Fault::from));
        if made.is_err() && !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        made
    }

    /// The connection, if the path still names its file. If it names another
    /// by now, put there from a backup, that one is opened.
    pub(super) fn get(&mut self) -> Result<&mut Connection, Error> {
        if self.is_there().is_err() {
            let new = if self.reads {
                Self::existing(&self.path)?.reader()?
            } else {
                Self::existing(&self.path)?
            };
            *self = new;
        }
        Ok(&mut self.conn)
    }

    /// What is written to a file that was removed is lost, and SQLite would
    /// not say so.
    pub(super) fn is_there(&self) -> Result<(), Error> {
        match Mark::of(&self.path) {
            Ok(mark) if mark == self.mark => Ok(()),
            Ok(_) => Err(store(&self.path, "another file took its place")),
            Err(error) => Err(store(&self.path, &error.to_string())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Which file it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u64, u64);

impl Mark {
    #[cfg(unix)]
    fn of(path: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let what = fs::metadata(path)?;
        Ok(Self(what.dev(), what.ino()))
    }

    /// Elsewhere a file that is open cannot be removed.
    #[cfg(not(unix))]
    fn of(path: &Path) -> std::io::Result<Self> {
        fs::metadata(path).map(|_| Self(0, 0))
    }
}

/// Tables of ours and the engine's, made where they are absent, in a
/// transaction.
pub(super) fn make(conn: &Connection) -> Result<(), Fault> {
    engine::bootstrap(conn)?;
    conn.execute_batch(include_str!("schema.sql"))?;
    Ok(())
}

/// Is there everything that `make` makes?
pub(super) fn is_made(conn: &Connection) -> Result<bool, Fault> {
    has(conn, "manyhands_dead_queue")
}

fn has(conn: &Connection, name: &str) -> Result<bool, Fault> {
    let mut find =
        conn.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
    Ok(find.exists([name])?)
}

/// Was it a store of ours before?
pub(super) fn has_form(conn: &Connection) -> Result<bool, Fault> {
    has(conn, "manyhands_form")
}

/// Refuses what is no store of ours and should not become one.
pub(super) fn check(conn: &Connection, is_new: bool) -> Result<(), Fault> {
    if has_form(conn)? {
        let form: i64 = conn.query_row(
            "SELECT max(version) FROM manyhands_form",
            [],
            |row| row.get(0),
        )?;
        if form != FORM {
            return Err(Fault::Told(format!(
                "its tables are of form {form}, and this program knows form \
                 {FORM}: it takes a newer one"
            )));
        }
    } else {
        if !is_new {
            return Err(Fault::Told("no queue is kept in it".into()));
        }
        let owner: u32 =
            conn.pragma_query_value(None, "application_id", |row| {
                row.get::<_, i64>(0).map(|id| id as u32)
            })?;
        if owner != 0 {
            return Err(Fault::Told(format!(
                "it is a file of another application ({owner:#x}); \
                 `manyhands_durable::sqlite::attach` puts a queue into a \
                 database of your own"
            )));
        }
    }
    if has(conn, "_honker_live")? {
        let sql = format!("SELECT {} FROM _honker_live", engine::COLUMNS);
        if let Err(error) = conn.prepare(&sql) {
            return Err(Fault::Told(format!(
                "its table _honker_live is of another form: {error}"
            )));
        }
    }
    Ok(())
}

/// Is another once another connection has committed.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    let mut ask = conn.prepare_cached("PRAGMA data_version")?;
    ask.query_row([], |row| row.get(0))
}

/// Waits for another's transaction, in short steps: the steps of SQLite's own
/// handler grow to 100 ms, and who commits often would starve the others.
fn be_patient(tries: i32) -> bool {
    thread_local!(static SINCE: Cell<Option<Instant>> =
        const { Cell::new(None) });
    let now = Instant::now();
    let since = match SINCE.get() {
        Some(since) if tries > 0 => since,
        _ => {
            SINCE.set(Some(now));
            now
        }
    };
    if now.duration_since(since) > PATIENCE {
        return false;
    }
    let least = if tries < 100 { 100 } else { 700 };
    let chance = fastrand::u64(0..=least);
    std::thread::sleep(Duration::from_micros(least + chance));
    true
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// In one line, for people.
pub(super) fn explain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "locked by another's transaction for {} s",
            PATIENCE.as_secs()
        ),
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        Some(ErrorCode::ReadOnly) => "it can be read and not written".into(),
        Some(ErrorCode::NotADatabase) => "no database of SQLite".into(),
        _ => error.to_string().replace('\n', " "),
    }
}

pub(super) fn store(path: &Path, what: &str) -> Error {
    Error::Store(format!("{}: {what}", path.display()))
}
