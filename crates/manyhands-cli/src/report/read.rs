//! A record that an earlier measurement wrote, read again.

use manyhands_measure::record::{Csv, MOST_BYTES, Rows, shown};

use super::{Report, json, rows};
use crate::args::Format;
use crate::contenders;
use crate::record::Record;

/// What a file of a record holds.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are as many as the user names, and each is read once"
)]
pub(crate) enum Recorded {
    /// A comparison: what is concluded follows from its runs.
    Compared(Record),
    /// A table as it was printed.
    Rows(Rows),
}

/// Reads JSON or CSV, whichever it is.
///
/// # Errors
///
/// One line: where something is wrong, what is there, and what is allowed.
pub(crate) fn read(bytes: &[u8]) -> Result<Recorded, String> {
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
        json::read(text).map(Recorded::Compared)
    } else if Csv::is_meant(text) {
        Ok(match Csv::read(text, &contenders::names())? {
            Csv::Runs(runs) => Recorded::Compared(runs.into()),
            Csv::Rows(rows) => Recorded::Rows(rows),
        })
    } else {
        let start = text.lines().next().unwrap_or_default();
        Err(format!(
            "it begins with {}, allowed is JSON or CSV that compare wrote",
            shown(start)
        ))
    }
}

impl Recorded {
    /// In the shape that was asked for, or why it has none.
    pub(crate) fn shown(
        &self,
        format: Format,
    ) -> anyhow::Result<Result<String, String>> {
        Ok(match (self, format) {
            (Self::Compared(record), _) => {
                Ok(Report::new(record).shown(format)?)
            }
            (Self::Rows(table), Format::Table) => Ok(rows::plain(table)),
            (Self::Rows(table), Format::Md) => Ok(rows::markdown(table)),
            (Self::Rows(table), Format::Csv) => Ok(table.csv()),
            (Self::Rows(_), Format::Json | Format::Html) => {
                let format = match format {
                    Format::Json => "json",
                    _ => "html",
                };
                Err(format!(
                    "it is a table, and --format is {format}, allowed is \
                     table, csv or md"
                ))
            }
        })
    }
}
