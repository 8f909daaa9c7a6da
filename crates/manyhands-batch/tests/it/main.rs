//! What the taught queue does, and what the pool promises beyond the laws.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod pool;
mod taught;
