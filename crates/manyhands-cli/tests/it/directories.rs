//! Directories that nobody should have, and some do.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{
    failed, is_deep, json_of, run, skipped, start, started, stdout_of,
    unprivileged, unwrapped,
};

const FORMATS: [&str; 4] = ["table", "json", "csv", "md"];

/// A comparison of one variant on what is in there.
fn compare<'a>(input: &'a OsStr, format: &'a str) -> Vec<&'a OsStr> {
    let arguments = ["compare", "--rounds", "1", "--variants", "channel"];
    let mut arguments = arguments.map(OsStr::new).to_vec();
    arguments.extend(["--format", format, "--input"].map(OsStr::new));
    arguments.push(input);
    arguments
}

#[test]
fn links_fifos_and_sockets_are_told_and_hold_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::write(root.join("file"), "text").unwrap();
    fs::create_dir(root.join("sub")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("..", root.join("sub/up")).unwrap();
    symlink("/dev/zero", root.join("zero")).unwrap();
    let fifo = root.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    let report = json_of(&compare(root.as_os_str(), "json"));
    assert_eq!(report["workload"]["jobs"], 7);
    assert_eq!(report["workload"]["unread_inputs"], 6);
    let unread = report["workload"]["unread"].as_array().unwrap();
    let unread: Vec<_> =
        unread.iter().map(|it| it.as_str().unwrap()).collect();
    for (place, name, why) in [
        (0, "dangling", "a symbolic link, not followed"),
        (1, "fifo", "a FIFO, socket or device, not opened"),
        (2, "loop", "a symbolic link, not followed"),
        (3, "socket", "a FIFO, socket or device, not opened"),
        (4, "sub/up", "a symbolic link, not followed"),
        (5, "zero", "a symbolic link, not followed"),
    ] {
        let line = format!("{}/{name}: {why}", root.display());
        assert_eq!(unread[place], line);
    }
}

#[test]
fn an_input_that_is_no_directory_is_refused_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let fifo = root.join("fifo\n\x1b[31m");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [
        &root.join("loop"),
        &root.join("dangling"),
        &fifo,
        Path::new("/dev/null"),
    ] {
        let ended = run(&compare(path.as_os_str(), "table"));
        let line = failed(&ended, 2);
        assert!(line.contains("`"), "{line}");
    }
}

#[test]
fn no_name_reaches_a_terminal_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("in\n\x1b[2J put\u{202e}");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "text").unwrap();
    let names: [&[u8]; 4] =
        [b"a\nnew line", b"b\x1b[31mred", b"c\xff\x9b", b"d\xe2\x80\xae"];
    for name in names {
        symlink("x", root.join(OsStr::from_bytes(name))).unwrap();
    }
    let is_odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    let input = r"in\n\u{1b}[2J put\u{202e}";
    for format in FORMATS {
        let ended = run(&compare(root.as_os_str(), format));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.stdout.contains(is_odd), "{ended:?}");
        let shown = match format {
            "csv" => continue,
            "json" => input.replace('\\', r"\\"),
            "md" => input.to_owned(),
            _ => unwrapped(input),
        };
        assert!(unwrapped(&ended.stdout).contains(&shown), "{ended:?}");
    }
    let report = json_of(&compare(root.as_os_str(), "json"));
    let unread = report["workload"]["unread"].as_array().unwrap();
    let ends = [
        r"/a\nnew line: a",
        r"/b\u{1b}[31mred: a",
        r"/c\xff\x9b: a",
        r"/d\u{202e}: a",
    ];
    for (line, end) in unread.iter().zip(ends) {
        assert!(line.as_str().unwrap().contains(end), "{line}");
    }
    assert_eq!(unread.len(), names.len());
    // The first of them, as `run` tells it.
    let mut arguments = ["run", "inline", "--work", "files", "--input"]
        .map(OsStr::new)
        .to_vec();
    arguments.push(root.as_os_str());
    let ended = run(&arguments);
    assert!(!ended.stderr.contains(is_odd), "{ended:?}");
    assert!(ended.stderr.contains(r"/a\nnew line: a"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

#[test]
fn what_may_not_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let forbid = |name: &str| {
        let nothing = Permissions::from_mode(0o000);
        fs::set_permissions(root.join(name), nothing).unwrap();
    };
    for name in ["in/closed", "shut"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["in/file", "in/secret", "in/closed/file", "shut/file"] {
        fs::write(root.join(name), "text").unwrap();
    }
    forbid("in/closed");
    forbid("in/secret");
    forbid("shut");
    let input = root.join("in");
    let arguments = compare(input.as_os_str(), "json");
    let mut command = unprivileged(&dir, &arguments);
    let ended = started(&mut command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: serde_json::Value =
        serde_json::from_str(&ended.stdout).unwrap();
    let unread = &report["workload"]["unread"];
    for (place, name) in ["closed", "secret"].into_iter().enumerate() {
        let why = "Permission denied (os error 13)";
        let line = format!("{}/{name}: {why}", input.display());
        assert_eq!(unread[place], line, "{report}");
    }

    let input = root.join("shut");
    let arguments = compare(input.as_os_str(), "table");
    let mut command = unprivileged(&dir, &arguments);
    let ended = started(&mut command).end();
    let line = failed(&ended, 2);
    assert!(line.contains("/shut`: Permission denied"), "{line}");
    // So that the directory can be removed.
    for name in ["in/closed", "shut"] {
        let all = Permissions::from_mode(0o700);
        fs::set_permissions(root.join(name), all).unwrap();
    }
}

/// What not even the superuser may read: the system has files that can only
/// be written.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_by_anybody_is_told() {
    let input = Path::new("/sys/bus/cpu");
    if !input.join("uevent").exists() {
        return skipped("there is no /sys/bus/cpu/uevent");
    }
    let report = json_of(&compare(input.as_os_str(), "json"));
    let unread = report["workload"]["unread"].as_array().unwrap();
    let found = unread.iter().filter_map(|line| line.as_str());
    let found = found.filter(|line| line.starts_with("/sys/bus/cpu/uevent: "));
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{report}");
    assert!(found[0].contains(" (os error "), "{report}");
}

/// No file is held in memory, nor a line of it.
#[cfg(target_os = "linux")]
#[test]
fn a_file_of_one_long_line_takes_little_memory() {
    let length = if is_deep() { 1 << 30 } else { 24 << 20 };
    let dir = tempfile::tempdir().unwrap();
    // All zeros, and no disk is used for them.
    let file = File::create(dir.path().join("line")).unwrap();
    file.set_len(1).unwrap();
    let least = peak_of_a_run(&dir, 1);
    file.set_len(length).unwrap();
    let grown = peak_of_a_run(&dir, 1).saturating_sub(least);
    assert!(grown < 6 << 20, "grew by {grown} bytes");
}

/// The most memory that the program has while it reads those files, in bytes.
#[cfg(target_os = "linux")]
fn peak_of_a_run(dir: &TempDir, files: usize) -> u64 {
    let input = dir.path().to_str().unwrap();
    let mut running =
        start(&["run", "channel", "--work", "files", "--input", input]);
    let mut most = 0;
    let status = format!("/proc/{}/status", running.id());
    // What counts grows, and stays until the end.
    running.until_ended(|| {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        let number = peak.and_then(|it| it.split_whitespace().next());
        most = number.map_or(most, |it| it.parse::<u64>().unwrap() << 10);
    });
    let ended = running.end();
    let sum = format!("channel: {files} job");
    assert!(ended.stdout.contains(&sum), "{ended:?}");
    assert!(most > 0);
    most
}

/// Two bytes each, in directories of a thousand. All but the first of each are
/// further names of that: a million files would keep the disk busy, not the
/// program, to which a name is a file. In memory, where there is such a place.
fn many_files(files: usize) -> TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    let dir = memory.or_else(|_| tempfile::tempdir()).unwrap();
    for number in 0..files {
        let sub = dir.path().join((number / 1000).to_string());
        if number % 1000 == 0 {
            fs::create_dir(&sub).unwrap();
            fs::write(sub.join("0"), "x\n").unwrap();
        } else {
            let name = sub.join((number % 1000).to_string());
            fs::hard_link(sub.join("0"), name).unwrap();
        }
    }
    dir
}

/// A path and an answer for each is kept, and nothing else that grows.
#[cfg(target_os = "linux")]
#[test]
fn a_million_tiny_files_take_a_path_each_and_little_more() {
    let files = if is_deep() { 1_000_000 } else { 10_000 };
    let least = peak_of_a_run(&many_files(1), 1);
    let grown = peak_of_a_run(&many_files(files), files) - least;
    let allowed = (6 << 20) + files as u64 * 300;
    assert!(grown < allowed, "grew by {grown} bytes");
}

#[test]
fn an_input_of_many_files_is_told_in_a_phrase() {
    let dir = many_files(50);
    for number in 0..150 {
        let link = dir.path().join(format!("link {number}"));
        symlink("nowhere", link).unwrap();
    }
    let report = json_of(&compare(dir.path().as_os_str(), "json"));
    assert_eq!(report["workload"]["jobs"], 200);
    assert_eq!(report["workload"]["unread_inputs"], 150);
    let unread = report["workload"]["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 100);
    let table = stdout_of(&compare(dir.path().as_os_str(), "table"));
    let words = unwrapped(&table);
    assert!(words.contains("150 inputs could not be read"), "{table}");
}
