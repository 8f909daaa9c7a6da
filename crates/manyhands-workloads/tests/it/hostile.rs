//! Directories that nobody should have, and some do.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use manyhands_workloads::{FileError, FileReport, Workload};
use tempfile::tempdir;

use super::{files, names, reports, run, within_time, write};

fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// How many jobs answered, all of them rightly; fails if that hangs.
fn answers(workload: Workload) -> u64 {
    within_time(move || run(&workload).unwrap().done)
}

#[test]
fn links_are_reported_and_not_followed() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "file", "text");
    write(root, "sub/file", "text");
    symlink("file", root.join("link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("..", root.join("sub/up")).unwrap();
    symlink("/", root.join("sub/root")).unwrap();
    let reports = reports(root);
    let links: Vec<_> = reports
        .iter()
        .filter(|(_, report)| *report == Err(FileError::Link))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(links, ["dangling", "link", "loop", "sub/root", "sub/up"]);
    assert_eq!(reports.len(), 7);
    assert_eq!(answers(files(root).unwrap()), 7);
    let unread: Vec<_> = files(root).unwrap().unread().collect();
    assert!(unread[0].ends_with("/dangling: a symbolic link, not followed"));
    assert_eq!(unread.len(), 5);
}

#[test]
fn the_input_itself_may_be_a_link() {
    let directory = tempdir().unwrap();
    write(directory.path(), "real/file", "text");
    let link = directory.path().join("link");
    symlink("real", &link).unwrap();
    assert_eq!(names(&link), ["file"]);
    let dangling = directory.path().join("dangling");
    symlink("nowhere", &dangling).unwrap();
    let error = files(&dangling).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the input directory"), "{error}");
}

#[test]
fn special_files_are_reported_and_not_opened() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "file", "text");
    make_fifo(&root.join("fifo"));
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    let reports = reports(root);
    assert_eq!(reports[0], ("fifo".into(), Err(FileError::Special)));
    assert_eq!(reports[1].1.unwrap().bytes, 4);
    assert_eq!(reports[2], ("socket".into(), Err(FileError::Special)));
    assert_eq!(answers(files(root).unwrap()), 3);
    let device = FileReport::read(Path::new("/dev/zero"));
    assert_eq!(device, Err(FileError::Special));
}

#[test]
fn a_fifo_that_has_a_writer_keeps_it_waiting() {
    // Who opens a FIFO for reading lets a waiting writer go on.
    let directory = tempdir().unwrap();
    let path = directory.path().join("fifo");
    make_fifo(&path);
    within_time(move || {
        let opened = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = File::options().write(true).open(&path).unwrap();
                opened.store(true, Ordering::SeqCst);
            });
            for _ in 0..20_000 {
                let report = FileReport::read(&path);
                assert_eq!(report, Err(FileError::Special));
            }
            let too_early = opened.load(Ordering::SeqCst);
            drop(File::open(&path).unwrap());
            assert!(!too_early);
        });
    });
}

#[test]
fn a_directory_with_nothing_but_special_files_holds_no_file() {
    let directory = tempdir().unwrap();
    make_fifo(&directory.path().join("fifo"));
    let error = files(directory.path()).unwrap_err().to_string();
    assert!(error.starts_with("no file under "), "{error}");
}

#[test]
fn a_file_that_became_something_else_does_not_hang_its_job() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    for name in ["directory", "fifo", "link"] {
        write(root, name, "text");
    }
    let workload = files(root).unwrap();
    for name in ["directory", "fifo", "link"] {
        fs::remove_file(root.join(name)).unwrap();
    }
    fs::create_dir(root.join("directory")).unwrap();
    make_fifo(&root.join("fifo"));
    symlink("/dev/zero", root.join("link")).unwrap();
    let found = within_time(move || {
        assert_eq!(run(&workload).unwrap().done, 3);
        workload.reports().map(|(_, report)| report).collect::<Vec<_>>()
    });
    assert_eq!(
        found,
        [FileError::Directory, FileError::Special, FileError::Link].map(Err)
    );
}

#[test]
fn a_file_that_becomes_a_fifo_while_it_is_opened_does_not_hang() {
    read_while_swapped(make_fifo);
}

#[test]
fn a_file_that_becomes_a_link_while_it_is_opened_is_not_followed() {
    read_while_swapped(|path| {
        fs::write(path.with_file_name("other"), "other text").unwrap();
        symlink("other", path).unwrap();
    });
}

/// Reads a file again and again while it is swapped with something else
/// without a pause, so that some looks see the file and the opening meets the
/// other.
fn read_while_swapped(make_other: impl Fn(&Path)) {
    let directory = tempdir().unwrap();
    let root = directory.path().to_owned();
    write(&root, "one", "text");
    write(&root, "path", "text");
    make_other(&root.join("two"));
    within_time(move || {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for name in ["two", "one"] {
                        let new = root.join("new");
                        fs::hard_link(root.join(name), &new).unwrap();
                        fs::rename(&new, root.join("path")).unwrap();
                    }
                }
            });
            for _ in 0..20_000 {
                if let Ok(report) = FileReport::read(&root.join("path")) {
                    assert_eq!(report.bytes, 4);
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn what_may_not_be_read_is_reported_with_its_path() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "file", "text");
    write(root, "secret", "text");
    write(root, "closed/inside", "text");
    let forbid = |name: &str, mode| {
        fs::set_permissions(root.join(name), Permissions::from_mode(mode))
            .unwrap();
    };
    forbid("secret", 0o000);
    forbid("closed", 0o000);
    // The superuser may read them all the same.
    let may = File::open(root.join("secret")).is_ok();
    let found = reports(root);
    let unread: Vec<_> = files(root).unwrap().unread().collect();
    forbid("closed", 0o700);
    if may {
        assert_eq!(found.len(), 3);
        return;
    }
    assert_eq!(found.len(), 3);
    for name in ["closed", "secret"] {
        assert!(unread.iter().any(|line| {
            line.ends_with(&format!(
                "/{name}: Permission denied (os error 13)"
            ))
        }));
    }
}

#[test]
fn names_that_are_no_text_are_read_and_shown_on_one_line() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    let names: [&[u8]; 4] =
        [b"new\nline", b"\x1b[31mred", b"caf\xe9", b"\xff\xfe\xfd"];
    for name in names {
        fs::write(root.join(OsStr::from_bytes(name)), "text").unwrap();
    }
    let workload = files(root).unwrap();
    assert_eq!(run(&workload).unwrap().bytes, 16);
    for name in names {
        fs::remove_file(root.join(OsStr::from_bytes(name))).unwrap();
    }
    let workload = {
        write(root, "file", "text");
        for name in names {
            symlink("x", root.join(OsStr::from_bytes(name))).unwrap();
        }
        files(root).unwrap()
    };
    let prefix = format!("{}/", root.display());
    let shown: Vec<_> =
        workload.unread().map(|line| line.replace(&prefix, "")).collect();
    let why = "a symbolic link, not followed";
    assert_eq!(
        shown,
        [
            format!(r"\u{{1b}}[31mred: {why}"),
            format!(r"caf\xe9: {why}"),
            format!(r"new\nline: {why}"),
            format!(r"\xff\xfe\xfd: {why}"),
        ]
    );
}

#[test]
fn an_ignore_file_that_would_hang_the_walk_is_reported() {
    for name in [".gitignore", ".ignore", ".git/info/exclude"] {
        let directory = tempdir().unwrap();
        let root = directory.path();
        write(root, "file", "text");
        write(root, "sub/file", "text");
        write(root, "sub/.hidden/file", "text");
        let path = root.join("sub").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        make_fifo(&path);
        // A hidden directory's own is never looked at.
        make_fifo(&root.join("sub/.hidden/.gitignore"));
        let found = reports(root);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, "file");
        let refused = (format!("sub/{name}"), Err(FileError::IgnoreFile));
        assert_eq!(found[1], refused);
        assert_eq!(answers(files(root).unwrap()), 2);
        // Right in the input there is nothing to read without it.
        let error = files(&root.join("sub")).unwrap_err().to_string();
        assert!(error.contains("cannot use the ignore file `"), "{error}");
        assert!(error.contains(&format!("/sub/{name}`: allowed is")));
    }
}

#[test]
fn an_endless_or_huge_ignore_file_is_reported() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "file", "text");
    write(root, "huge/file", "text");
    write(root, "endless/file", "text");
    let huge = File::create(root.join("huge/.ignore")).unwrap();
    huge.set_len(1 << 40).unwrap();
    symlink("/dev/zero", root.join("endless/.gitignore")).unwrap();
    let found = reports(root);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].0, "endless/.gitignore");
    assert_eq!(found[0].1, Err(FileError::IgnoreFile));
    assert_eq!(found[2].1, Err(FileError::IgnoreFile));
}

#[test]
fn an_ignore_file_that_is_odd_in_a_harmless_way_is_passed_over() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "file", "text");
    fs::create_dir(root.join(".gitignore")).unwrap();
    symlink("nowhere", root.join(".ignore")).unwrap();
    write(root, "sub/.gitignore", b"\xff\xfe\n[[[\n**{{\n");
    write(root, "sub/file", "text");
    assert_eq!(names(root), ["file", "sub/file"]);
}

#[test]
fn a_deep_tree_is_walked() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    let deep = "d/".repeat(500) + "file";
    write(root, &deep, "text");
    write(root, "file", "text");
    assert_eq!(names(root), [deep, "file".into()]);
}
