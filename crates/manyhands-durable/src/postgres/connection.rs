//! Connections, and what becomes of those that something went wrong on.

use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::{Client, PoolError};
use graphile_worker_database::tokio_postgres::TokioPostgresDatabase;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::{CONNECTIONS, chain, words};
use crate::Error;

/// Within which there is a connection, or an error.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn config(url: &str) -> Result<Config, Error> {
    // What is verified is verified in full: the driver has no words for less.
    let url = url
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = url.parse().map_err(|_| {
        // The driver's own words may show a part of it.
        Error::Invalid(
            "not an address of PostgreSQL: it is \
             postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                .into(),
        )
    })?;
    if config.get_application_name().is_none() {
        config.application_name("manyhands");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECTS_WITHIN);
    }
    // A server that vanished without a word is noticed.
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(super::PATIENCE);
    }
    if config.get_keepalives_idle() == Duration::from_secs(2 * 3600) {
        config.keepalives_idle(Duration::from_secs(10));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(4);
    }
    Ok(config)
}

/// A database that answers, with TLS as is said in the module's documentation.
pub(super) async fn database(
    mut config: Config,
) -> Result<TokioPostgresDatabase, Error> {
    let prefers = config.get_ssl_mode() == SslMode::Prefer;
    let error = match answers(&config).await {
        Err(Error::Store(said)) if said.starts_with(NO_TLS) => said,
        answer => return answer,
    };
    if prefers && is_here(&config) {
        config.ssl_mode(SslMode::Disable);
        return answers(&config).await;
    }
    let mut said = format!(
        "{error}; the variable PGSSLROOTCERT names a file with the authority"
    );
    if prefers {
        said += ", and ?sslmode=disable does without TLS";
    }
    Err(Error::Store(said))
}

/// How the driver's words begin if all but TLS went well.
const NO_TLS: &str = "error performing TLS handshake";

async fn answers(config: &Config) -> Result<TokioPostgresDatabase, Error> {
    let db = TokioPostgresDatabase::from_config(config.clone(), CONNECTIONS)
        .map_err(|error| Error::Invalid(error.to_string()))?;
    connection(&db).await?.keep();
    Ok(db)
}

/// True if no network is between.
fn is_here(config: &Config) -> bool {
    let is_loopback = |host: &Host| match host {
        Host::Tcp(name) if name == "localhost" => true,
        Host::Tcp(name) => {
            name.parse().is_ok_and(|it: IpAddr| it.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_loopback)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// A connection of the pool. It goes back there if it is said to be sound, and
/// is closed otherwise: nobody is to find another's transaction on it, or wait
/// for another's answer.
pub(super) struct Connection {
    client: Option<Client>,
    is_sound: bool,
}

pub(super) async fn connection(
    db: &TokioPostgresDatabase,
) -> Result<Connection, Error> {
    let client = tokio::time::timeout(CONNECTS_WITHIN, db.pool().get()).await;
    let client = client
        .map_err(|_| Error::Store("no connection to the server".into()))?
        .map_err(|error| match error {
            PoolError::Backend(error) => Error::Store(words(&error)),
            error => Error::Store(chain(&error)),
        })?;
    Ok(Connection { client: Some(client), is_sound: false })
}

impl Connection {
    /// All that was asked on it was answered.
    pub(super) fn keep(mut self) {
        self.is_sound = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !self.is_sound
        {
            drop(Client::take(client));
        }
    }
}

impl Deref for Connection {
    type Target = Client;

    #[expect(clippy::expect_used, reason = "it is there until it is dropped")]
    fn deref(&self) -> &Client {
        self.client.as_ref().expect("a connection")
    }
}

impl DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "it is there until it is dropped")]
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("a connection")
    }
}
