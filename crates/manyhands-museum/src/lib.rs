//! A museum of bugs: the faults that worker pools have, each in the smallest
//! code that has it, with a schedule on which it shows itself every time, and
//! the mended code beside it.
//!
//! The code of a bug is real: its threads, locks and channels are those that
//! one would take. Where the order of two threads matters, they come to a
//! [`Stage`], which lets them go on in the order of its schedule. So a race is
//! no matter of luck here.
//!
//! Many of the bugs come to threads that wait for ever. [`play`] does not: it
//! says who waits for what, and leaves them behind.
//!
//! ```
//! use manyhands_museum::{Ends, bugs, play};
//!
//! let bug = bugs().iter().find(|bug| bug.name == "lost-wakeup").unwrap();
//! let played = play(&bug.broken, std::io::sink());
//! assert_eq!(played.ends, Ends::Hangs);
//! assert_eq!(played.waiting, [("worker", "waits to be woken".into())]);
//! assert_eq!(play(&bug.fixed, std::io::sink()).ends, Ends::Returns);
//! ```
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | know which bugs there are | [`bugs`], [`Bug`] |
//! | see the code of one | [`Act::lines`] |
//! | see it happen | [`play`], [`Played`], [`Ends`] |
//! | have threads go in a certain order | [`Stage`], [`Actor`] |

#![forbid(unsafe_code)]

mod asleep;
mod bug;
mod bugs;
mod columns;
mod panics;
mod play;
mod stage;

pub use crate::bug::{Act, Bug, Ends};
pub use crate::bugs::bugs;
pub use crate::play::{Played, play};
pub use crate::stage::{Actor, Event, Stage};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
