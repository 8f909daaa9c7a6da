//! What reads texts from outside, held to what must be true whatever they
//! are. The fuzz targets call these, and a test with the whole corpus.

use std::ffi::OsString;

use clap::Parser;

use crate::args::{self, Cli};
use crate::output::legible;
use crate::report::{self, Report};

/// A command line, one argument a line: it is understood, or refused in one
/// short line.
///
/// # Panics
///
/// When it is not so.
pub fn arguments(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').map(argument);
    let program = std::iter::once(OsString::from("manyhands"));
    match Cli::try_parse_from(program.chain(lines)) {
        // Help and version are no lines.
        Err(error) if error.use_stderr() => {
            check_line(&legible(&args::one_line(&error)));
        }
        _ => {}
    }
}

/// A time, as `--time` takes it: understood to the millisecond, or not.
///
/// # Panics
///
/// When it is not so.
pub fn time(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Some(time) = args::parse_time(text) else { return };
    let again = format!("{}ms", time.as_millis());
    // One that is longer than a `u64` of milliseconds has no such name.
    if u64::try_from(time.as_millis()).is_ok() {
        assert_eq!(args::parse_time(&again), Some(time), "{text}");
    }
}

/// A record of a comparison: refused in one short line, or shown in every
/// format without a character that a terminal obeys, and read again as the
/// same.
///
/// # Panics
///
/// When it is not so.
pub fn record(bytes: &[u8]) {
    let record = match report::read(bytes) {
        Ok(record) => record,
        Err(line) => return check_line(&line),
    };
    let report = Report::new(&record);
    for (_, format) in args::Format::ALL {
        let shown = report.shown(*format).expect("text can be written");
        let is_odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!shown.contains(is_odd), "{shown:?}");
    }

    let json = report::json(&report).expect("text can be written");
    let again = report::read(json.as_bytes());
    assert_eq!(again.as_ref(), Ok(&record), "{json}");

    let csv = report::csv(&record);
    let from_csv = report::read(csv.as_bytes());
    let from_csv = from_csv.unwrap_or_else(|why| panic!("{why} in {csv}"));
    assert_eq!(report::csv(&from_csv), csv);
    assert_eq!(from_csv.about, None);
    let json = report::json(&Report::new(&from_csv));
    let json = json.expect("text can be written");
    assert_eq!(report::read(json.as_bytes()), Ok(from_csv), "{json}");
}

fn check_line(line: &str) {
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.chars().count() < 1000, "{line:?}");
}

#[cfg(unix)]
fn argument(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_owned())
}

#[cfg(not(unix))]
fn argument(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
