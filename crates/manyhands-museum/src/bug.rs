//! What a bug of the museum consists of.

use crate::stage::Stage;

/// A bug, broken and mended, with the words around it.
#[derive(Debug)]
pub struct Bug {
    /// What it is called on a command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What the code is there for.
    pub story: &'static str,
    /// What the reader is asked before it runs.
    pub question: &'static str,
    /// What the reader may answer: `a`, `b`, and so on.
    pub answers: &'static [&'static str],
    /// The right one of them.
    pub right: usize,
    /// The code with the fault.
    pub broken: Act,
    /// The mended code.
    pub fixed: Act,
    /// Why it happens.
    pub why: &'static str,
    /// How one finds it where it is not expected.
    pub found: &'static str,
    /// What the mend is.
    pub mend: &'static str,
}

/// A piece of code, and how it is to be played.
#[derive(Debug)]
pub struct Act {
    /// The file that it is in.
    pub source: &'static str,
    /// Its part of the file: what stands between `ANCHOR: name` and
    /// `ANCHOR_END: name`.
    pub anchor: &'static str,
    /// Whose turn it is, one step after the other.
    pub schedule: &'static [&'static str],
    /// The code.
    pub run: fn(&Stage),
    /// What it comes to.
    pub ends: Ends,
}

/// How an act ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It returns.
    Returns,
    /// Its threads wait for ever.
    Hangs,
    /// It panics.
    Panics,
}

impl Act {
    /// The act's lines, each with its number in the file, and without the
    /// marks of other parts.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let start = format!("// ANCHOR: {}", self.anchor);
        let end = format!("// ANCHOR_END: {}", self.anchor);
        (1..)
            .zip(self.source.lines())
            .skip_while(move |(_, line)| line.trim() != start)
            .skip(1)
            .take_while(move |(_, line)| line.trim() != end)
            .filter(|(_, line)| !line.trim().starts_with("// ANCHOR"))
    }
}
