//! A reader that goes away is no error.

use crate::program::{command, start, three_files, wait};

#[test]
fn a_closed_pipe_is_quiet() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let commands: &[&[&str]] = &[
        &["list"],
        &["--help"],
        &["compare", "--rounds", "1", "--input", input],
        &["run", "inline", "--work", "noop", "--jobs", "2000", "--lines"],
    ];
    for arguments in commands {
        let mut child = command(arguments).spawn().unwrap();
        // Nobody reads, from before the first byte, if we are quick; else
        // from early on.
        drop(child.stdout.take());
        let status = wait(&mut child);
        let said = std::io::read_to_string(child.stderr.take().unwrap());
        assert_eq!(said.unwrap(), "", "{arguments:?}");
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_program_that_cannot_talk_does_its_work_all_the_same() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let compare = ["compare", "--rounds", "1", "--input", input];
    let many = ["run", "inline", "--work", "noop", "--jobs", "2000"];
    let wrong = ["compare", "--workers", "0"];
    for (arguments, code) in
        [(&compare[..], 0), (&many[..], 0), (&wrong[..], 2)]
    {
        let mut running = start(arguments);
        running.close_stderr();
        let ended = running.end();
        assert_eq!(ended.code, Some(code), "{arguments:?}");
        assert_eq!(ended.stdout.is_empty(), code != 0, "{arguments:?}");
        // Not only a reader that went away: nothing at all.
        #[cfg(unix)]
        {
            let mut command = crate::program::after("exec 2>&-;", arguments);
            let ended = crate::program::started(&mut command).end();
            assert_eq!(ended.code, Some(code), "{arguments:?}");
            assert_eq!(ended.stdout.is_empty(), code != 0, "{arguments:?}");
        }
    }
}

/// The jobs that are left would take hours.
#[test]
fn a_run_that_nobody_reads_ends() {
    let mut running = start(&[
        "run",
        "channel",
        "--work",
        "sleep:1s",
        "--jobs",
        "100000",
        "--lines",
        "--workers",
        "8",
    ]);
    assert!(running.line().starts_with("worker "));
    running.close_stdout();
    let ended = running.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command(&["list"]).stdout(full).spawn().unwrap();
    let status = wait(&mut child);
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(said.starts_with("error: cannot write to stdout: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
