//! The table of rows that were recorded as they were printed.

use manyhands_measure::record::Rows;

use super::marker::Marker;
use super::table::{on, unknown};
use crate::table::{Table, left, right};

/// A row an id, of the table's own columns.
pub(super) fn table(rows: &Rows, marker: &Marker) -> Result<Table, String> {
    let heads: Vec<&str> = rows.columns.iter().map(|it| &**it).collect();
    let columns: Vec<usize> = match &marker.columns {
        None => (0..heads.len()).collect(),
        Some(names) => {
            let place = |name: &String| {
                let found = heads.iter().position(|head| head == name);
                found.ok_or_else(|| unknown("columns", name, &heads))
            };
            names.iter().map(place).collect::<Result<_, _>>()?
        }
    };
    let ids: Vec<&str> = rows.rows.iter().map(|(id, _)| &**id).collect();
    let only = marker.only.iter().flatten();
    if let Some(name) =
        only.clone().find(|name| !ids.iter().any(|id| is_part(name, id)))
    {
        return Err(unknown("only", name, &ids));
    }
    let chosen = columns.iter().map(|&place| right(heads[place].to_owned()));
    let mut table = Table::new([left("id")].into_iter().chain(chosen));
    for (id, cells) in &rows.rows {
        let is_chosen = marker.only.is_none()
            || only.clone().any(|name| is_part(name, id));
        if is_chosen {
            let cells = columns.iter().map(|&place| cells[place].clone());
            table.row(std::iter::once(id.clone()).chain(cells));
        }
    }
    Ok(table)
}

/// True for an id, for what it begins with up to a slash, and for what it ends
/// with after one: a row, a group of them, a contender.
fn is_part(name: &str, id: &str) -> bool {
    let rest = |rest: &str| rest.is_empty() || rest.starts_with('/');
    id.strip_prefix(name).is_some_and(rest)
        || id.strip_suffix(name).is_some_and(|it| it.ends_with('/'))
}

/// On what a table was measured.
pub(super) fn below(rows: &Rows) -> String {
    let load = match rows.load {
        Some(load) => format!(", load {load:.1} before it"),
        None => String::new(),
    };
    format!(
        "{}, in {} length; one row after the other, and no A/A; {}{load}",
        rows.table,
        rows.length,
        on(&rows.machine)
    )
}

#[cfg(test)]
mod tests {
    use manyhands_measure::Machine;

    use super::super::table::tests::made;
    use super::*;
    use crate::report::Recorded;

    #[test]
    fn a_recorded_table_is_shown_as_it_is() {
        let row = |id: &str, cells: [&str; 2]| {
            (id.to_owned(), cells.map(Into::into).to_vec())
        };
        let rows = Recorded::Rows(Rows {
            table: "latency".into(),
            length: "quick".into(),
            machine: Machine::look(),
            load: Some(0.5),
            columns: vec!["p50".into(), "under way".into()],
            rows: vec![
                row("latency/idle/a", ["1", "<b>|"]),
                row("latency/idle/b", ["2", "-"]),
                row("latency/load-50/a", ["3", "-"]),
            ],
        });
        let shown = made(&rows, "x.csv only=a columns=under way").unwrap();
        assert!(shown.starts_with(
            "\
| id                | under way |
|-------------------|----------:|
| latency/idle/a    |     &lt;b>\\| |
| latency/load-50/a |         - |

latency, in quick length; one row after the other, and no A/A; "
        ));
        assert!(shown.ends_with("; [record](x.csv).\n"), "{shown}");
        for (marker, why) in [
            ("x only=c", "only has c, allowed are latency/idle/a, latency/"),
            ("x columns=p99", "columns has p99, allowed are p50, under way"),
        ] {
            let refused = made(&rows, marker).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn a_name_stands_for_a_row_a_group_or_a_contender() {
        let id = "latency/load-50/channel";
        for part in [id, "latency", "latency/load-50", "channel"] {
            assert!(is_part(part, id), "{part}");
        }
        for other in ["", "load-50", "latency/load", "nel", "x"] {
            assert!(!is_part(other, id), "{other}");
        }
    }
}
