//! The program as a person or a script meets it: the real binary, its
//! output, its exit code.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod bad_input;
mod bug;
mod compare;
mod corpus;
mod directories;
mod learn;
mod limits;
mod list;
mod output;
mod page;
mod pipes;
mod program;
mod queue;
mod report;
mod run;
mod signals;
mod splice;
mod verify;
mod web;
