//! Chromium's own protocol, on a pair of pipes: in order, and to the end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

/// No answer takes longer than this.
const WATCHDOG: Duration = Duration::from_secs(60);

/// The browser reads from 3 and writes to 4, where a command has neither.
const ON_3_AND_4: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

const FLAGS: [&str; 7] = [
    "--headless",
    // There is no page here but our own; and containers lack what it needs.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// A browser, and what it says.
pub(crate) struct Pipe {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last_id: u64,
    /// What it told without being asked, in its order.
    events: Vec<Value>,
    profile: TempDir,
}

impl Pipe {
    pub(crate) fn start(chrome: &Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut child = Command::new("sh")
            .args(["-c", ON_3_AND_4])
            .arg(chrome)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(profile.path().join("errors"))?)
            .spawn()?;
        let to = child.stdin.take().context("no pipe to write to")?;
        let said = child.stdout.take().context("no pipe to read from")?;
        let (sender, from) = channel();
        thread::spawn(move || forward(said, &sender));
        Ok(Self { child, to, from, last_id: 0, events: Vec::new(), profile })
    }

    /// Has the browser, or the page of a session, do something, and says what
    /// came of it.
    pub(crate) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut call = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        let call = format!("{call}\0");
        self.to.write_all(call.as_bytes()).with_context(|| self.errors())?;
        let until = Instant::now() + WATCHDOG;
        loop {
            let mut message =
                self.next(until).with_context(|| method.to_owned())?;
            if message["id"] != id {
                self.events.push(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                bail!("{method}: {}", message["error"]);
            }
        }
    }

    /// Waits until there is such an event.
    pub(crate) fn wait_for(
        &mut self,
        is_it: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + WATCHDOG;
        let mut at = 0;
        loop {
            if self.events[at..].iter().any(&is_it) {
                return Ok(());
            }
            at = self.events.len();
            let message = self.next(until)?;
            self.events.push(message);
        }
    }

    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    fn next(&self, until: Instant) -> anyhow::Result<Value> {
        let left = until.saturating_duration_since(Instant::now());
        self.from.recv_timeout(left).map_err(|why| match why {
            RecvTimeoutError::Timeout => anyhow!("not within {WATCHDOG:?}"),
            RecvTimeoutError::Disconnected => anyhow!(self.errors()),
        })
    }

    fn errors(&self) -> String {
        let errors = fs::read_to_string(self.profile.path().join("errors"));
        format!("the browser has ended: {}", errors.unwrap_or_default())
    }
}

/// Messages end with a zero byte.
fn forward(said: impl Read, sender: &Sender<Value>) {
    for message in BufReader::new(said).split(0) {
        let Ok(message) = message else { return };
        let Ok(message) = serde_json::from_slice(&message) else { return };
        if sender.send(message).is_err() {
            return;
        }
    }
}

impl Drop for Pipe {
    /// The folder can only be removed when the browser no longer writes to it.
    fn drop(&mut self) {
        if self.call(None, "Browser.close", &json!({})).is_ok() {
            let until = Instant::now() + WATCHDOG;
            while self.next(until).is_ok() {}
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
