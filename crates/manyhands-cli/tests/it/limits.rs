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
        &["compare", "--rounds", "1", "--work", "noop", "--workers", "64"],
        &["run", "tokio", "--work", "files", "--input", input],
        &["run", "semaphore", "--work", "noop", "--jobs", "500"],
        &["list", "--output", output],
    ] {
        let ended = started(&mut with_handles(16, arguments)).end();
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    }
}

/// Each of the jobs holds a file for long enough to meet the others.
#[test]
fn too_few_file_handles_are_one_line_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..64 {
        // Zeros without a disk.
        let file = File::create(dir.path().join(number.to_string()));
        file.unwrap().set_len(1 << 20).unwrap();
    }
    let input = dir.path().to_str().unwrap();
    let arguments =
        ["run", "semaphore", "--workers", "64", "--work", "files", "--quiet"];
    let arguments = [&arguments[..], &["--jobs", "640", "--input", input]];
    let mut command = with_handles(16, &arguments.concat());
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
fn a_directory_that_cannot_be_listed_for_want_of_handles_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let deep = dir.path().join(number.to_string()).join("a/b/c");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "text").unwrap();
    }
    let input = dir.path().to_str().unwrap();
    let arguments = ["run", "inline", "--work", "files", "--input", input];
    // Whatever the program itself needs, somewhere from nothing to enough
    // is too little.
    let mut refused = 0;
    for handles in 3..16 {
        let ended = started(&mut with_handles(handles, &arguments)).end();
        if ended.code == Some(0) {
            let sum = ended.stdout.contains("inline: 20 jobs in ");
            assert!(sum, "with {handles}: {ended:?}");
            continue;
        }
        let code = ended.code.unwrap();
        if code == 127 {
            // Too few for the system to load the program.
            continue;
        }
        assert!([1, 2].contains(&code), "with {handles}: {ended:?}");
        failed(&ended, code);
        refused += 1;
    }
    assert!(refused > 0, "all of them were enough");
}
