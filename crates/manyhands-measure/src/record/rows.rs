//! A table of measurements of which the figures are all there is.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use csv::StringRecord;

use super::fields::{FIRST, Fields, known, line, lines, of_machine};
use super::{name, shown, within};
use crate::{Machine, load};

/// The shape, and its version.
const FORMAT: &str = "manyhands-table/1";

/// What stands above the rows, before the columns of the table itself. Up to
/// `load` all are the same in each.
const COLUMNS: [&str; 10] = [
    FIRST, "table", "length", "os", "arch", "cores", "rustc", "revision",
    "load", "id",
];

/// The rows of a table, and on what they were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Its name.
    pub table: String,
    /// How thoroughly it was measured, in a word of the program's.
    pub length: String,
    /// On what, and with which program.
    pub machine: Machine,
    /// The machine's [load](crate::load) before the first row.
    pub load: Option<f64>,
    /// The heads of its columns.
    pub columns: Vec<String>,
    /// Each row's id, which no other has, and its cells, one a column.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Rows {
    /// How many columns there may be.
    const WIDTH: RangeInclusive<u64> = 1..=32;
    /// How many rows: a thousand jobs each of as many as take part.
    const HEIGHT: RangeInclusive<u64> = 1..=1 << 17;

    /// A table without rows, of this machine as it is now.
    pub fn new(table: &str, length: &str, columns: &[&str]) -> Self {
        Self {
            table: table.to_owned(),
            length: length.to_owned(),
            machine: Machine::look(),
            load: load(),
            columns: columns.iter().map(|&head| head.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// True for a text that may be meant as such a table.
    pub(super) fn is_meant(text: &str) -> bool {
        let mut words = text.split(',');
        words.next() == Some(COLUMNS[0]) && words.next() == Some(COLUMNS[1])
    }

    /// One line a row. What is not known is empty.
    pub fn csv(&self) -> String {
        let columns = self.columns.iter().map(String::as_str);
        let mut text = line(COLUMNS.into_iter().chain(columns));
        for (id, cells) in &self.rows {
            let [os, arch, cores, rustc, revision] = of_machine(&self.machine);
            let fields: [String; COLUMNS.len()] = [
                FORMAT.to_owned(),
                self.table.clone(),
                self.length.clone(),
                os,
                arch,
                cores,
                rustc,
                revision,
                known(self.load),
                id.clone(),
            ];
            text += &line(fields.iter().chain(cells).map(String::as_str));
        }
        text
    }

    /// The table that such a text holds.
    ///
    /// # Errors
    ///
    /// One line: which of its lines is wrong, with what, and what is allowed.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut lines = lines(text);
        let (_, head) =
            lines.next().unwrap_or_else(|| Ok((1, StringRecord::new())))?;
        let columns =
            columns(&head).map_err(|why| format!("line 1: {why}"))?;
        let mut table: Option<Self> = None;
        let mut ids = HashSet::new();
        for line in lines {
            let (number, line) = line?;
            let row = Self::of_line(&head, &line);
            let added = row.and_then(|row| {
                let id = &row.rows[0].0;
                if !ids.insert(id.clone()) {
                    return Err(format!("id is {id}, allowed is once"));
                }
                match &mut table {
                    Some(table) => table.add(row)?,
                    None => {
                        table = Some(Self { columns: columns.clone(), ..row });
                    }
                }
                Ok(())
            });
            added.map_err(|why| format!("line {number}: {why}"))?;
        }
        table.ok_or("it has no row, allowed is one or more".into())
    }

    /// A table of one row.
    fn of_line(
        head: &StringRecord,
        line: &StringRecord,
    ) -> Result<Self, String> {
        // They are named where a cell is wrong.
        let heads: Vec<String> = head.iter().map(super::legible).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let mut fields = Fields::of(&heads, line, FORMAT)?;
        let table = fields.name()?;
        let length = fields.name()?;
        let machine = fields.machine()?;
        let load = fields.amount()?;
        let id = fields.name()?;
        let cells = COLUMNS.len()..heads.len();
        let cells = cells.map(|_| fields.name()).collect::<Result<_, _>>()?;
        Ok(Self {
            table,
            length,
            machine,
            load,
            columns: Vec::new(),
            rows: vec![(id, cells)],
        })
    }

    /// Adds the row of another line.
    fn add(&mut self, other: Self) -> Result<(), String> {
        let (machine, others) = (&self.machine, &other.machine);
        let same = [
            ("table", self.table == other.table),
            ("length", self.length == other.length),
            ("os", machine.os == others.os),
            ("arch", machine.arch == others.arch),
            ("cores", machine.cores == others.cores),
            ("rustc", machine.rustc == others.rustc),
            ("revision", machine.revision == others.revision),
            ("load", self.load == other.load),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(format!(
                "{what} differs, allowed is one for all rows"
            ));
        }
        self.rows.extend(other.rows);
        within("the number of rows", self.rows.len() as u64, &Self::HEIGHT)
    }
}

/// The heads of the table's own columns.
fn columns(head: &StringRecord) -> Result<Vec<String>, String> {
    if head.len() < COLUMNS.len()
        || head.iter().zip(COLUMNS).any(|(a, b)| a != b)
    {
        return Err(format!(
            "its columns are {}, allowed is {} and more",
            shown(&head.iter().collect::<Vec<_>>().join(",")),
            COLUMNS.join(",")
        ));
    }
    let mut columns: Vec<String> = Vec::new();
    for head in head.iter().skip(COLUMNS.len()) {
        let head = super::legible(head);
        name("a column", &head)?;
        if columns.contains(&head) || COLUMNS.contains(&&*head) {
            return Err(format!("a column is {head}, allowed is once"));
        }
        columns.push(head);
    }
    within("the number of columns", columns.len() as u64, &Rows::WIDTH)?;
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Rows {
        let row = |id: &str, cells: [&str; 2]| {
            (id.to_owned(), cells.map(Into::into).to_vec())
        };
        Rows {
            table: "latency".into(),
            length: "quick".into(),
            machine: Machine::look(),
            load: Some(0.25),
            columns: vec!["p50".into(), "p99.9".into()],
            rows: vec![
                row("latency/idle/a", ["1.25", "-"]),
                row("latency/idle/b", ["10.0", "1,000"]),
            ],
        }
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let rows = sample();
        assert!(Rows::is_meant(&rows.csv()));
        assert_eq!(Rows::read(&rows.csv()), Ok(rows));
    }

    #[test]
    fn a_wrong_line_is_named_with_what_is_allowed() {
        let text = sample().csv();
        for (from, to, why) in [
            (
                "idle/b",
                "idle/a",
                "line 3: id is latency/idle/a, allowed is once",
            ),
            ("b,10.0,", "b,10.0,2,", "line 3: columns are 13, allowed is 12"),
            (
                "b,10.0,",
                "b,,",
                "line 3: the length of p50 is 0, allowed is 1 to 64",
            ),
            ("p99.9", "p50", "line 1: a column is p50, allowed is once"),
            (
                ",p50,p99.9",
                "",
                "line 1: the number of columns is 0, allowed is 1 to 32",
            ),
            ("length,", "", "line 1: its columns are format,table,os"),
            (
                "table/1,",
                "table/2,",
                "line 2: format is manyhands-table/2, allowed is manyhands-table/1",
            ),
            ("latency,quick", "latency,", "line 2: the length of length is 0"),
            ("0.25,latency/idle/b", "x,latency/idle/b", "line 3: load is x"),
            ("0.25,latency/idle/b", ",latency/idle/b", "line 3: load differs"),
        ] {
            assert!(text.contains(from), "{from}");
            let refused = Rows::read(&text.replace(from, to)).unwrap_err();
            assert!(refused.contains(why), "{why}: {refused}");
        }
        let odd = text.replace("p50", "p\u{1b}50").replace("b,10.0,", "b,,");
        let refused = Rows::read(&odd).unwrap_err();
        assert!(
            refused.contains(r"the length of p\u{1b}50 is 0"),
            "{refused}"
        );
        let head = text.lines().next().unwrap();
        assert!(Rows::read(head).unwrap_err().contains("it has no row"));
    }
}
