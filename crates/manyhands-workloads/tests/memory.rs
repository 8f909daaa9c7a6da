//! Memory does not grow with a file, nor with its lines.
//!
//! Alone in its process, since it looks at what the process has used.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::fs::{self, File};

use manyhands_workloads::FileReport;

/// The most memory that the process has had so far, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse::<u64>().unwrap() * 1024
}

#[test]
fn a_long_file_of_one_line_is_read_in_little_memory() {
    const LENGTH: u64 = 64 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("one-line");
    // All zeros, and no disk is used for them.
    File::create(&path).unwrap().set_len(LENGTH).unwrap();
    let before = peak();
    let report = FileReport::read(&path).unwrap();
    assert_eq!((report.lines, report.words, report.bytes), (0, 1, LENGTH));
    let grown = peak() - before;
    assert!(grown < LENGTH / 16, "grew by {grown} bytes");
}
