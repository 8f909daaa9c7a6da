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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::watchdog;

    #[test]
    fn threads_that_do_the_same_are_counted_together() {
        watchdog(|| {
            let others = threads().unwrap();
            let (own, receive) = channel();
            let (done, wait) = channel::<()>();
            let runner = thread::Builder::new().name("runner".to_owned());
            let began = own.clone();
            let runs = runner.spawn(move || {
                began.send(this_thread().unwrap()).unwrap();
                while wait.try_recv().is_err() {}
            });
            receive.recv().unwrap();
            let twins = [(); 2].map(|()| {
                let own = own.clone();
                let twin = thread::Builder::new().name("twin".to_owned());
                twin.spawn(move || {
                    own.send(this_thread().unwrap()).unwrap();
                    thread::park();
                })
                .unwrap()
            });
            // At first they may sleep in other places, or not yet.
            let twins_sleep = || {
                let said = what_they_do(&others);
                assert!(said.starts_with("; threads: "), "{said}");
                assert!(said.contains("runner running"), "{said}");
                assert!(!said.contains("1 × "), "{said}");
                said.contains("2 × twin sleeping")
            };
            while !twins_sleep() {
                thread::yield_now();
            }
            let twin = || receive.recv().unwrap();
            assert!([twin(), twin()].into_iter().all(is_asleep));
            assert!(!is_asleep(this_thread().unwrap()));
            for twin in twins {
                twin.thread().unpark();
                twin.join().unwrap();
            }
            done.send(()).unwrap();
            runs.unwrap().join().unwrap();
        });
    }
}
