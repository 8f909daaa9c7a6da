//! What a check found.

use std::fmt;

use crate::Law;

/// What was found about one law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The law.
    pub law: Law,
    /// Whether the pool keeps it.
    pub finding: Finding,
}

/// Whether a pool keeps a law.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No breach was found.
    Passed,
    /// The pool broke the law: on which sizes and how, in one line.
    Failed(String),
    /// Not checked, and why: something that this system does not have.
    Skipped(String),
}

impl Verdict {
    /// True unless the pool broke the law.
    pub fn is_passed(&self) -> bool {
        !matches!(self.finding, Finding::Failed(_))
    }
}

/// One line: `law 8, exactly that bound: passed`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, finding } = self;
        match finding {
            Finding::Passed => write!(f, "{law}: passed"),
            Finding::Failed(how) => write!(f, "{law}: FAILED: {how}"),
            Finding::Skipped(why) => write!(f, "{law}: skipped: {why}"),
        }
    }
}

/// The verdicts of one pool, one a law, by number.
///
/// Its `Display` is one line a law.
#[must_use = "a report that nobody reads finds nothing"]
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) verdicts: Vec<Verdict>,
}

impl Report {
    /// One verdict for each law that was checked.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// The verdicts of the laws that the pool broke.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| !verdict.is_passed())
    }

    /// True unless the pool broke a law.
    pub fn is_passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// For the last line of a test.
    ///
    /// # Panics
    ///
    /// If the pool broke a law, with one line for each that it broke.
    #[track_caller]
    pub fn assert_passed(&self) {
        let broken: Vec<String> =
            self.failures().map(|failure| format!("\n  {failure}")).collect();
        let [broken_laws, laws] = [broken.len(), self.verdicts.len()];
        assert!(
            broken.is_empty(),
            "the pool breaks {broken_laws} of {laws} laws:{}",
            broken.concat()
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.verdicts.iter().map(Verdict::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
