//! What core promises, a module a part.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod completion;
mod config;
mod error;
mod ext;
mod handle;
mod inline;
mod intake;
mod results;
mod run;
mod threads;
