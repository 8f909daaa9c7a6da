//! Connections, and what becomes of those that something went wrong on.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::Client;
use graphile_worker_database::tokio_postgres::TokioPostgresDatabase;
use tokio_postgres::Config;

use super::chain;
use crate::Error;

/// Within which there is a connection, or an error.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn config(url: &str) -> Result<Config, Error> {
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
        .map_err(|error| Error::Store(chain(&error)))?;
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
