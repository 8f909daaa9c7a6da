//! Arbitrary sequences of calls, against a reference.
//!
//! A program is a sequence of calls, or a few at once, each on a thread of
//! its own. Every variant runs it, and is held, call by call, to what the
//! reference pool and the laws say; see [`alone`] and [`together`]. A program
//! that fails is made smaller as long as it still fails, and then shown.
//! [`controls`] proves that: broken pools are found out, by programs of a few
//! calls.
//!
//! Programs are other ones in each run. Nothing is written beside the tests:
//! most of what can be found here is a race, which the same numbers would not
//! bring back. A program that found something becomes a test, by hand.
//!
//! `MANYHANDS_DEEP=1` runs more programs.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod broken;
mod controls;
mod job;
mod model;
mod program;
mod search;
mod together;
mod variants;
