//! What reads texts from outside, held to what must be true whatever they
//! are. The fuzz target calls this, and a test with the whole corpus.

use crate::spec::Form;

/// A workload's name with its parameter: it is understood, and what it is
/// called then is understood as the same; or it is refused in one short line.
///
/// # Panics
///
/// When it is not so.
pub fn workload(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Form::parse(text) {
        Ok(form) => {
            let name = form.to_string();
            assert!(name.is_ascii() && name.len() < 40, "{name:?}");
            assert_eq!(Form::parse(&name), Ok(form), "{text:?}");
            assert!(form.default_jobs() > 0);
            assert!(!form.phrase().is_empty());
        }
        Err(error) => {
            let line = error.to_string();
            let is_odd = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!line.contains(is_odd), "{line:?}");
            assert!(line.chars().count() < 1000, "{line:?}");
        }
    }
}
