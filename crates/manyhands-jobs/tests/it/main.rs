//! What becomes of a job within a job, on every variant.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod cancellable;
mod deadlined;
mod expiring;
mod keyed;
mod nested;
mod rate;
mod retry;
mod support;
mod timeout;
