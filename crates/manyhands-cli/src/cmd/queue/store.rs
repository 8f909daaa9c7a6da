//! Where the jobs are, as the user says it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use manyhands_durable::Admin;

use super::failed;
use crate::args::Usage;
use crate::output::legible;
use crate::secret::hidden;

/// The environment variable that says it where `--db` does not.
pub(super) const VARIABLE: &str = "MANYHANDS_DB";

/// What is allowed.
const ALLOWED: &str = "postgres://…, sqlite:FILE or a file";

/// A store, and who named it.
#[derive(Clone, Debug)]
pub(in crate::cmd) struct Store {
    /// `--db` or the variable.
    pub(in crate::cmd) by: &'static str,
    pub(in crate::cmd) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Place {
    /// Of this process.
    Memory,
    Sqlite(PathBuf),
    /// With whatever secrets it has in it.
    Postgres(String),
}

impl Store {
    /// Of `--db`, or else of the variable.
    ///
    /// # Errors
    ///
    /// [`Usage`], when there is neither, or it is no store.
    pub(super) fn named(db: Option<OsString>) -> Result<Self, Usage> {
        let store = Self::maybe(db)?.ok_or_else(|| {
            Usage(format!(
                "--db is missing, and {VARIABLE} is not set; allowed are \
                 {ALLOWED}"
            ))
        })?;
        match store.place {
            Place::Memory => Err(Usage(format!(
                "{} is memory, which ends with its process; allowed are \
                 {ALLOWED}",
                store.by
            ))),
            _ => Ok(store),
        }
    }

    /// The same, `None` if there is neither.
    pub(in crate::cmd) fn maybe(
        db: Option<OsString>,
    ) -> Result<Option<Self>, Usage> {
        let (by, value) = match db {
            Some(value) => ("--db", value),
            None => match std::env::var_os(VARIABLE) {
                // As if it were not there, as shells have it.
                Some(value) if !value.is_empty() => (VARIABLE, value),
                _ => return Ok(None),
            },
        };
        let Some(text) = value.to_str() else {
            return Err(Usage(format!(
                "{by} is not UTF-8, allowed are {ALLOWED}"
            )));
        };
        let place = Place::parse(text).ok_or_else(|| {
            let text = match text {
                "" => "''".to_owned(),
                text => legible(&hidden(text)),
            };
            Usage(format!("{by} is {text}, allowed are {ALLOWED}"))
        })?;
        Ok(Some(Self { by, place }))
    }

    /// Opens it, to look after it. It must be there.
    pub(super) fn open(&self) -> anyhow::Result<Admin> {
        let url = match &self.place {
            Place::Memory => String::new(),
            Place::Postgres(url) => url.clone(),
            Place::Sqlite(path) => {
                self.check(path)?;
                format!("sqlite:{}", path.display())
            }
        };
        Admin::open(&url).map_err(|error| self.told(failed(error)))
    }

    /// A file that is not there is a name that is wrong.
    fn check(&self, path: &Path) -> Result<(), Usage> {
        let refused = |why| {
            let path = legible(&path.to_string_lossy());
            let by = self.by;
            Usage(format!(
                "{by} is {path}, which {why}, allowed is a file in which \
                 there are jobs"
            ))
        };
        match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(refused("is not there"))
            }
            Ok(it) if it.is_dir() => Err(refused("is a directory")),
            _ => Ok(()),
        }
    }

    /// What went wrong with it, with its name before it.
    pub(super) fn told(&self, error: anyhow::Error) -> anyhow::Error {
        // It may have it already.
        let is_named = match &self.place {
            Place::Sqlite(path) => {
                std::path::absolute(path).is_ok_and(|path| {
                    format!("{error:#}").starts_with(&*path.to_string_lossy())
                })
            }
            Place::Memory | Place::Postgres(_) => false,
        };
        if error.is::<Usage>() || is_named {
            return error;
        }
        anyhow::anyhow!("{}: {error:#}", self.name())
    }

    /// For people, without a password.
    pub(super) fn name(&self) -> String {
        match &self.place {
            Place::Memory => "memory".to_owned(),
            Place::Sqlite(path) => legible(&path.to_string_lossy()),
            Place::Postgres(url) => legible(&hidden(url)),
        }
    }

    /// What to say to another command for the same store.
    pub(super) fn option(&self) -> String {
        match self.by {
            VARIABLE => String::new(),
            _ => format!(" --db {}", self.name()),
        }
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        if text == "memory" {
            return Some(Self::Memory);
        }
        let is_postgres = |scheme| text.starts_with(scheme);
        if ["postgres://", "postgresql://"].into_iter().any(is_postgres) {
            return Some(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        // Another kind of database, or a misspelt one.
        let is_path = !path.is_empty() && !path.contains("://");
        is_path.then(|| Self::Sqlite(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_server_or_a_file() {
        let file = |path: &str| Some(Place::Sqlite(path.into()));
        let server = |url: &str| Some(Place::Postgres(url.into()));
        for (text, place) in [
            ("memory", Some(Place::Memory)),
            ("jobs.db", file("jobs.db")),
            ("sqlite:jobs.db", file("jobs.db")),
            ("sqlite:///var/jobs.db", file("/var/jobs.db")),
            ("/var/jobs.db", file("/var/jobs.db")),
            ("postgres://me:x@h/db", server("postgres://me:x@h/db")),
            ("postgresql://h", server("postgresql://h")),
            ("mysql://me:x@h/db", None),
            ("", None),
            ("sqlite:", None),
        ] {
            assert_eq!(Place::parse(text), place, "{text}");
        }
    }
}
