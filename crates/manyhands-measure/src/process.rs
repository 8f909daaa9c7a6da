//! Processes that measure: starting them, talking to them, and leaving none
//! behind.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{
    Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::child::CHILD;
use crate::wire::{Ask, Said};

/// This program once more, with the same arguments: what [`measure`] starts
/// when nothing else is wanted.
///
/// # Errors
///
/// The system does not say which program this is.
///
/// [`measure`]: crate::measure
pub fn myself() -> io::Result<Command> {
    // The very file that runs, even if another has taken its name since.
    let exact = std::path::Path::new("/proc/self/exe");
    let program = match exact.exists() {
        true => exact.to_owned(),
        false => std::env::current_exe()?,
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    Ok(command)
}

/// Ends a comparison from elsewhere, from what listens for Ctrl-C for one.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_stopped: bool,
    /// Those that run, and whom nobody has waited for yet.
    running: Vec<Arc<Mutex<Child>>>,
}

impl Control {
    /// Nothing is ended yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all processes at once, and lets none start any more. The run that
    /// they are at is lost, what was measured before it is not.
    pub fn stop(&self) {
        let mut shared = self.lock();
        shared.is_stopped = true;
        for child in &shared.running {
            kill(&mut locked(child));
        }
    }

    /// True after [`stop`](Self::stop).
    pub fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a comparison came to nothing, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub(crate) String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Why a process does not answer.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The control was stopped, and with it everything.
    Stopped,
    /// Something is wrong.
    Broken(Broken),
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// A process that measures. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    /// From 1.
    number: usize,
    control: Control,
    child: Arc<Mutex<Child>>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it, in a group of processes of its own, so that it can be ended
    /// with all that it starts itself.
    pub(crate) fn start(
        number: usize,
        mut command: Command,
        control: &Control,
    ) -> Result<Self, Halt> {
        command.env(CHILD, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);

        // With the lock held, so that whoever stops ends this one too.
        let mut shared = control.lock();
        if shared.is_stopped {
            return Err(Halt::Stopped);
        }
        let mut child = command
            .spawn()
            .map_err(|why| broken(number, &format!("cannot start: {why}")))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) =
            pipes.ok_or_else(|| broken(number, "has no pipes"))?;
        let child = Arc::new(Mutex::new(child));
        shared.running.push(Arc::clone(&child));
        drop(shared);
        let (control, stdout) = (control.clone(), BufReader::new(stdout));
        Ok(Self { number, control, child, stdin, stdout })
    }

    /// Asks for something and waits for the answer, which is what `doing` is
    /// about.
    pub(crate) fn ask(&mut self, ask: Ask, doing: &str) -> Result<Said, Halt> {
        let line = ask.line();
        let asked = self.stdin.write_all(line.as_bytes());
        match asked.and_then(|()| self.stdin.flush()) {
            Ok(()) => self.hear(doing),
            Err(_) => Err(self.gone(doing)),
        }
    }

    /// Waits for the next thing that it says.
    pub(crate) fn hear(&mut self, doing: &str) -> Result<Said, Halt> {
        let mut line = String::new();
        let is_line = match self.stdout.read_line(&mut line) {
            Ok(bytes) => bytes > 0,
            Err(why) if why.kind() == io::ErrorKind::InvalidData => true,
            Err(_) => false,
        };
        if self.control.is_stopped() {
            return Err(Halt::Stopped);
        }
        if !is_line {
            return Err(self.gone(doing));
        }
        match Said::read(&line) {
            Some(Said::Wrong(why)) => Err(Broken(why).into()),
            Some(said) => Ok(said),
            None => Err(self.misspoke(&line).into()),
        }
    }

    /// It said something that nobody asked for.
    pub(crate) fn misspoke(&self, said: &str) -> Broken {
        let said: String = said.trim_end().chars().take(60).collect();
        let said = said.escape_debug();
        broken(self.number, &format!("printed '{said}', which is no answer"))
    }

    /// It ended, by itself unless the control was stopped.
    fn gone(&self, doing: &str) -> Halt {
        if self.control.is_stopped() {
            return Halt::Stopped;
        }
        let how = match end_of(&mut locked(&self.child)) {
            Some(status) => format!("ended ({status})"),
            None => "said no more".to_owned(),
        };
        broken(self.number, &format!("{how} {doing}")).into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        {
            let mut child = locked(&self.child);
            kill(&mut child);
            // It cannot but end now.
            let _ = child.wait();
        }
        // Only now, for whoever stops must find those that run.
        let is_other = |it: &Arc<_>| !Arc::ptr_eq(it, &self.child);
        self.control.lock().running.retain(is_other);
    }
}

fn broken(number: usize, what: &str) -> Broken {
    Broken(format!("process {number} of the measurement {what}"))
}

/// How it ended. It has closed its end of a pipe, so it is about to; `None`
/// if it takes its time.
fn end_of(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..1000 {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        sleep(Duration::from_millis(1));
    }
    None
}

/// Ends a child, and whatever it has started. One that nobody has waited for
/// keeps its number, so no other can be hit.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let (Ok(None), Ok(id)) = (child.try_wait(), i32::try_from(child.id())) {
        use nix::sys::signal::{Signal, killpg};
        let _ = killpg(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.kill();
}
