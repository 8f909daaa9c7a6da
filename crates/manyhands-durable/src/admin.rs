//! A store without its jobs' types: for whoever looks after it.

use std::fmt;
use std::sync::Arc;

use crate::store::Inspect;
use crate::{Counts, Error, Filter, JobId, Status};

/// Looks into a store, and sets right what went wrong, for jobs of any kind.
/// It runs none. All methods block until the store has answered, and cost what
/// those of [`JobQueue`](crate::JobQueue) do.
pub struct Admin {
    store: Arc<dyn Inspect>,
}

impl Admin {
    /// Opens the store at `url`: `postgres://…`, `sqlite:PATH`, or the path of
    /// a file. It must be there.
    ///
    /// # Errors
    ///
    /// When there is none, or this program was built without its feature. No
    /// error shows the password of `url`.
    pub fn open(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            #[cfg(feature = "postgres")]
            return Ok(Self {
                store: Arc::new(crate::postgres::Postgres::connect_existing(
                    url,
                )?),
            });
            #[cfg(not(feature = "postgres"))]
            return Err(Error::Invalid(
                "built without PostgreSQL: its feature is 'postgres'".into(),
            ));
        }
        let is_server = url.contains("://")
            || url.contains("password") && url.contains('=');
        let is_path = url.starts_with("sqlite:") || !is_server;
        if !is_path {
            // Not said back: it may hold a password.
            return Err(Error::Invalid(
                "not a store: it is postgres://…, sqlite:PATH, or a path"
                    .into(),
            ));
        }
        #[cfg(feature = "sqlite")]
        {
            let path = url.strip_prefix("sqlite:").unwrap_or(url);
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = std::path::Path::new(path);
            let store = crate::sqlite::Sqlite::open_existing(path)?;
            Ok(Self { store: Arc::new(store) })
        }
        #[cfg(not(feature = "sqlite"))]
        Err(Error::Invalid(
            "built without SQLite: its feature is 'sqlite'".into(),
        ))
    }

    /// What became of a job.
    ///
    /// # Errors
    ///
    /// When the store does not answer; so with all that follow.
    pub fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        self.store.status(id)
    }

    /// How many jobs are where, a row for each kind, in order of name.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn counts(&self) -> Result<Vec<Counts>, Error> {
        self.store.counts()
    }

    /// The jobs that match, in order of id.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        self.store.list(filter)
    }

    /// Drives dead letters again, those that match.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        self.store.retry(filter)
    }

    /// Removes a job that does not run and is not done.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.store.cancel(id)
    }

    /// Forgets what is done or dead, and matches.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        self.store.purge(filter)
    }

    /// No worker begins a job of `kind` until [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// When the store does not answer, or `kind` is no kind.
    pub fn pause(&self, kind: &str) -> Result<(), Error> {
        crate::check::kind(kind)?;
        self.store.set_paused(kind, true)
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// When the store does not answer, or `kind` is no kind.
    pub fn resume(&self, kind: &str) -> Result<(), Error> {
        crate::check::kind(kind)?;
        self.store.set_paused(kind, false)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}
