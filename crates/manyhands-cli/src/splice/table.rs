//! A table in Markdown, and below it a line that says on what it was
//! measured: made of what a record holds, and of nothing else.

use std::path::Path;

use manyhands_measure::Machine;
use manyhands_measure::record::shown;

use super::marker::Marker;
use super::runs::Shows;
use super::{rows, runs};
use crate::output::plural;
use crate::report::{Recorded, Report};

/// What stands after the marker.
///
/// # Errors
///
/// Which of the marker's names the record does not have.
pub(crate) fn table(
    recorded: &Recorded,
    marker: &Marker,
) -> Result<String, String> {
    let (table, below) = match recorded {
        Recorded::Compared(record) => {
            let report = Report::new(record);
            let columns = Shows::wanted(record, marker)?;
            let table = runs::table(&report, &columns, marker)?;
            (table, runs::below(&report, runs::is_price(&columns)))
        }
        Recorded::Rows(table) => {
            (rows::table(table, marker)?, rows::below(table))
        }
    };
    let date = match date(&marker.record) {
        Some(date) => format!("{date}, "),
        None => String::new(),
    };
    let table = table.markdown();
    let below = format!("{below}; {date}[record]({}).", marker.record);
    // So that nothing in a record is taken for HTML, or for a marker.
    Ok(format!("{table}\n{below}\n").replace('<', "&lt;"))
}

/// On what it was measured, and with which program.
pub(super) fn on(machine: &Machine) -> String {
    let Machine { os, arch, cores, rustc, revision } = machine;
    let cores = plural(*cores, "core");
    let revision = match revision {
        Some(revision) => format!(", revision {revision}"),
        None => String::new(),
    };
    format!("{os} on {arch}, {cores}, {rustc}{revision}")
}

/// What to say of a name that the record does not have.
pub(super) fn unknown(option: &str, name: &str, allowed: &[&str]) -> String {
    /// More than that nobody reads.
    const MOST: usize = 20;
    let more = match allowed.len() > MOST {
        true => ", …",
        false => "",
    };
    let allowed = &allowed[..allowed.len().min(MOST)];
    let (name, allowed) = (shown(name), allowed.join(", "));
    format!("{option} has {name}, allowed are {allowed}{more}")
}

/// The folder of the day, if the record lies in one.
fn date(record: &str) -> Option<&str> {
    let folders = Path::new(record).parent()?.components();
    let mut names = folders.filter_map(|it| it.as_os_str().to_str());
    names.find(|name| {
        let shape = name.bytes().map(|byte| match byte {
            b'0'..=b'9' => '0',
            other => char::from(other),
        });
        shape.collect::<String>() == "0000-00-00"
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::marker::Line;
    use super::*;

    /// The table of a marker that says that.
    pub(in crate::splice) fn made(
        recorded: &Recorded,
        marker: &str,
    ) -> Result<String, String> {
        let line = format!("<!-- table: {marker} -->");
        match Line::of(&line) {
            Ok(Line::Start(marker)) => table(recorded, &marker),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_day_is_that_of_the_folder() {
        let of = |path| date(path);
        assert_eq!(of("benches/record/2026-11-21/a.csv"), Some("2026-11-21"));
        assert_eq!(of("benches/record/2026-11-21"), None);
        assert_eq!(of("2026-11-2x/a.csv"), None);
        assert_eq!(of("a.csv"), None);
    }
}
