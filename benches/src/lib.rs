//! What the worker pools of this workspace cost, beside what else there is.
//!
//! Two programs stand on this: `cargo bench -p manyhands-benches`, which runs
//! everything group by group, and `pools`, which puts all contenders, those in
//! Go included, into one table from one alternating run. What each workload
//! and each group stands for is in `docs/MODELS.md`.
//!
//! # A map, in reading order
//!
//! | to | see |
//! |---|---|
//! | know what a job is | [`work`] |
//! | know how a pool is fed and read | [`drive`] |
//! | read the contenders side by side | [`contenders`], one module each |
//! | know how Go takes part | [`go`] |
//!
//! # Every measurement is a check
//!
//! A job's answer follows from its place in the list. Each run adds up what
//! came back, and a sum that is not the one of a plain loop over the same
//! jobs ends the measurement.

#![forbid(unsafe_code)]

pub mod contenders;
pub mod drive;
pub mod go;
pub mod work;
