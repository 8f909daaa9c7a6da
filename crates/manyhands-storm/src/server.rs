//! A PostgreSQL server of the storm's own, to be stopped as it likes.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::unistd::geteuid;

/// Which is in no log: no other word has it in it.
pub(crate) const PASSWORD: &str = "n0b0dys-business";

/// Nobody, and its group: a server does not run as root.
const NOBODY: u32 = 65_534;

#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// It has a disk of its own, which is small.
    is_small: bool,
}

impl Server {
    /// Makes one in `folder`, and starts it. With `small`, its data is on a
    /// disk of its own, if one can be mounted.
    pub(crate) fn new(folder: &Path, small: bool) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let is_small = small && mount(folder);
        if geteuid().is_root() {
            chown(folder, Some(NOBODY), Some(NOBODY))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self {
            programs: programs()?,
            folder: folder.into(),
            port,
            is_small,
        };
        let mut init = server.program("initdb");
        let password = folder.join("password");
        fs::write(&password, PASSWORD)?;
        init.args(["--username=storm", "--auth=scram-sha-256", "--no-sync"]);
        init.arg("--pwfile").arg(&password);
        init.args(["--encoding=UTF8", "--locale=C", "--pgdata"]);
        run(init.arg(server.data()))?;
        server.start()?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// By way of a proxy.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://storm:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The small disk that it is on, if it is.
    pub(crate) fn small_disk(&self) -> Option<PathBuf> {
        self.is_small.then(|| self.folder.clone())
    }

    /// What it has said.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn start(&self) -> Result<()> {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c \
             unix_socket_directories= -c max_connections=200 -c \
             shared_buffers=64MB -c auto_explain.log_min_duration=0",
            self.port
        );
        let mut start = self.program("pg_ctl");
        start.args(["start", "--wait", "--timeout=60", "--options"]);
        start.arg(options).arg("--log").arg(self.log());
        run(start.arg("--pgdata").arg(self.data()))
    }

    /// At once: it has to recover when it starts.
    pub(crate) fn stop(&self) -> Result<()> {
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "--mode=immediate", "--pgdata"]);
        run(stop.arg(self.data()))
    }

    pub(crate) fn is_running(&self) -> bool {
        let mut status = self.program("pg_ctl");
        status.args(["status", "--pgdata"]).arg(self.data());
        run(&mut status).is_ok()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(&self.folder);
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
        if self.is_small {
            let _ = run(Command::new("umount").arg(&self.folder));
        }
    }
}

/// In memory, so that it is no evidence about power that fails: only about a
/// disk that is full.
fn mount(folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=400m", "storm"]).arg(folder);
    geteuid().is_root() && run(&mut mount).is_ok()
}

/// Where the server's programs are.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    let has = |folder: &PathBuf| folder.join("pg_ctl").exists();
    found.into_iter().rfind(has).context("no PostgreSQL server is installed")
}

fn run(command: &mut Command) -> Result<()> {
    // Not a pipe: the server that it starts would hold it open.
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let command = command.stderr(Stdio::null());
    let status = command.status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Runs statements, and returns the first column of their rows.
pub(crate) fn sql(url: &str, statements: &str) -> Result<Vec<String>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let work = async {
            let (client, connection) =
                tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            let driver = tokio::spawn(connection);
            let messages = client.simple_query(statements).await?;
            drop(client);
            let _ = driver.await;
            let rows =
                messages.into_iter().filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some(row.get(0).unwrap_or_default().to_owned())
                    }
                    _ => None,
                });
            Ok(rows.collect())
        };
        tokio::time::timeout(Duration::from_secs(60), work).await?
    })
}
