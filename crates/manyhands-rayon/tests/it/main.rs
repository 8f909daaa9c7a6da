//! What this variant promises beyond the laws.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod end;
mod par_map;
mod pool;
mod start;
