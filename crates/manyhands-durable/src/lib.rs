//! Jobs that outlive their process.
//!
//! The verbs of the `JobQueue`, `start`, `submit` and `stop`, over three
//! places to keep jobs in: memory, a file of SQLite, a PostgreSQL server. The
//! job is the same in all three, and so is the code that submits it; one line
//! says which.
//!
//! # What is promised
//!
//! - A job is durable when `submit` returns `Ok`. (In memory it ends with the
//!   process: that queue is for tests, and for what may be lost.)
//! - It runs **at least once**, until an attempt succeeds, or it has no
//!   attempt left or fails for good: then it is a *dead letter*, which is kept
//!   with its last error, and can be driven again. It may run more than once.
//! - Its attempts are counted when they begin, so that a job that kills its
//!   process is a dead letter too, in time.
//! - What an attempt writes is refused once another has the job.
//!
//! Not promised: that it runs once; an order, but for first attempts under one
//! [`serial`](Submission::serial) word; that a result comes back to whoever
//! submitted. So it is no [`WorkerPool`](manyhands_core::WorkerPool) but a
//! [`JobSink`](manyhands_core::JobSink), as which pools can be used as well.

#![forbid(unsafe_code)]

/// Its example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod admin;
mod attempt;
mod check;
#[cfg(not(feature = "crash-points"))]
mod crash;
#[cfg(feature = "crash-points")]
#[doc(hidden)]
pub mod crash;
mod cron;
mod envelope;
mod error;
mod filter;
mod inside;
mod job;
mod limits;
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod queue;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod status;
mod store;
mod submission;
mod watch;
mod workers;

pub use admin::Admin;
pub use attempt::Attempt;
pub use error::{Error, Refused};
pub use filter::Filter;
pub use job::{DurableJob, Failure};
pub use limits::{Backoff, Rate, Stopped};
pub use queue::{Builder, JobQueue};
pub use status::{Counts, JobId, State, Status};
pub use submission::Submission;
