//! What the system says about this process, on systems with a `/proc`.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_link, read_to_string};
use std::time::Duration;

/// A thread, as the system names it.
pub(crate) type Tid = u32;

/// The threads of this process.
pub(crate) fn threads() -> Option<BTreeSet<Tid>> {
    let entries = read_dir("/proc/self/task").ok()?;
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.ok()?.file_name().to_str()?.parse().ok()
    };
    Some(entries.filter_map(name).collect())
}

/// The calling thread.
pub(crate) fn this_thread() -> Option<Tid> {
    let path = read_link("/proc/thread-self").ok()?;
    path.file_name()?.to_str()?.parse().ok()
}

/// True if the thread is waiting for something, or gone.
pub(crate) fn is_asleep(thread: Tid) -> bool {
    // `123 (name) S …`: the name may hold anything, also parentheses.
    match read_to_string(format!("/proc/self/task/{thread}/stat")) {
        Ok(stat) => stat.rsplit_once(") ").is_none_or(|(_, rest)| {
            rest.starts_with('S') || rest.starts_with('Z')
        }),
        Err(_) => true,
    }
}

/// What a thread has used so far: processor time, and how often it was put
/// on a processor.
pub(crate) fn usage(thread: Tid) -> Option<(Duration, u64)> {
    let path = format!("/proc/self/task/{thread}/schedstat");
    let stat = read_to_string(path).ok()?;
    let mut fields = stat.split_whitespace().map(str::parse::<u64>);
    let [time, _waited, times] = [(); 3].map(|()| fields.next());
    Some((Duration::from_nanos(time?.ok()?), times?.ok()?))
}

/// How many files this process holds open.
pub(crate) fn open_files() -> Option<usize> {
    // One of them is this very directory, each time.
    Some(read_dir("/proc/self/fd").ok()?.count())
}

/// How many bytes of this process are in memory.
pub(crate) fn resident() -> Option<usize> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
