//! A database of its own on a server, so that a measurement meets nobody's
//! jobs. Gone when dropped.

#[cfg(feature = "postgres")]
pub(super) use self::with::Scratch;
#[cfg(not(feature = "postgres"))]
pub(super) use self::without::Scratch;

#[cfg(feature = "postgres")]
mod with {
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

    use crate::secret::hidden;

    #[derive(Debug)]
    pub(in super::super) struct Scratch {
        /// Where it was made from.
        server: Config,
        name: String,
        url: String,
        how: String,
    }

    /// What the server does before it says that something is committed. The
    /// queue has its transactions on the disk also where others are not.
    const HOW: &str = "SELECT format(
        'PostgreSQL %s, fsync=%s, synchronous_commit=%s',
        split_part(current_setting('server_version'), ' ', 1),
        current_setting('fsync'),
        CASE current_setting('synchronous_commit')
            WHEN 'off' THEN 'on for the queue, and else off'
            ELSE current_setting('synchronous_commit')
        END)";

    /// A server on the same machine answers in milliseconds.
    const PATIENCE: Duration = Duration::from_secs(5);

    impl Scratch {
        /// Makes a database on the server of that address.
        ///
        /// # Errors
        ///
        /// Why there is none, in a line without a password.
        pub(in super::super) fn make(url: &str) -> Result<Self, String> {
            let at = |why: &dyn std::fmt::Display| {
                format!("{}: {why}", hidden(url))
            };
            let mut server: Config =
                url.parse().map_err(|error| at(&error))?;
            server.connect_timeout(PATIENCE);
            let name = format!("manyhands_{:016x}", fastrand::u64(..));
            run(&server, &format!("CREATE DATABASE {name}"))
                .map_err(|why| at(&why))?;
            let url = with_database(url, &name);
            let mut made = Self { server, name, url, how: String::new() };
            let how = run(&made.server, HOW).map_err(|why| at(&why))?;
            made.how = how.unwrap_or_default();
            Ok(made)
        }

        /// In a few words.
        pub(in super::super) fn how(&self) -> &str {
            &self.how
        }

        pub(in super::super) fn url(&self) -> &str {
            &self.url
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let name = &self.name;
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            if let Err(why) = run(&self.server, &drop) {
                crate::output::say(format!("database {name} stays: {why}"));
            }
        }
    }

    /// What it answers, if it is one word or line.
    fn run(
        server: &Config,
        statement: &str,
    ) -> Result<Option<String>, String> {
        let runtime = runtime().map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let asked = async {
                let (client, connection) = server.connect(NoTls).await?;
                let talk = tokio::spawn(connection);
                let done = ask(&client, statement).await;
                drop(client);
                talk.abort();
                done
            };
            match tokio::time::timeout(PATIENCE * 2, asked).await {
                Ok(done) => done.map_err(|error| told(&error)),
                Err(_) => Err("it does not answer".to_owned()),
            }
        })
    }

    async fn ask(
        client: &Client,
        statement: &str,
    ) -> Result<Option<String>, tokio_postgres::Error> {
        let answers = client.simple_query(statement).await?;
        Ok(answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    fn runtime() -> std::io::Result<Runtime> {
        Builder::new_current_thread().enable_all().build()
    }

    /// With its cause, which is what says something.
    fn told(error: &tokio_postgres::Error) -> String {
        let cause = std::error::Error::source(error);
        match cause {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        }
    }

    /// The address with another database in it.
    fn with_database(url: &str, name: &str) -> String {
        let (before, options) = match url.split_once('?') {
            Some((before, options)) => (before, format!("?{options}")),
            None => (url, String::new()),
        };
        let start = before.find("://").map_or(0, |at| at + 3);
        // After what may be a password, and may have anything in it.
        let host = before.rfind('@').map_or(start, |at| at + 1).max(start);
        let end =
            before[host..].find('/').map_or(before.len(), |at| host + at);
        format!("{}/{name}{options}", &before[..end])
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_the_database_of_an_address_changes() {
            for (url, with) in [
                ("postgres://h", "postgres://h/x"),
                ("postgres://h/", "postgres://h/x"),
                ("postgres://h:5/db", "postgres://h:5/x"),
                ("postgres://me:a@h:5/db", "postgres://me:a@h:5/x"),
                ("postgres://me:a/b@h/db", "postgres://me:a/b@h/x"),
                (
                    "postgres://h/db?sslmode=disable",
                    "postgres://h/x?sslmode=disable",
                ),
                ("postgres://h?user=me", "postgres://h/x?user=me"),
            ] {
                assert_eq!(with_database(url, "x"), with);
            }
        }
    }
}

#[cfg(not(feature = "postgres"))]
mod without {
    #[derive(Debug)]
    pub(in super::super) enum Scratch {}

    impl Scratch {
        pub(in super::super) fn make(_: &str) -> Result<Self, String> {
            Err("this program was built without it".to_owned())
        }

        pub(in super::super) fn url(&self) -> &str {
            match *self {}
        }

        pub(in super::super) fn how(&self) -> &str {
            match *self {}
        }
    }
}
