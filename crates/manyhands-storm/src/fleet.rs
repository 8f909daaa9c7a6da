//! The processes of a storm.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::target::Target;

/// A process. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it was made to die, if anywhere.
    pub(crate) crash: Option<String>,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).map(Pid::from_raw);
        if let Ok(pid) = pid {
            let _ = kill(pid, signal);
        }
    }

    /// With SIGSTOP, and waits until all of its threads stand still: those that
    /// run go on for a moment.
    pub(crate) fn freeze(&self) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(pid, Signal::SIGSTOP)?;
        let asked = Instant::now();
        let how = WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG;
        while !matches!(waitpid(pid, Some(how))?, WaitStatus::Stopped(..)) {
            ensure!(
                asked.elapsed() < Duration::from_secs(20),
                "process {pid} does not stop"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// With SIGKILL, and waits.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// With SIGTERM, and waits.
    pub(crate) fn stop(&mut self, within: Duration) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("process {} does not stop within {within:?}", self.id())
    }

    /// The processor time it has used, and the memory it has, in bytes.
    pub(crate) fn used(&self) -> Result<(Duration, u64)> {
        let folder = PathBuf::from(format!("/proc/{}", self.id()));
        let stat = std::fs::read_to_string(folder.join("stat"))?;
        let (_, rest) = stat.rsplit_once(')').context("stat")?;
        let field = |at: usize| -> Result<u64> {
            let field = rest.split_whitespace().nth(at);
            Ok(field.context("stat")?.parse()?)
        };
        // User and system time, in hundredths of a second.
        let time = Duration::from_millis((field(11)? + field(12)?) * 10);
        let pages = field(21)?;
        Ok((time, pages * 4096))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a process is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    /// Where it dies, and how often it passes there first.
    pub(crate) crash: Option<(String, u64)>,
    /// What its clock shows too much, in seconds.
    pub(crate) skew: i64,
    /// No file may grow beyond so many blocks of 512 bytes.
    pub(crate) largest_file: Option<u64>,
}

/// Starts processes of this program.
#[derive(Debug)]
pub(crate) struct Yard {
    program: PathBuf,
    folder: PathBuf,
    started: usize,
}

impl Yard {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("ledgers"))?;
        std::fs::create_dir_all(folder.join("logs"))?;
        let program = std::env::current_exe()?;
        Ok(Self { program, folder: folder.into(), started: 0 })
    }

    /// `arguments` begin with the subcommand.
    pub(crate) fn start(
        &mut self,
        target: &Target,
        arguments: &[String],
        how: &How,
    ) -> Result<Process> {
        self.started += 1;
        let mut words: Vec<String> = Vec::new();
        if let Some(blocks) = how.largest_file {
            // An error, and no signal.
            let script =
                format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
            words.extend(["sh".into(), "-c".into(), script, "sh".into()]);
        }
        words.push(self.program.to_string_lossy().into_owned());
        words.extend(arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.arg("--target").arg(target.to_string());
        command.arg("--folder").arg(&self.folder);
        command.env_remove("CRASH_AT").env_remove("CRASH_AFTER");
        // Poison is no news, and its trace takes a processor's time.
        command.env("RUST_BACKTRACE", "0");
        if how.skew != 0 {
            // Not by the program itself, which would stand between.
            let library = faketime().context("no faketime")?;
            command.env("LD_PRELOAD", library);
            command.env("FAKETIME", format!("{:+}s", how.skew));
            // Ledgers have a clock that is nobody's to set.
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        if let Some((point, after)) = &how.crash {
            command.env("CRASH_AT", point);
            command.env("CRASH_AFTER", after.to_string());
        }
        let log = format!("logs/{:04}-{}.log", self.started, arguments[0]);
        let log = File::create(self.folder.join(log))?;
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| words[0].clone())?;
        let crash = how.crash.as_ref().map(|(point, _)| point.clone());
        Ok(Process { child, crash })
    }
}

/// The library by which a process sees another time, if it is here.
pub(crate) fn faketime() -> Option<String> {
    let mut command = Command::new("faketime");
    command.args(["-f", "+1s", "printenv", "LD_PRELOAD"]);
    let output = command.stderr(Stdio::null()).output().ok()?;
    let library = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Some(library).filter(|it| !it.is_empty())
}
