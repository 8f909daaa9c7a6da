//! `--output`: a file has its results whole, or is as it was.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::program::{entries, failed, run, start, stdout_of, three_files};

/// A directory with a file that was there before.
fn before() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    fs::write(&path, BEFORE).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

const BEFORE: &str = "what was there before";

/// The file is as it was, and nothing lies beside it.
fn assert_as_before(dir: &TempDir) {
    assert_eq!(entries(dir), ["out"]);
    let now = fs::read_to_string(dir.path().join("out")).unwrap();
    assert_eq!(now, BEFORE);
}

#[test]
fn results_go_into_the_file_and_nowhere_else() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("list", &["list"][..]),
        ("compare", &["compare", "--rounds", "1", "--input", input]),
        ("run", &["run", "channel", "--work", "noop", "--jobs", "9"]),
        ("json", &["list", "--format", "json", "--quiet"]),
    ] {
        let path = dir.path().join(name);
        let output = ["--output", path.to_str().unwrap()];
        let printed = stdout_of(&[arguments, &output].concat());
        assert_eq!(printed, "", "{name}");
        assert!(!fs::read_to_string(&path).unwrap().is_empty(), "{name}");
    }
    assert_eq!(entries(&dir), ["compare", "json", "list", "run"]);
    let listed = fs::read_to_string(dir.path().join("list")).unwrap();
    assert_eq!(listed, stdout_of(&["list"]));
    let lines = fs::read_to_string(dir.path().join("run")).unwrap();
    assert_eq!(lines.matches("started  job").count(), 9, "{lines}");
}

#[test]
fn the_file_may_lie_where_the_work_reads() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let path = files.path().join("result");
    let path = path.to_str().unwrap();
    let arguments = ["compare", "--rounds", "3", "--input", input, "-o", path];
    for _ in 0..2 {
        assert_eq!(stdout_of(&arguments), "");
    }
    assert_eq!(entries(&files), ["a", "b", "c", "result"]);
    assert!(fs::read_to_string(path).unwrap().contains("work      files: 4"));
}

#[test]
fn a_name_that_cannot_be_written_is_refused_before_any_work() {
    let (dir, path) = before();
    let through = format!("{path}/file");
    let folder = dir.path().to_str().unwrap();
    let slash = format!("{folder}/new/");
    let missing = format!("{folder}/no/such");
    for (output, why) in [
        (folder, "is a directory"),
        (&through, "cannot be written (Not a directory"),
        (&missing, "cannot be written (No such file or directory"),
        (&slash, "is no name for a file"),
        ("/", "is a directory"),
        ("/proc/none", "cannot be written ("),
    ] {
        if output.starts_with("/proc") && !Path::new("/proc/self").exists() {
            continue;
        }
        // An hour of it.
        let work = ["run", "inline", "--work", "sleep:60s", "--jobs", "60"];
        let ended = run(&[&work[..], &["--output", output]].concat());
        let line = failed(&ended, 2);
        let expected = format!("error: --output is {output}, which {why}");
        assert!(line.starts_with(&expected), "{line}");
        assert!(line.ends_with("; allowed is a file that can be written"));
        assert!(!line.contains(".manyhands-"), "{line}");
    }
    assert_as_before(&dir);
}

#[test]
fn a_wrong_answer_leaves_the_file_as_it_was() {
    let files = three_files();
    let (dir, path) = before();
    let mut running = start(&[
        "compare",
        "--processes",
        "1",
        "--rounds",
        "1000",
        "--time",
        "10m",
        "--variants",
        "channel",
        "--input",
        files.path().to_str().unwrap(),
        "-o",
        &path,
    ]);
    let mut length = 0;
    running.until_ended(|| {
        length += 1;
        fs::write(files.path().join("a"), "x".repeat(length)).unwrap();
    });
    failed(&running.end(), 1);
    assert_as_before(&dir);
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, Permissions};
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::process::Command;
    use std::thread;

    use super::*;
    use crate::program::{
        Ended, after, command, is_root, skipped, started, unprivileged,
    };

    #[test]
    fn a_new_file_has_the_permissions_of_one_and_an_old_file_keeps_its_own() {
        let (dir, path) = before();
        let new = dir.path().join("new");
        let arguments = ["list", "-o", new.to_str().unwrap()];
        let ended = started(&mut after("umask 027;", &arguments)).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(new.metadata().unwrap().mode() & 0o777, 0o640);

        let odd = Permissions::from_mode(0o604);
        fs::set_permissions(&path, odd).unwrap();
        assert_eq!(stdout_of(&["list", "-o", &path]), "");
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o604);
        assert_ne!(fs::read_to_string(&path).unwrap(), BEFORE);
    }

    #[test]
    fn a_link_stays_one_and_what_it_leads_to_is_replaced() {
        let (dir, path) = before();
        let other = tempfile::tempdir().unwrap();
        let link = other.path().join("link");
        symlink(&path, &link).unwrap();
        let link = link.to_str().unwrap();
        assert_eq!(stdout_of(&["list", "-o", link]), "");
        assert!(Path::new(link).is_symlink());
        let now = fs::read_to_string(&path).unwrap();
        assert_eq!(now, stdout_of(&["list"]));
        assert_eq!((entries(&dir), entries(&other)).0, ["out"]);
    }

    #[test]
    fn a_name_that_is_no_text_is_written_and_shown_as_far_as_it_is_one() {
        use std::ffi::{OsStr, OsString};
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(OsStr::from_bytes(b"odd\xff\n\x1b[2J"));
        let mut arguments = ["list", "-o"].map(OsString::from).to_vec();
        arguments.push(odd.clone().into());
        assert_eq!(stdout_of(&arguments), "");
        assert_eq!(fs::read_to_string(&odd).unwrap(), stdout_of(&["list"]));
        arguments[2] = odd.join("below").into();
        let ended = run(&arguments);
        let line = failed(&ended, 2);
        assert!(line.contains(r"\n\u{1b}[2J/below, which cannot"), "{line}");
    }

    #[test]
    fn a_link_to_nowhere_or_to_itself_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, to, why) in [
            ("dangling", "nowhere", "is a link to nowhere"),
            ("loop", "loop", "cannot be written (Too many levels"),
        ] {
            let link = dir.path().join(name);
            symlink(to, &link).unwrap();
            let ended = run(&["list", "-o", link.to_str().unwrap()]);
            assert!(failed(&ended, 2).contains(why), "{ended:?}");
        }
        assert_eq!(entries(&dir), ["dangling", "loop"]);
    }

    #[test]
    fn what_permissions_forbid_is_refused_and_stays_as_it_was() {
        let (dir, path) = before();
        let arguments = ["list", "-o", &path];
        // Made first, since it puts a copy of the program in there.
        let mut command = unprivileged(&dir, &arguments);
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        let denied = "cannot be written (Permission denied";
        // A file that may not be written, where files may be made.
        mode(Path::new(&path), 0o444);
        let ended = started(&mut command).end();
        assert!(failed(&ended, 2).contains(denied), "{ended:?}");
        // A file that may be written, where no other may be made.
        mode(Path::new(&path), 0o666);
        mode(dir.path(), 0o555);
        let ended = started(&mut command).end();
        assert!(failed(&ended, 2).contains(denied), "{ended:?}");
        mode(dir.path(), 0o755);
        let _ = fs::remove_file(dir.path().join(".program"));
        assert_as_before(&dir);
    }

    /// More than the limit, which is one block of 512 or 1024 bytes.
    const LONG: [&str; 3] = ["list", "--format", "json"];

    #[test]
    fn a_file_that_outgrows_its_limit_is_as_it_was() {
        let (dir, path) = before();
        let arguments = [&LONG[..], &["-o", &path]].concat();
        let ended = started(&mut after("ulimit -f 1;", &arguments)).end();
        let line = failed(&ended, 1);
        let expected =
            format!("error: cannot write to {path}: File too large");
        assert!(line.starts_with(&expected), "{line}");
        assert_as_before(&dir);
    }

    /// What the shell has opened the shell has emptied; but there is a line.
    #[test]
    fn a_stdout_that_outgrows_its_limit_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("out")).unwrap();
        let mut command = after("ulimit -f 1;", &LONG);
        let mut child = command.stdout(file).spawn().unwrap();
        let status = crate::program::wait(&mut child);
        let said = std::io::read_to_string(child.stderr.take().unwrap());
        let said = said.unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        let expected = "error: cannot write to stdout: File too large";
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }

    /// A file system of a few pages, gone when dropped.
    struct Small(TempDir);

    impl Small {
        fn mount() -> Option<Self> {
            let dir = tempfile::tempdir().unwrap();
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"]);
            let mounted = mount.arg(dir.path()).output();
            let is_mounted = mounted.is_ok_and(|it| it.status.success());
            is_mounted.then_some(Self(dir))
        }

        fn read_only(&self) {
            let mut mount = Command::new("mount");
            mount.args(["-o", "remount,ro"]).arg(self.0.path());
            assert!(mount.status().unwrap().success());
        }
    }

    impl Drop for Small {
        fn drop(&mut self) {
            let mut umount = Command::new("umount");
            // Not asserted: this may be a second panic.
            let _ = umount.arg(self.0.path()).status();
        }
    }

    #[test]
    fn on_a_full_disk_the_file_is_as_it_was() {
        let Some(small) = Small::mount() else {
            return skipped("no file system can be mounted by this user");
        };
        let path = small.0.path().join("out");
        fs::write(&path, BEFORE).unwrap();
        // Writes what there is room for, and fails.
        let filler = small.0.path().join("filler");
        fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
        let path = path.to_str().unwrap();
        let ended = run(&[&LONG[..], &["-o", path]].concat());
        let line = failed(&ended, 1);
        let full = format!("error: cannot write to {path}: No space left");
        assert!(line.starts_with(&full), "{line}");
        fs::remove_file(filler).unwrap();
        assert_as_before(&small.0);
        // And with room again it is written.
        assert_eq!(stdout_of(&["list", "-o", path]), "");
        assert_eq!(fs::read_to_string(path).unwrap(), stdout_of(&["list"]));
    }

    /// Holds back the superuser too.
    #[test]
    fn on_a_disk_that_is_only_read_the_file_is_refused() {
        let Some(small) = Small::mount() else {
            return skipped("no file system can be mounted by this user");
        };
        let path = small.0.path().join("out");
        fs::write(&path, BEFORE).unwrap();
        small.read_only();
        for name in ["out", "new"] {
            let path = small.0.path().join(name);
            let ended = run(&["list", "-o", path.to_str().unwrap()]);
            let line = failed(&ended, 2);
            assert!(line.contains("(Read-only file system"), "{line}");
        }
        assert_as_before(&small.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_room_is_one_line() {
        let ended = run(&["list", "-o", "/dev/full"]);
        let expected = "error: cannot write to /dev/full: No space left on \
                        device (os error 28)";
        assert_eq!(failed(&ended, 1), expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_and_handles_are_written_to_and_not_replaced() {
        let list = stdout_of(&["list"]);
        for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(stdout_of(&["list", "-o", path]), list, "{path}");
        }
        let before = fs::metadata("/dev/null").unwrap().ino();
        assert_eq!(stdout_of(&["list", "-o", "/dev/null"]), "");
        assert_eq!(fs::metadata("/dev/null").unwrap().ino(), before);

        let ended = run(&["list", "-o", "/dev/stderr"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
        assert_eq!(ended.stderr, list);

        // What the shell has sent there, with what it has written before.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out");
        let shown = file.to_str().unwrap();
        let words = format!("echo first >'{shown}'; exec 3>>'{shown}';");
        let arguments = ["list", "-o", "/dev/fd/3"];
        let ended = started(&mut after(&words, &arguments)).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let now = fs::read_to_string(&file).unwrap();
        assert_eq!(now, format!("first\n{list}"));
        // And what stdout is, under its other name.
        let file = File::create(&file).unwrap();
        let before = file.metadata().unwrap().ino();
        let mut child =
            command(&["list", "-o", shown]).stdout(file).spawn().unwrap();
        assert!(crate::program::wait(&mut child).success());
        assert_eq!(fs::read_to_string(shown).unwrap(), list);
        assert_eq!(fs::metadata(shown).unwrap().ino(), before);
        assert_eq!(entries(&dir), ["out"]);
    }

    fn fifo() -> (TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let path = path.to_str().unwrap().to_owned();
        (dir, path)
    }

    #[test]
    fn a_fifo_is_written_to() {
        let (dir, path) = fifo();
        let reader = path.clone();
        let reader = thread::spawn(move || fs::read_to_string(reader));
        assert_eq!(stdout_of(&["list", "-o", &path]), "");
        assert_eq!(reader.join().unwrap().unwrap(), stdout_of(&["list"]));
        assert_eq!(entries(&dir), ["fifo"]);
    }

    #[test]
    fn a_fifo_whose_reader_goes_away_is_quiet() {
        let (_dir, path) = fifo();
        let running = start(&[
            "run", "inline", "--work", "noop", "--jobs", "100000", "--lines",
            "-o", &path,
        ]);
        let mut reader = File::open(&path).unwrap();
        reader.read_exact(&mut [0; 1]).unwrap();
        drop(reader);
        let ended = running.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }

    #[test]
    fn ctrl_c_ends_the_waiting_for_the_reader_of_a_fifo() {
        let (_dir, path) = fifo();
        let running = start(&["list", "-o", &path]);
        let ended = interrupted(running, "INT");
        assert_eq!(ended.stdout, "");
    }

    /// Sends the signal once the program listens for it.
    fn interrupted(running: crate::program::Running, signal: &str) -> Ended {
        running.wait_until_it_listens();
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        ended
    }

    /// Waits until there is a file beside the other that has results in it.
    fn wait_for_results(dir: &TempDir) {
        let path = dir.path().to_owned();
        let is_staged = move || {
            let mut entries = fs::read_dir(&path).unwrap();
            entries.any(|entry| {
                let path = entry.unwrap().path();
                let is_temporary = path.extension() == Some("tmp".as_ref());
                is_temporary && path.metadata().is_ok_and(|it| it.len() > 0)
            })
        };
        manyhands_conformance::watchdog(move || {
            while !is_staged() {
                thread::yield_now();
            }
        });
    }

    #[test]
    fn what_is_partial_goes_to_stdout_and_the_file_is_as_it_was() {
        for signal in ["INT", "TERM"] {
            let (dir, path) = before();
            let running = start(&[
                "run",
                "channel",
                "--work",
                "sleep:50ms",
                "--jobs",
                "100000",
                "--lines",
                "-o",
                &path,
            ]);
            wait_for_results(&dir);
            let ended = interrupted(running, signal);
            assert!(ended.stdout.contains(" not run."), "{ended:?}");
            let lines: Vec<_> = ended
                .stderr
                .lines()
                .filter(|it| it.contains("as it was"))
                .collect();
            let expected = format!(
                "interrupted: {path} is as it was, what there is goes to \
                 stdout"
            );
            assert_eq!(lines, [expected], "{ended:?}");
            assert_as_before(&dir);
        }
    }

    #[test]
    fn a_second_ctrl_c_leaves_nothing_behind() {
        let (dir, path) = before();
        let arguments = ["run", "inline", "--work", "sleep:60s", "-o", &path];
        let running = start(&arguments);
        wait_for_results(&dir);
        running.signal("INT");
        assert!(running.said().starts_with("interrupted: "));
        running.signal("INT");
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert_as_before(&dir);
    }

    #[test]
    fn one_that_is_killed_leaves_the_file_as_it_was() {
        let (dir, path) = before();
        let arguments = ["run", "inline", "--work", "sleep:60s", "-o", &path];
        let running = start(&arguments);
        wait_for_results(&dir);
        running.signal("KILL");
        let ended = running.end();
        assert_eq!(ended.code, None);
        assert_eq!(fs::read_to_string(&path).unwrap(), BEFORE);
        // At most a hidden file beside it, which nobody could take for it.
        let others = entries(&dir).into_iter().filter(|name| name != "out");
        for name in others {
            let is_staged = name.starts_with(".manyhands-");
            assert!(is_staged && name.ends_with(".tmp"), "{name}");
        }
    }

    #[test]
    fn root_or_not_is_known() {
        let id = Command::new("id").arg("-u").output().unwrap();
        assert_eq!(id.stdout == b"0\n", is_root());
    }
}
