//! Starting the program, and not waiting for it for ever.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What takes longer than this hangs. No test needs more than seconds, unless
/// the machine is busy with something else.
const WATCHDOG: Duration = Duration::from_secs(300);

/// What a program that has ended leaves behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Lines of stdout as they come, until it is closed.
    stdout: Receiver<String>,
    /// Lines of stderr as they come.
    stderr: Receiver<String>,
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> Ended {
    start(arguments).end()
}

/// Runs the program to its end, which must be a good one, and returns what it
/// printed.
pub(crate) fn stdout_of<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let ended = run(arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended.stdout
}

/// Text as if it had no line breaks: sentences are broken where they must.
pub(crate) fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs the program to its good end, and parses what it printed.
pub(crate) fn json_of<S: AsRef<OsStr> + Debug>(
    arguments: &[S],
) -> serde_json::Value {
    serde_json::from_str(&stdout_of(arguments)).unwrap()
}

pub(crate) fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Running {
    let mut child = command(arguments).spawn().unwrap();
    let stdout = lines(child.stdout.take().unwrap());
    let stderr = lines(child.stderr.take().unwrap());
    Running { child, stdout, stderr }
}

/// The program, with its output in pipes.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyhands"));
    command.args(arguments);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    /// The next line of stdout.
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(WATCHDOG).unwrap()
    }

    /// The next line of stderr.
    pub(crate) fn said(&self) -> String {
        self.stderr.recv_timeout(WATCHDOG).unwrap()
    }

    /// Reads no more of stdout.
    pub(crate) fn close_stdout(&mut self) {
        // Its thread closes the pipe with the next line.
        (_, self.stdout) = channel();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }

    /// True while it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end, and returns what was not read yet.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait(&mut self.child);
        let rest = |lines: Receiver<String>| {
            lines.iter().map(|line| line + "\n").collect()
        };
        Ended {
            code: status.code(),
            stdout: rest(self.stdout),
            stderr: rest(self.stderr),
        }
    }
}

/// Waits for the end of a child.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + WATCHDOG;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the program hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads lines on a thread, until nobody wants them or there are no more.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A directory with three files.
pub(crate) fn three_files() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("a", "one\n"), ("b", "two words\n"), ("c", "")] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}
