//! Results go to stdout or into a file, talk to stderr.

mod target;

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use manyhands_measure::record::legible;

pub(crate) use self::target::{
    Target, discard, print, print_line, redirect, replace,
};

/// How wide a page is: what a plain terminal has.
pub(crate) const WIDTH: usize = 80;

/// Set by `--quiet`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on says nothing.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// True after [`be_quiet`].
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says a line on stderr, unless told to be quiet.
pub(crate) fn say(line: impl Display) {
    if !is_quiet() {
        complain(line);
    }
}

/// Says a line on stderr. Where nobody listens there is nothing to be done.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Breaks text into lines of at most [`WIDTH`], each but the first indented,
/// with a line break after each. A word that is longer has its own line.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            wrapped += "\n";
            wrapped += &" ".repeat(indent);
            column = indent;
        } else if column > 0 {
            wrapped += " ";
            column += 1;
        }
        wrapped += word;
        column += width;
    }
    wrapped + "\n"
}

/// A time in three digits: `12.3ms`.
pub(crate) fn time(nanos: f64) -> String {
    const UNITS: [(f64, &str); 4] =
        [(1e0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    // As it will be rounded, so that no 1000µs comes out.
    let unit = UNITS.iter().rev().find(|(size, _)| nanos >= size * 0.9995);
    let (size, unit) = unit.unwrap_or(&UNITS[0]);
    format!("{}{unit}", three_digits(nanos / size))
}

/// A ratio in three digits, or what fits into as much room: `1.23`, `0.012`,
/// `4e-5`.
pub(crate) fn ratio(number: f64) -> String {
    match number {
        n if n < 0.000_95 => format!("{n:.0e}"),
        n if n < 0.0995 => format!("{n:.3}"),
        n => three_digits(n),
    }
}

/// `1.23`, `12.3`, `123`, `1234`.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

/// A number of things: `1 job`, `2 jobs`.
pub(crate) fn plural(count: impl Into<u64>, thing: &str) -> String {
    let count = count.into();
    let mut text = format!("{count} {thing}");
    if count != 1 {
        text.push('s');
    }
    text
}

/// `a, b and c`.
pub(crate) fn listed(names: &[&str]) -> String {
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        let before = match place {
            0 => "",
            _ if place + 1 == names.len() => " and ",
            _ => ", ",
        };
        // A `String` takes everything.
        let _ = write!(text, "{before}{name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_three_digits_and_a_unit() {
        assert_eq!(time(0.0), "0.00ns");
        assert_eq!(time(59.0), "59.0ns");
        assert_eq!(time(999.4), "999ns");
        assert_eq!(time(999.6), "1.00µs");
        assert_eq!(time(12_345_678.0), "12.3ms");
        assert_eq!(time(2.0e9), "2.00s");
        assert_eq!(time(4.0e12), "4000s");
    }

    #[test]
    fn ratios_take_little_room_however_small() {
        assert_eq!(ratio(0.000_043), "4e-5");
        assert_eq!(ratio(0.0123), "0.012");
        assert_eq!(ratio(0.123), "0.12");
        assert_eq!(ratio(1.0), "1.00");
        assert_eq!(ratio(9.999), "10.0");
        assert_eq!(ratio(99.99), "100");
    }

    #[test]
    fn text_breaks_between_words_and_is_indented() {
        let wrapped = wrap(&"word ".repeat(40), 4);
        assert!(wrapped.lines().all(|line| line.len() <= WIDTH), "{wrapped}");
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("    w")));
        assert_eq!(wrapped.split_whitespace().count(), 40);
        let long = "x".repeat(100);
        let expected = format!("a\n{long}\nb\n");
        assert_eq!(wrap(&format!("a {long} b"), 0), expected);
    }

    #[test]
    fn lists_read_as_a_person_says_them() {
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1u64, "job"), "1 job");
        assert_eq!(plural(2u64, "job"), "2 jobs");
    }
}
