//! A table that is printed row by row, as its rows come.

/// Prints the heading of a group: what is in the table, and its columns.
pub(crate) fn heading(about: &str, columns: &[&str]) {
    println!("\n{about}\n");
    let columns = columns.iter().map(|&it| it.to_owned());
    row("", &columns.collect::<Vec<_>>());
}

/// Prints a row under it.
pub(crate) fn row(id: &str, cells: &[String]) {
    print!("{id:<44}");
    for cell in cells {
        print!(" {cell:>9}");
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
