//! What can go wrong around a pool, and what every variant does then.
//!
//! Each test is a fault, and its name is the answer. Every variant is put
//! through it, under a watchdog. What ends a process, and what looks at the
//! threads, files or memory of a whole one, happens in a child: this very
//! program, run again for one test and one variant.
//!
//! `MANYHANDS_DEEP=1` runs the same tests with the large numbers.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test's words are shown when it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod act;
mod child;
mod kit;
mod os;

mod absent;
mod cancel;
mod close;
mod drop;
mod fatal;
mod machine;
mod nested;
mod panics;
mod threads;
mod volume;
