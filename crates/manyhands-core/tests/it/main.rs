//! What core promises, a module a part.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

/// How often something is tried: seldom under Miri, which is slow, and ten
/// times as often when `MANYHANDS_DEEP` is set.
fn often(times: usize) -> usize {
    let deep = |value: std::ffi::OsString| !value.is_empty() && value != "0";
    if cfg!(miri) {
        times.min(5)
    } else if std::env::var_os("MANYHANDS_DEEP").is_some_and(deep) {
        times * 10
    } else {
        times
    }
}

mod completion;
mod config;
mod crew;
mod crew_idle;
mod error;
mod ext;
mod group;
mod handle;
mod held;
mod inline;
mod intake;
mod map;
mod others;
mod per_worker;
mod results;
mod run;
mod shutdown;
mod small;
mod thread_options;
mod threads;
mod token;
