//! A table that was recorded as it was printed.

use manyhands_measure::record::Rows;

use super::text::program;
use crate::output::{plural, wrap};
use crate::table::{Table, left, right};

/// For a terminal, with what it was measured on.
pub(super) fn plain(rows: &Rows) -> String {
    let mut text = table(rows).narrow().plain();
    text += "\n";
    for (about, note) in notes(rows) {
        text += &wrap(&format!("{about:<9} {note}"), 10);
    }
    text
}

/// The same to be pasted into a page.
pub(super) fn markdown(rows: &Rows) -> String {
    let mut text = table(rows).markdown();
    text += "\n";
    for (about, note) in notes(rows) {
        text += &format!("- **{about}**: {note}\n");
    }
    text
}

fn table(rows: &Rows) -> Table {
    let heads = rows.columns.iter().cloned().map(right);
    let mut table = Table::new([left("id")].into_iter().chain(heads));
    for (id, cells) in &rows.rows {
        table.row([id].into_iter().chain(cells));
    }
    table
}

fn notes(rows: &Rows) -> Vec<(&'static str, String)> {
    let mut notes = vec![
        (
            "table",
            format!("{}, measured in {} length", rows.table, rows.length),
        ),
        ("cores", plural(rows.machine.cores, "core")),
    ];
    let load = rows.load.map(|load| format!("{load:.1} before the first row"));
    notes.extend(load.map(|load| ("load", load)));
    notes.push(("program", program(&rows.machine)));
    notes
}
