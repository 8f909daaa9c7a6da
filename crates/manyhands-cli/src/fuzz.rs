//! What reads texts from outside, held to what must be true whatever they
//! are. The fuzz targets call these, and a test with the whole corpus.

use std::ffi::OsString;

use clap::Parser;

use crate::args::{self, Cli};
use crate::output::legible;
use crate::report::{self, Recorded, Report};
use crate::splice::{Marker, Spliced, splice};

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
    let recorded = match report::read(bytes) {
        Ok(recorded) => recorded,
        Err(line) => return check_line(&line),
    };
    for (_, format) in args::Format::ALL {
        let shown = recorded.shown(*format).expect("text can be written");
        let shown = match shown {
            Ok(shown) => shown,
            Err(line) => {
                check_line(&line);
                continue;
            }
        };
        let is_odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!shown.contains(is_odd), "{shown:?}");
    }
    let record = match recorded {
        Recorded::Compared(record) => record,
        Recorded::Rows(rows) => {
            let again = report::read(rows.csv().as_bytes());
            return assert_eq!(again, Ok(Recorded::Rows(rows)));
        }
    };

    let compared = |text: &str| match report::read(text.as_bytes()) {
        Ok(Recorded::Compared(record)) => record,
        other => panic!("{other:?} in {text}"),
    };
    let json = report::json(&Report::new(&record));
    let json = json.expect("text can be written");
    assert_eq!(compared(&json), record, "{json}");

    let csv = record.runs.csv();
    let from_csv = compared(&csv);
    assert_eq!(from_csv.runs.csv(), csv);
    assert_eq!(from_csv.about, None);
    let json = report::json(&Report::new(&from_csv));
    let json = json.expect("text can be written");
    assert_eq!(compared(&json), from_csv, "{json}");
}

/// A document with markers in it: refused in one short line, or spliced such
/// that nothing is left to change, and nothing changes where no table does.
///
/// # Panics
///
/// When it is not so.
pub fn document(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut table = |_: &Marker| Ok("| a |\n|---|\n\nb\n".to_owned());
    let spliced = match splice(text, &mut table) {
        Ok(spliced) => spliced,
        Err((_, line)) => return check_line(&line),
    };
    assert_eq!(spliced.changed.is_empty(), spliced.text == text, "{text:?}");
    let again = splice(&spliced.text, &mut table);
    let same = Spliced { changed: Vec::new(), ..spliced };
    assert_eq!(again, Ok(same), "{text:?}");
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
