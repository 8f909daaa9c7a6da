//! A table that is printed row by row, as its rows come.

use hdrhistogram::Histogram;

/// What is in the table, and its columns. Printed before the first row, if
/// there is one.
pub(crate) struct Table<'a> {
    heading: Option<(&'a str, &'a [&'a str])>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(about: &'a str, columns: &'a [&'a str]) -> Self {
        Self { heading: Some((about, columns)) }
    }

    /// Prints a row.
    pub(crate) fn row(&mut self, id: &str, cells: &[String]) {
        if let Some((about, columns)) = self.heading.take() {
            println!("\n{about}\n");
            print_row("", columns);
        }
        print_row(id, cells);
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
