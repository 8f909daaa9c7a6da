//! Starting the program, and not waiting for it for ever.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What takes longer than this hangs. No test needs more than seconds, unless
/// the machine is busy with something else; the long forms need minutes.
fn watchdog() -> Duration {
    Duration::from_secs(if is_deep() { 3000 } else { 300 })
}

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
    started(&mut command(arguments))
}

/// Starts a command whose output goes into pipes.
pub(crate) fn started(command: &mut Command) -> Running {
    let mut child = command.spawn().unwrap();
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

/// The program after a few words of the shell, limits for one, which hold for
/// the program too.
#[cfg(unix)]
pub(crate) fn after<S: AsRef<OsStr>>(words: &str, arguments: &[S]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{words} exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_manyhands")).args(arguments);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// True for the superuser, whom no permission bits hold back.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

/// The program as a user whom permission bits hold back: as nobody if the
/// tests run as root. The directory is then nobody's.
#[cfg(unix)]
pub(crate) fn unprivileged<S: AsRef<OsStr>>(
    dir: &TempDir,
    arguments: &[S],
) -> Command {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    if !is_root() {
        return command(arguments);
    }
    // Where the tests are built, nobody may not even look.
    let program = dir.path().join(".program");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_manyhands"), &program).unwrap();
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, open).unwrap();
    chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(program);
    command.uid(NOBODY).gid(NOBODY).args(arguments);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Says on stderr that a test shows nothing here, and why.
#[allow(clippy::print_stderr, reason = "nobody would know otherwise")]
pub(crate) fn skipped(why: &str) {
    // Past what the tests' harness keeps back.
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// True if the long forms of tests are asked for.
pub(crate) fn is_deep() -> bool {
    std::env::var("MANYHANDS_DEEP").is_ok_and(|it| !["", "0"].contains(&&*it))
}

/// What must be there when the program has refused something, or failed: that
/// exit code, one line, and no result.
pub(crate) fn failed(ended: &Ended, code: i32) -> &str {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    let line = ended.stderr.strip_suffix('\n').unwrap();
    assert!(line.starts_with("error: "), "{ended:?}");
    assert!(!line.contains(char::is_control), "{ended:?}");
    line
}

/// The names in a directory, sorted.
pub(crate) fn entries(dir: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path()).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

impl Running {
    /// Waits until it listens for signals, which would end it before. Where
    /// the system does not tell, waits for what that takes many times over.
    #[cfg(unix)]
    pub(crate) fn wait_until_it_listens(&self) {
        const SIGINT: u32 = 2;
        let status = format!("/proc/{}/status", self.child.id());
        let deadline = Instant::now() + watchdog();
        while Instant::now() < deadline {
            let Ok(status) = std::fs::read_to_string(&status) else {
                return thread::sleep(Duration::from_secs(1));
            };
            let caught = status.lines().find_map(|line| {
                let mask = line.strip_prefix("SigCgt:")?.trim();
                u64::from_str_radix(mask, 16).ok()
            });
            if caught.is_none_or(|mask| mask >> (SIGINT - 1) & 1 == 1) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("the program does not listen");
    }

    /// Its number.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Does something again and again until the program has ended.
    pub(crate) fn until_ended(&mut self, mut again: impl FnMut()) {
        let deadline = Instant::now() + watchdog();
        while self.is_running() {
            assert!(Instant::now() < deadline, "the program hangs");
            again();
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reads no more of stderr.
    pub(crate) fn close_stderr(&mut self) {
        (_, self.stderr) = channel();
    }

    /// The next line of stdout.
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(watchdog()).unwrap()
    }

    /// The next line of stderr.
    pub(crate) fn said(&self) -> String {
        self.stderr.recv_timeout(watchdog()).unwrap()
    }

    /// Reads no more of stdout.
    pub(crate) fn close_stdout(&mut self) {
        // Its thread closes the pipe with the next line.
        (_, self.stdout) = channel();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }

    /// True while it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end, and returns what was not read yet.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait(&mut self.child);
        let rest = |lines: &mut Receiver<String>| {
            let lines = std::mem::replace(lines, channel().1);
            lines.iter().map(|line| line + "\n").collect()
        };
        Ended {
            code: status.code(),
            stdout: rest(&mut self.stdout),
            stderr: rest(&mut self.stderr),
        }
    }
}

/// A test that fails leaves nothing running.
impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub(crate) fn kill(signal: &str, process: &str) {
    let kill = format!("kill -{signal} {process}");
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success(), "{kill}");
}

/// Waits until something is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + watchdog();
    while !is_so() {
        assert!(Instant::now() < deadline, "it hangs");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits for the end of a child.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + watchdog();
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
