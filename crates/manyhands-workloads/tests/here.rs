//! Directories named from where the process is.
//!
//! Alone in its process, since it changes that place.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::env;
use std::fs;

use manyhands_workloads::{FileError, Settings, Workload};

#[test]
fn a_relative_directory_is_read_and_shown_as_it_was_typed() {
    let directory = tempfile::tempdir().unwrap();
    env::set_current_dir(&directory).unwrap();
    fs::create_dir_all("-/sub").unwrap();
    fs::write("-/sub/file", "text").unwrap();
    // The default is the current directory. A `-` is no more than a name.
    for input in [".", "-", "./-", "-/"] {
        fs::write("-/gone", "").unwrap();
        let settings =
            Settings { input: Some(input.into()), ..Settings::default() };
        let workload = Workload::parse("files", &settings).unwrap();
        fs::remove_file("-/gone").unwrap();
        let reports: Vec<_> = workload.reports().collect();
        assert_eq!(reports[0].1, Err(FileError::Gone));
        assert_eq!(reports[1].1.unwrap().bytes, 4, "{input}");
        let unread: Vec<_> = workload.unread().collect();
        let line = "-/gone: vanished since it was listed";
        assert_eq!(unread, [line], "{input}");
        let summary = "2 files, 4 bytes under ";
        assert!(workload.summary().starts_with(summary), "{input}");
    }
    let default = Workload::parse("files", &Settings::default()).unwrap();
    assert_eq!(default.summary(), "1 file under .");
}
