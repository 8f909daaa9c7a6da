//! Programs that depend on the pools, built and run as their users do.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod abort;
mod misuse;
mod package;
