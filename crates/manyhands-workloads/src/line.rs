//! Texts from outside, made fit for one line.

use std::fmt::Write;
use std::path::Path;

/// A path on one line, such that no name can break the line, colour the
/// terminal or pass for another: control characters and the like appear as
/// Rust's escapes, bytes that are not UTF-8 as `\xNN`.
pub(crate) fn path(path: &Path) -> String {
    // What a walk of `.` yields is shown as it was before.
    let path = path.strip_prefix(".").unwrap_or(path);
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.is_empty() { String::from(".") } else { escaped(bytes) }
}

/// The beginning of a text from elsewhere, on one line.
pub(crate) fn word(word: &str) -> String {
    /// Longer than any name or parameter that is allowed, and long enough to
    /// tell one panic from another.
    const MOST: usize = 80;
    match word.char_indices().nth(MOST) {
        Some((end, _)) => escaped(&word.as_bytes()[..end]) + "…",
        None => escaped(word.as_bytes()),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut line = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\'' => line.push(char),
                _ => line.extend(char.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(line, "\\x{byte:02x}");
        }
    }
    line
}

/// A count with its noun: `1 job`, `2 jobs`.
pub(crate) fn count(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A number of bytes for a reader: `812 bytes`, `4.1 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut shown = count(bytes, "byte", "bytes");
    let mut size = bytes as f64;
    for unit in UNITS {
        size /= 1000.0;
        // What would be shown as `1000.0` belongs to the next unit.
        if size < 0.9995 {
            break;
        }
        shown = format!("{size:.1} {unit}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_its_line() {
        let shown = path(Path::new("a\nb\u{1b}[31m\u{202e}\\n\"'é"));
        assert_eq!(shown, r#"a\nb\u{1b}[31m\u{202e}\\n"'é"#);
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"caf\xe9.txt");
        assert_eq!(path(Path::new(name)), r"caf\xe9.txt");
    }

    #[test]
    fn a_path_is_shown_as_it_would_be_typed() {
        assert_eq!(path(Path::new("./src/lib.rs")), "src/lib.rs");
        assert_eq!(path(Path::new("../src")), "../src");
        assert_eq!(path(Path::new("/usr/x")), "/usr/x");
        assert_eq!(path(Path::new(".")), ".");
        assert_eq!(path(Path::new(".hidden")), ".hidden");
    }

    #[test]
    fn a_long_word_is_cut_between_characters() {
        assert_eq!(word("short\n"), r"short\n");
        assert_eq!(word(&"é".repeat(1000)), "é".repeat(80) + "…");
    }

    #[test]
    fn sizes_are_in_the_unit_that_fits() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(4_123_456), "4.1 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18446744.1 TB");
    }
}
