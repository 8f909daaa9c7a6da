//! What the system says about this process, on systems with a `/proc`.

use std::collections::{BTreeMap, BTreeSet};
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

/// What all threads but `others` do, for the end of a line:
/// `; threads: 2 × worker sleeping in futex_wait`. Nothing where it cannot be
/// known. A thread without a name of its own has that of its maker.
pub(crate) fn what_they_do(others: &BTreeSet<Tid>) -> String {
    let mut groups = BTreeMap::<String, usize>::new();
    for thread in threads().iter().flatten() {
        if !others.contains(thread) {
            let does = what_it_does(*thread);
            *groups.entry(does.unwrap_or_default()).or_default() += 1;
        }
    }
    // Those that ended meanwhile.
    groups.remove("");
    let phrase = |(does, count)| match count {
        1 => does,
        _ => format!("{count} × {does}"),
    };
    let phrases: Vec<String> = groups.into_iter().map(phrase).collect();
    match phrases.is_empty() {
        true => String::new(),
        false => format!("; threads: {}", phrases.join(", ")),
    }
}

fn what_it_does(thread: Tid) -> Option<String> {
    let about = |what: &str| {
        let path = format!("/proc/self/task/{thread}/{what}");
        let text = read_to_string(path).ok()?;
        Some(text.trim().replace(char::is_control, "?"))
    };
    let name = about("comm")?;
    let stat = about("stat")?;
    let state = match stat.rsplit_once(") ")?.1.chars().next()? {
        'R' => "running",
        'S' => "sleeping",
        'D' => "waiting for a device",
        'T' | 't' => "stopped",
        _ => "ending",
    };
    // Where in the kernel, if the system tells.
    let place = about("wchan").filter(|at| !["", "0"].contains(&at.as_str()));
    let place = place.map(|at| format!(" in {at}")).unwrap_or_default();
    Some(format!("{name} {state}{place}"))
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
