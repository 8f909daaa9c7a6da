//! What a managed pool does beyond the laws.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod full;
mod order;
mod pause;
mod size;
mod stop;
mod submit;
mod support;
mod watch;
