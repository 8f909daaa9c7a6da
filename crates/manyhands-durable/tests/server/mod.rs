//! Servers and databases for tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use manyhands_durable::postgres::tokio_postgres::{
    Client, NoTls, connect, types::FromSqlOwned,
};

/// A database of a test's own, which goes with it.
pub(crate) struct Database {
    server: String,
    name: String,
    url: String,
}

/// `None` where there is no server for tests.
pub(crate) fn database(test: &str) -> Option<Database> {
    let Ok(server) = std::env::var("MANYHANDS_TEST_POSTGRES") else {
        skip(test);
        return None;
    };
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let (nanos, process) = (since.as_nanos(), std::process::id());
    let name = format!("mh_{test}_{process}_{:x}", nanos & 0xffff_ffff);
    let base = server.rsplit_once('/').unwrap().0;
    let url = format!("{base}/{name}");
    on(&server, async |client| {
        let sql = format!("create database {name}");
        client.batch_execute(&sql).await.unwrap();
    });
    Some(Database { server, name, url })
}

fn skip(test: &str) {
    // Past what the tests' harness keeps back.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {test}: `.ci/postgres cargo test` runs it beside a server, \
         or set MANYHANDS_TEST_POSTGRES to the URL of one"
    );
}

fn on<T>(url: &str, ask: impl AsyncFnOnce(&mut Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut client, connection) = connect(url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let answer = ask(&mut client).await;
        drop(client);
        let _ = connection.await;
        answer
    })
}

impl Database {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn run(&self, sql: &str) {
        on(&self.url, async |client| {
            client.batch_execute(sql).await.unwrap();
        });
    }

    pub(crate) fn ask<T: FromSqlOwned>(&self, sql: &str) -> T {
        on(&self.url, async |client| {
            client.query_one(sql, &[]).await.unwrap().get(0)
        })
    }

    pub(crate) fn run_async<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Client) -> T,
    ) -> T {
        on(&self.url, ask)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database {} with (force)", self.name);
        on(&self.server, async |client| {
            let _ = client.batch_execute(&sql).await;
        });
    }
}

/// A server that can be stopped.
pub(crate) struct Private {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

/// Where PostgreSQL's programs may be.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// `None` where there are no programs for it.
pub(crate) fn private(test: &str) -> Option<Private> {
    let programs = Path::new(PROGRAMS);
    if std::env::var_os("MANYHANDS_TEST_POSTGRES").is_none()
        || !programs.join("initdb").exists()
    {
        skip(test);
        return None;
    }
    // Below those that the system gives to clients: one of them could be a
    // port of its own while the server is away.
    let taken = (20000..30000)
        .map(|port| port + (std::process::id() % 1000) as u16)
        .find(|port| {
            std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()
        });
    let folder = tempfile::tempdir().unwrap();
    let mut server =
        Private { programs: programs.into(), folder, port: taken.unwrap() };
    let path = server.folder.path().to_owned();
    let owned = Command::new("chown").arg("nobody").arg(&path).status();
    assert!(owned.unwrap().success());
    let data = server.data();
    let made = server
        .command("initdb")
        .args(["-U", "hands", "-A", "trust", "-D"])
        .arg(data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    server.start();
    Some(server)
}

impl Private {
    pub(crate) fn url(&self) -> String {
        format!("postgres://hands@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The server does not run as root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .arg(self.programs.join(program))
            .current_dir(self.folder.path());
        command
    }

    pub(crate) fn start(&mut self) {
        let begun = Instant::now();
        loop {
            let options = format!(
                "-p {} -c listen_addresses=127.0.0.1 -k {}",
                self.port,
                self.folder.path().display(),
            );
            let started = self
                .command("pg_ctl")
                .args(["start", "-w", "-l", "log", "-o", &options, "-D"])
                .arg(self.data())
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            if started.success() {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// From here on it offers TLS, as `localhost`, by an authority of its own:
    /// in the file that is returned.
    pub(crate) fn use_tls(&mut self) -> String {
        let data = self.data();
        let openssl = |args: &str| {
            let made = Command::new("setpriv")
                .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
                .arg("openssl")
                .args(args.split(' '))
                .current_dir(&data)
                .output()
                .unwrap();
            assert!(made.status.success(), "{args}: {made:?}");
        };
        let new = "req -x509 -newkey rsa:2048 -nodes -days 2";
        openssl(&format!(
            "{new} -subj /CN=authority -keyout ca.key -out ca.pem"
        ));
        openssl(&format!(
            "{new} -subj /CN=localhost -keyout server.key -out server.crt \
             -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:localhost \
             -addext basicConstraints=critical,CA:FALSE"
        ));
        let conf = data.join("postgresql.conf");
        let mut conf =
            std::fs::OpenOptions::new().append(true).open(conf).unwrap();
        writeln!(conf, "ssl = on").unwrap();
        self.stop("fast");
        self.start();
        data.join("ca.pem").display().to_string()
    }

    pub(crate) fn stop(&mut self, how: &str) {
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "-w", "-m", how, "-D"])
            .arg(self.data())
            .output();
        assert!(stopped.unwrap().status.success());
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = self
            .command("pg_ctl")
            .args(["stop", "-m", "immediate", "-D"])
            .arg(self.data())
            .output();
    }
}
