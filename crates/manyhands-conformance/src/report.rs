//! What a check found.

use std::fmt;

use crate::{Claim, Law};

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// A law, which every pool keeps.
    Law(Law),
    /// A claim, which a pool makes or does not make.
    Claim(Claim),
}

/// What was found about one law, or one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was checked.
    pub check: Check,
    /// Whether the pool keeps the law, or is as it claims.
    pub finding: Finding,
}

/// Whether a pool keeps a law, or is as it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No breach was found.
    Passed,
    /// A claim that the pool does not make, and that would be false, as far
    /// as that shows.
    NotClaimed,
    /// The pool broke the law, or is not as it claims: on which sizes and
    /// how, in one line.
    Failed(String),
    /// Not checked, and why: something that this system does not have.
    Skipped(String),
}

impl Check {
    /// Its name, a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Law(law) => law.name(),
            Self::Claim(claim) => claim.name(),
        }
    }
}

impl From<Law> for Check {
    fn from(law: Law) -> Self {
        Self::Law(law)
    }
}

impl From<Claim> for Check {
    fn from(claim: Claim) -> Self {
        Self::Claim(claim)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Law(law) => law.fmt(f),
            Self::Claim(claim) => claim.fmt(f),
        }
    }
}

impl Verdict {
    /// True unless the pool broke the law, or is not as it claims.
    pub fn is_passed(&self) -> bool {
        !matches!(self.finding, Finding::Failed(_))
    }
}

/// One line: `law 8, exactly that bound: passed`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, finding } = self;
        match finding {
            Finding::Passed => write!(f, "{check}: passed"),
            Finding::NotClaimed => write!(f, "{check}: not claimed"),
            Finding::Failed(how) => write!(f, "{check}: FAILED: {how}"),
            Finding::Skipped(why) => write!(f, "{check}: skipped: {why}"),
        }
    }
}

/// The verdicts of one pool: one a law, by number, and one a claim.
///
/// Its `Display` is one line each.
#[must_use = "a report that nobody reads finds nothing"]
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) verdicts: Vec<Verdict>,
}

impl Report {
    /// One verdict for each law and each claim that was checked.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// The verdicts of the laws that the pool broke, and of the claims that
    /// are false.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| !verdict.is_passed())
    }

    /// True unless the pool broke a law, or is not as it claims.
    pub fn is_passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// For the last line of a test.
    ///
    /// # Panics
    ///
    /// If the pool broke a law or is not as it claims, with one line for each.
    #[track_caller]
    pub fn assert_passed(&self) {
        let failed: Vec<String> =
            self.failures().map(|failure| format!("\n  {failure}")).collect();
        let [failures, checks] = [failed.len(), self.verdicts.len()];
        assert!(
            failed.is_empty(),
            "the pool fails {failures} of {checks} checks:{}",
            failed.concat()
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
