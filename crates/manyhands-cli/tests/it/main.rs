//! The program as a person or a script meets it: the real binary, its
//! output, its exit code.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod bad_input;
mod compare;
mod list;
mod pipes;
mod program;
mod run;
mod signals;
mod verify;
