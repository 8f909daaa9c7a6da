//! How long things take, compared such that a sceptic can believe it.
//!
//! This crate knows how measuring is done, and what follows from the numbers.
//! It knows neither pools nor work: a [`Contender`] has a name and makes runs,
//! and whatever does so can be compared with others that do the same work.
//!
//! - The program **starts itself again** as several processes, since each has
//!   its memory laid out in another way, and keeps that to its end.
//! - A **round** is one run of each contender, in random order, in one of the
//!   processes; the next round is in the next process. Only runs of one round
//!   are compared with each other.
//! - The **baseline**, which is the first contender, runs twice in each round.
//!   What it shows against itself is noise, and where that is more than 3 %
//!   nobody is ranked.
//! - [`judge`] says how many times as fast each contender is as the baseline,
//!   with an interval, and who is the fastest, if that can be told.
//!
//! With each run is recorded what it used, and with each round how the machine
//! was; [`record`] is all of that in a file. What follows from it is on one
//! page: docs/METHODOLOGY.md.
//!
//! # A map, in reading order
//!
//! | to | see |
//! |---|---|
//! | say what is compared | [`Contender`], [`contender()`], [`External`] |
//! | time a run | [`Stopwatch`], [`Spent`], [`Ran`], [`Wrong`] |
//! | measure, in processes of your own program | [`measure()`], [`Plan`], [`Budget`], [`is_child`], [`serve`] |
//! | end it early | [`Control`] |
//! | conclude | [`judge()`], [`Judgement`], [`Verdict`], [`Ratio`] |
//! | know on what it was measured | [`Machine`], [`load`], [`cache_line()`] |
//! | keep it in a file | [`record`] |
//!
//! # A program that compares
//!
//! Its `main` is run once by its user, and once in each of the processes that
//! measure, with the same arguments; [`is_child`] tells which it is. The
//! contenders are made in the child, by [`serve`]'s caller.
//!
//! ```no_run
//! use manyhands_measure::{
//!     Budget, Control, Plan, Ran, Stopwatch, Wrong, contender, is_child,
//!     judge, measure, myself, serve,
//! };
//!
//! fn sum(numbers: u64) -> Result<Ran, Wrong> {
//!     let watch = Stopwatch::start();
//!     let sum: u64 = (1..=numbers).map(std::hint::black_box).sum();
//!     let spent = watch.stop();
//!     match sum == numbers * (numbers + 1) / 2 {
//!         true => Ok(Ran::whole(spent, 1)),
//!         false => Err(Wrong(format!("the sum is {sum}"))),
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     if is_child() {
//!         let mut short = contender("short", || sum(100_000));
//!         let mut long = contender("long", || sum(200_000));
//!         return Ok(serve("sums", &mut [&mut short, &mut long])?);
//!     }
//!     let plan = Plan {
//!         processes: 5,
//!         budget: Budget { rounds: 50, time: None },
//!         seed: 1,
//!     };
//!     // `control.stop()`, from any thread, ends it early.
//!     let control = Control::new();
//!     let measured = measure(&plan, &mut myself, &control, &mut |_| {})?;
//!     let judgement = judge(&measured.rounds, &measured.stopped);
//!     for (name, row) in measured.names.iter().zip(&judgement.rows) {
//!         println!("{name}: {:?} {:?}", row.speed, row.verdict);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A contender may be [a program of another language](External).

#![forbid(unsafe_code)]

mod budget;
mod child;
mod contender;
mod external;
mod judge;
mod machine;
mod parent;
mod process;
mod random;
pub mod record;
mod round;
mod spent;
mod stats;
mod wire;

pub use self::budget::Budget;
pub use self::child::{give_up, is_child, serve};
pub use self::contender::{Contender, Ran, Wrong, contender};
pub use self::external::External;
pub use self::judge::{Best, Judgement, Row, State, Verdict, judge};
pub use self::machine::{Machine, cache_line, load};
pub use self::parent::{
    Measured, Next, Note, Plan, ROUNDS_PER_REHEARSAL, measure,
};
pub use self::process::{Broken, Control, myself};
pub use self::round::Round;
pub use self::spent::{Spent, Stopwatch, Switches};
pub use self::stats::{FEWEST, Ratio};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
