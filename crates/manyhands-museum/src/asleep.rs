//! Whether a thread that is going to wait does so already.

use std::fs::{read_link, read_to_string};
use std::path::{Path, PathBuf};
use std::thread::{self, ThreadId, sleep};
use std::time::{Duration, Instant};

/// A thread that is about to fall asleep.
pub(crate) struct Sleeper {
    /// Where the system says what it does, on systems with a `/proc`.
    stat: Option<PathBuf>,
    thread: ThreadId,
}

/// How long one that is not seen to wait is waited for: on a busy machine it
/// may be long before it is let run. No act of the museum needs any of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one is given where nobody can see whether it waits.
const BLIND: Duration = Duration::from_millis(20);

impl Sleeper {
    pub(crate) fn this_thread() -> Self {
        let path = read_link("/proc/thread-self").ok();
        let stat = path.map(|path| Path::new("/proc").join(path).join("stat"));
        Self { stat, thread: thread::current().id() }
    }

    /// Waits until it is asleep, or gone. One that comes here itself has slept.
    pub(crate) fn wait(&self) {
        if self.thread == thread::current().id() {
            return;
        }
        let Some(stat) = &self.stat else { return sleep(BLIND) };
        let deadline = Instant::now() + PATIENCE;
        while is_awake(stat) && Instant::now() < deadline {
            sleep(Duration::from_micros(50));
        }
    }
}

/// `123 (name) R …`: the name may hold anything, also parentheses.
fn is_awake(stat: &Path) -> bool {
    let Ok(stat) = read_to_string(stat) else { return false };
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['S', 'Z']))
}
