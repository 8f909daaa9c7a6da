//! What a managed pool does beyond the laws.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod features;
mod full;
mod inside;
mod lost;
mod order;
mod pause;
mod places;
mod readers;
mod size;
mod stop;
mod submit;
mod support;
mod tokens;
mod watch;
