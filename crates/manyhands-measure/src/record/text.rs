//! Texts from elsewhere, such that they can be shown.

/// A text from elsewhere, such that it cannot break its line, colour the
/// terminal or pass for another: control characters and the like appear as
/// Rust's escapes. What is already such a text stays as it is.
pub fn legible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => line.push(char),
            _ => line.extend(char.escape_debug()),
        }
    }
    line
}

/// A value of the user's as it can stand in a line: in quotes unless it is a
/// plain word, control characters escaped, cut where it gets long.
pub fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    let plain = |c: char| c.is_alphanumeric() || "-_.,:/".contains(c);
    let mut shown: String = value.chars().take(LONGEST).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    if !value.is_empty() && value.chars().all(plain) {
        return shown;
    }
    format!("'{}'", shown.escape_debug().to_string().replace("\\'", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_elsewhere_stay_on_their_line_and_are_escaped_once() {
        let shown = legible("it's\n\u{1b}[31m\u{202e}\u{7f}\u{9b}é\\n–");
        let expected = r"it's\n\u{1b}[31m\u{202e}\u{7f}\u{9b}é\n–";
        assert_eq!(shown, expected);
        assert_eq!(legible(&shown), shown);
    }

    #[test]
    fn values_are_shown_on_one_line_and_cut() {
        assert_eq!(shown("channel"), "channel");
        assert_eq!(shown(""), "''");
        assert_eq!(shown("a b"), "'a b'");
        assert_eq!(shown("it's"), "'it's'");
        assert_eq!(shown("a\nb\u{1b}"), "'a\\nb\\u{1b}'");
        assert_eq!(shown(&"x".repeat(100)), "x".repeat(60) + "…");
    }
}
