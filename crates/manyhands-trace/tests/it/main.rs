//! What is recorded, on every variant; and what is made of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pictures;
mod recorded;
mod support;
mod trace;
