//! Where jobs are kept.

use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

use manyhands_durable::{Admin, Backoff, Builder, DurableJob, JobQueue};
use tempfile::TempDir;

use crate::lab::Task;

pub(crate) enum Place {
    Memory,
    Sqlite(TempDir),
    #[cfg(feature = "postgres")]
    Postgres(database::Database),
}

/// A file that is not there yet.
pub(crate) fn sqlite() -> Place {
    Place::Sqlite(tempfile::tempdir().unwrap())
}

/// A new database; `None`, and it is said, without a server.
pub(crate) fn postgres() -> Option<Place> {
    #[cfg(feature = "postgres")]
    {
        let Ok(server) = std::env::var("MANYHANDS_TEST_POSTGRES") else {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                // Past what the tests' harness keeps back.
                let _ = writeln!(
                    std::io::stderr(),
                    "skipped: every behaviour on PostgreSQL: `.ci/postgres \
                     cargo test` runs them beside a server, or set \
                     MANYHANDS_TEST_POSTGRES to the URL of one"
                );
            });
            return None;
        };
        Some(Place::Postgres(database::Database::new(&server)))
    }
    #[cfg(not(feature = "postgres"))]
    {
        println!("skipped: PostgreSQL: built without its feature");
        None
    }
}

impl Place {
    /// A queue here. In memory each is a place of its own.
    pub(crate) fn open<J: DurableJob>(
        &self,
        builder: Builder<J>,
    ) -> JobQueue<J> {
        match self {
            Self::Memory => builder.in_process(),
            Self::Sqlite(folder) => {
                builder.sqlite(folder.path().join("jobs.db"))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => builder.postgres(&database.url),
        }
        .unwrap()
    }

    /// A queue of tasks that works.
    pub(crate) fn started(&self, workers: usize) -> JobQueue<Task> {
        let queue = self.open(quick().workers(workers));
        queue.start().unwrap();
        queue
    }

    pub(crate) fn admin(&self) -> Admin {
        match self {
            Self::Memory => panic!("nobody else looks into memory"),
            Self::Sqlite(folder) => {
                let path = folder.path().join("jobs.db");
                Admin::open(&format!("sqlite:{}", path.display()))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Admin::open(&database.url),
        }
        .unwrap()
    }
}

/// Retries in milliseconds, as far as the store's clock has these.
pub(crate) fn quick() -> Builder<Task> {
    quick_of()
}

pub(crate) fn quick_of<J: DurableJob>() -> Builder<J> {
    let backoff = Backoff::exponential(
        Duration::from_millis(1),
        Duration::from_millis(10),
    );
    JobQueue::builder().backoff(backoff).poll(Duration::from_millis(50))
}

#[cfg(feature = "postgres")]
mod database {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::SystemTime;

    /// A database that is there as long as this.
    pub(crate) struct Database {
        pub(crate) url: String,
        server: String,
        name: String,
    }

    impl Database {
        pub(crate) fn new(server: &str) -> Self {
            static LAST: AtomicU64 = AtomicU64::new(0);
            let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let name = format!(
                "mh_{:x}_{}_{}",
                since.as_micros(),
                std::process::id(),
                LAST.fetch_add(1, Ordering::Relaxed)
            );
            run(server, &format!("CREATE DATABASE {name}")).unwrap();
            let (rest, _) = server.rsplit_once('/').unwrap();
            let url = format!("{rest}/{name}");
            Self { url, server: server.into(), name }
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            let drop =
                format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            if let Err(error) = run(&self.server, &drop) {
                println!("left behind: {}: {error}", self.name);
            }
        }
    }

    fn run(server: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let tls = tokio_postgres::NoTls;
            let (client, connection) =
                tokio_postgres::connect(server, tls).await?;
            let connection = tokio::spawn(connection);
            let done = client.batch_execute(sql).await;
            drop(client);
            let _ = connection.await;
            done
        })
    }
}
