//! A system that gives little.
#![cfg(unix)]

use std::fs::{self, File};
use std::process::Command;

use crate::program::{after, failed, started, three_files};

/// The program with so many file handles.
fn with_handles(handles: u32, arguments: &[&str]) -> Command {
    after(&format!("ulimit -n {handles};"), arguments)
}

#[test]
fn sixteen_file_handles_are_enough() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let output = files.path().join("out");
    let output = output.to_str().unwrap();
    for arguments in [
        &["list"][..],
        &["compare", "--rounds", "1", "--input", input],
        &["compare", "--rounds", "1", "--work", "fail:9", "--jobs", "500"],
        &["run", "tokio", "--work", "files", "--input", input],
        &["run", "semaphore", "--work", "noop", "--jobs", "500"],
        &["list", "--output", output],
    ] {
        let ended = started(&mut with_handles(16, arguments)).end();
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    }
}

/// There is a handle for a file or two at once, and each job holds its own
/// until long after the next has started.
#[test]
fn too_few_file_handles_are_one_line_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        // Zeros without a disk.
        let file = File::create(dir.path().join(number.to_string()));
        file.unwrap().set_len(1 << 24).unwrap();
    }
    let input = dir.path().to_str().unwrap();
    let arguments =
        ["run", "semaphore", "--workers", "20", "--work", "files", "--quiet"];
    let arguments = [&arguments[..], &["--input", input]];
    let mut command = with_handles(5, &arguments.concat());
    let ended = started(&mut command).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut lines = ended.stderr.lines();
    let line = lines.next().unwrap();
    assert!(line.starts_with("error: semaphore is wrong: "), "{ended:?}");
    assert!(line.contains("no file handle is left: allow more"), "{ended:?}");
    assert_eq!(lines.next(), None, "{ended:?}");
}

/// With too few to see what is there, nothing of it is left out in silence.
#[test]
fn a_directory_is_listed_whole_or_refused_however_few_the_handles() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let deep = dir.path().join(number.to_string()).join("a/b/c");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "text").unwrap();
    }
    let input = dir.path().to_str().unwrap();
    let arguments = ["run", "inline", "--work", "files", "--input", input];
    // With fewer the system could not even load the program.
    for handles in 4..16 {
        let ended = started(&mut with_handles(handles, &arguments)).end();
        match ended.code {
            Some(0) => {
                let sum = ended.stdout.contains("inline: 20 jobs in ");
                assert!(sum, "with {handles}: {ended:?}");
            }
            // Already the signals may lack one.
            Some(code @ (1 | 2)) => drop(failed(&ended, code).to_owned()),
            _ => panic!("with {handles}: {ended:?}"),
        }
    }
}
