//! What the fuzz targets are fed with, through the functions that they call.

use std::fs;
use std::path::Path;

/// Runs each file of a target's corpus; there must be some.
fn corpus(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files = 0;
    for file in fs::read_dir(corpus.join(target)).unwrap() {
        run(&fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 3, "{target} has a corpus of {files} files");
}

#[test]
fn every_command_line_is_understood_or_refused_in_a_line() {
    corpus("arguments", manyhands_cli::fuzz::arguments);
}

#[test]
fn every_document_is_refused_in_a_line_or_spliced_for_good() {
    corpus("document", manyhands_cli::fuzz::document);
}

#[test]
fn every_time_is_understood_or_not() {
    corpus("time", manyhands_cli::fuzz::time);
}

#[test]
fn every_record_is_refused_in_a_line_or_read_again_as_the_same() {
    corpus("record", manyhands_cli::fuzz::record);
}
