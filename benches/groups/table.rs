//! A table that is printed row by row, as its rows come, and recorded when it
//! is complete if that is asked for.

use std::path::PathBuf;

use hdrhistogram::Histogram;
use manyhands_measure::record::{NewFile, Rows};

use crate::plan::Plan;

/// What is in the table, and its columns.
pub(crate) struct Table<'a> {
    about: &'a str,
    /// Where it is to be recorded.
    file: Option<PathBuf>,
    rows: Rows,
}

impl<'a> Table<'a> {
    /// One that nothing was measured for yet. Its name is one of
    /// [`TABLES`](crate::TABLES).
    pub(crate) fn new(
        plan: &Plan,
        name: &str,
        about: &'a str,
        columns: &[&str],
    ) -> Self {
        let rows = Rows::new(name, plan.length(), columns);
        Self { about, file: plan.record(name), rows }
    }

    /// Prints a row, and before the first what stands above.
    pub(crate) fn row(&mut self, id: &str, cells: &[String]) {
        if self.rows.rows.is_empty() {
            println!("\n{}\n", self.about);
            print_row("", &self.rows.columns);
        }
        print_row(id, cells);
        self.rows.rows.push((id.to_owned(), cells.to_vec()));
    }

    /// Records it, if there is a row and that is asked for.
    ///
    /// # Errors
    ///
    /// One line, if that cannot be.
    pub(crate) fn end(self) -> Result<(), String> {
        let file = self.file.filter(|_| !self.rows.rows.is_empty());
        let Some(file) = file else { return Ok(()) };
        NewFile::at(&file)?.write(&self.rows.csv())?;
        println!("\nrecorded: {}", file.display());
        Ok(())
    }
}

fn print_row(id: &str, cells: &[impl AsRef<str>]) {
    print!("{id:<44}");
    for cell in cells {
        print!(" {:>9}", cell.as_ref());
    }
    println!();
}

/// Nanoseconds as microseconds.
pub(crate) fn micros(nanos: f64) -> String {
    let micros = nanos / 1000.0;
    match micros {
        0.0..10.0 => format!("{micros:.2}"),
        10.0..100.0 => format!("{micros:.1}"),
        _ => format!("{micros:.0}"),
    }
}

/// For nanoseconds up to a minute, each to a thousandth of it. A longer time
/// counts as a minute.
pub(crate) fn histogram() -> Histogram<u64> {
    const MINUTE: u64 = 60_000_000_000;
    Histogram::new_with_bounds(1, MINUTE, 3).expect("bounds are in order")
}
