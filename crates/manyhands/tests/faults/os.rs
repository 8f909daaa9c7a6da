//! What the system says about this process.

use std::fs::{read_dir, read_link, read_to_string};
use std::thread;

/// A thread, as the system names it.
pub(crate) type Tid = u32;

/// The calling thread.
pub(crate) fn this_thread() -> Tid {
    let path = read_link("/proc/thread-self").unwrap();
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// The threads of this process.
pub(crate) fn threads() -> Vec<Tid> {
    read_dir("/proc/self/task")
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .map(|name| name.to_str().unwrap().parse().unwrap())
        .collect()
}

/// Waits until the process has no more threads than this. A thread that was
/// joined may be listed for a moment longer; one that is left over hangs
/// here, in its watchdog.
pub(crate) fn threads_back_to(count: usize) {
    while threads().len() > count {
        thread::yield_now();
    }
}

/// Waits until the thread waits for something, or has ended.
pub(crate) fn asleep(thread: Tid) {
    let stat = format!("/proc/self/task/{thread}/stat");
    // `123 (name) S …`: the name may hold anything, also parentheses.
    let awake = |stat: String| {
        let (_, state) = stat.rsplit_once(") ").unwrap();
        !state.starts_with(['S', 'Z', 'X'])
    };
    while read_to_string(&stat).is_ok_and(awake) {
        thread::yield_now();
    }
}

/// Waits until every other thread does.
pub(crate) fn others_asleep() {
    let this = this_thread();
    threads().into_iter().filter(|&other| other != this).for_each(asleep);
}

/// How often the thread gave the processor away, by waiting.
pub(crate) fn waits(thread: Tid) -> Option<u64> {
    let path = format!("/proc/self/task/{thread}/status");
    let status = read_to_string(path).ok()?;
    field(&status, "voluntary_ctxt_switches:")
}

/// How many files this process holds open.
pub(crate) fn open_files() -> usize {
    // One of them is this very directory, each time.
    read_dir("/proc/self/fd").unwrap().count()
}

/// How many KiB of this process are in memory.
pub(crate) fn resident() -> u64 {
    status("VmRSS:")
}

/// How many KiB of addresses this process has.
pub(crate) fn addresses() -> u64 {
    status("VmSize:")
}

fn status(name: &str) -> u64 {
    let status = read_to_string("/proc/self/status").unwrap();
    field(&status, name).unwrap()
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
