//! What the checks of the exercises share.
//!
//! An answer is written with [`sync`] and [`thread`], which read as those of
//! the standard library do. They are shuttle's: a check runs an answer on many
//! schedules, drawn from a fixed seed, and says what it saw on the first that
//! goes wrong. So a check says the same each time, on each machine.

#![forbid(unsafe_code)]

mod grade;
mod model;
mod tools;

pub use self::grade::main;
pub use self::model::{explore, explore_some};
pub use self::tools::{Gate, Gauge, Log, listed, same};

/// As `std::sync`.
pub mod sync {
    pub use shuttle::sync::*;
}

/// As `std::thread`.
pub mod thread {
    pub use shuttle::thread::*;
}

/// One thing that is asked of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What it is called: words with `_` between them.
    pub name: &'static str,
    /// What holds for a right answer, in one sentence.
    pub says: &'static str,
    /// What it means here if all threads wait and none can go on.
    pub stuck: &'static str,
    /// Panics with what it saw, if that is wrong.
    pub run: fn(),
}

impl Check {
    /// A check of threads.
    pub const fn new(
        name: &'static str,
        says: &'static str,
        stuck: &'static str,
        run: fn(),
    ) -> Self {
        Self { name, says, stuck, run }
    }

    /// A check of plain functions, in which nothing waits.
    pub const fn plain(
        name: &'static str,
        says: &'static str,
        run: fn(),
    ) -> Self {
        Self::new(name, says, "the answer waits for ever", run)
    }

    /// What was seen, if that is wrong.
    pub fn fault(&self) -> Option<String> {
        grade::fault(self)
    }
}
