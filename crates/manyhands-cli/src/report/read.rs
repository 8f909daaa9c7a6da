//! A record that an earlier comparison wrote, read again.

use super::{csv, json};
use crate::args::shown;
use crate::record::Record;

/// The longest file that is taken for a record: several times as long as the
/// longest that is written, which has a thousand rounds of every variant.
pub(crate) const MOST_BYTES: usize = 16 << 20;

/// Reads JSON or CSV, whichever it is.
///
/// # Errors
///
/// One line: where something is wrong, what is there, and what is allowed.
pub(crate) fn read(bytes: &[u8]) -> Result<Record, String> {
    if bytes.len() > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(format!("it is too long, allowed is up to {most} MiB"));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        format!(
            "byte {} is not UTF-8, allowed is a record that compare wrote",
            error.valid_up_to()
        )
    })?;
    // Some editors put it before a text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    if text.starts_with('{') {
        json::read(text)
    } else if csv::is_meant(text) {
        csv::read(text)
    } else {
        let start = text.lines().next().unwrap_or_default();
        Err(format!(
            "it begins with {}, allowed is JSON or CSV that compare wrote",
            shown(start)
        ))
    }
}
