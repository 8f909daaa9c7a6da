//! The tool, on small repositories and on this one.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod pages;
