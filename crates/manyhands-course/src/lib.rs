//! Makes the parts of the book that nobody writes by hand: listings, outputs
//! of commands, and whatever else stands between markers. And checks that what
//! is written by hand leads somewhere.
//!
//! `course make` makes them, `course check` says which are not as they would
//! be made. Both are for this repository alone.
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | find what a page wants | `marker`, `document` |
//! | show a part of a file | `listing` |
//! | show what a command prints | `output` |
//! | simulate workers and their queue | `sim`, `drawings` |
//! | reckon how long jobs wait | `queueing`, `tables` |
//! | reckon how far a queue in a database goes | `limits` |
//! | draw that | `drawing`, `curve` |
//! | show a bug step by step | `stepper` |
//! | see whether links lead somewhere | `prose`, `look` |
//! | do all of it, for every page | [`Course`] |

#![forbid(unsafe_code)]

mod args;
mod course;
mod curve;
mod document;
mod drawing;
mod drawings;
mod fence;
mod limits;
mod listing;
mod look;
mod marker;
mod output;
mod prose;
mod queueing;
mod sim;
mod stepper;
mod tables;

pub use crate::args::main;
pub use crate::course::{Course, Finding, Outputs, Plan};
