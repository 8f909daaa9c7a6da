//! What a web service can rely on.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

#[cfg(unix)]
mod example;
mod front;
mod promises;
