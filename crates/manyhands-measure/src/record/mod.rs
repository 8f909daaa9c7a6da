//! What was measured, as a file has it: to be judged again on another day, on
//! another machine.
//!
//! There are two shapes, both CSV with the machine in every line. [`Runs`] are
//! the timed runs of a comparison, one a line, from which everything that is
//! concluded follows. [`Rows`] are the lines of a table of other measurements,
//! of which the figures are all there is.
//!
//! What is read is checked: each field is within what is allowed, and lines
//! agree with each other. What is wrong is told in one line.

mod allowed;
mod csv;
mod fields;
mod file;
mod rows;
mod run;
mod runs;
mod text;

pub use self::allowed::{amount, machine, name, within};
pub use self::file::NewFile;
pub use self::rows::Rows;
pub use self::run::Run;
pub(crate) use self::runs::again;
pub use self::runs::{Entrant, Runs};
pub use self::text::{legible, shown};

/// The longest file that is taken for a record: several times as long as one
/// with a thousand rounds of sixty contenders.
pub const MOST_BYTES: usize = 64 << 20;

/// What one of the shapes holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Csv {
    /// A comparison.
    Runs(Runs),
    /// A table.
    Rows(Rows),
}

impl Csv {
    /// True for a text that may be meant as one.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(fields::FIRST)
    }

    /// Reads either shape. `order` are names of contenders, in the order in
    /// which they are to be; others come after them.
    ///
    /// # Errors
    ///
    /// One line: which of its lines is wrong, with what, and what is allowed.
    pub fn read(text: &str, order: &[&str]) -> Result<Self, String> {
        match Rows::is_meant(text) {
            true => Rows::read(text).map(Self::Rows),
            false => csv::read(text, order).map(Self::Runs),
        }
    }
}
