//! Who takes part, and what a run of it took.

use std::fmt;

use crate::Spent;

/// One that takes part in a comparison: it has a name, and makes runs.
///
/// All contenders of a comparison do the same work, and each says of each of
/// its runs that the answer was right, or the comparison ends.
pub trait Contender {
    /// By which it is known: one line, unlike that of any other.
    fn name(&self) -> &str;

    /// Makes one run against the clock, and checks its answer.
    ///
    /// A [`Stopwatch`](crate::Stopwatch) goes around that part which counts.
    /// What is prepared for it, and what is checked and dropped after it, is
    /// not timed.
    ///
    /// # Errors
    ///
    /// [`Wrong`], if the answer was, or if no run can be made.
    fn run(&mut self) -> Result<Ran, Wrong>;

    /// Makes a run that does not count: before the first timed round of each
    /// process, and before every [fifth](crate::ROUNDS_PER_REHEARSAL) of its
    /// rounds. It warms up code and allocator, and may look at something for
    /// which a timed run has no time. What it returns, one line, goes to
    /// [`Measured::notes`](crate::Measured::notes).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    fn rehearse(&mut self) -> Result<String, Wrong> {
        self.run().map(|_| String::new())
    }
}

/// A run whose answer was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ran {
    /// What it took.
    pub spent: Spent,
    /// How many answers were checked.
    pub answers: u64,
    /// True if it left out some of the work, as it is meant to: its time then
    /// compares with nothing.
    pub stopped: bool,
}

impl Ran {
    /// A run that did all of its work, with so many answers checked.
    pub fn whole(spent: Spent, answers: u64) -> Self {
        Self { spent, answers, stopped: false }
    }
}

/// Why a comparison cannot go on, in one line: an answer that is not right,
/// or a run that could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// A contender of a name and a function that makes one run.
///
/// ```
/// use manyhands_measure::{Contender, Ran, Stopwatch, Wrong, contender};
///
/// let mut sum = contender("sum", || {
///     let watch = Stopwatch::start();
///     let sum: u64 = (1..=100_000).sum();
///     let spent = watch.stop();
///     match sum {
///         5_000_050_000 => Ok(Ran::whole(spent, 1)),
///         _ => Err(Wrong(format!("the sum is {sum}"))),
///     }
/// });
/// assert_eq!(sum.name(), "sum");
/// assert!(!sum.run()?.stopped);
/// # Ok::<(), Wrong>(())
/// ```
pub fn contender(
    name: impl Into<String>,
    run: impl FnMut() -> Result<Ran, Wrong>,
) -> impl Contender {
    Closure { name: name.into(), run }
}

struct Closure<F> {
    name: String,
    run: F,
}

impl<F: FnMut() -> Result<Ran, Wrong>> Contender for Closure<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self) -> Result<Ran, Wrong> {
        (self.run)()
    }
}
