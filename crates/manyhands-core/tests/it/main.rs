//! What core promises, a module a part.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

/// How often something is tried: seldom under Miri, which is slow.
fn often(times: usize) -> usize {
    if cfg!(miri) { times.min(5) } else { times }
}

mod completion;
mod config;
mod error;
mod ext;
mod handle;
mod inline;
mod intake;
mod others;
mod results;
mod run;
mod threads;
