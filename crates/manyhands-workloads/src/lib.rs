//! Jobs to compare worker pools with, each with a checked answer.
//!
//! A [`Workload`] is a list of jobs with a name, a parameter, and the answer
//! that every pool must give to every job. So a measurement is also a test: a
//! pool that is fast because it loses jobs, or mixes them up, is found out.
//!
//! ```
//! use manyhands_core::{InlinePool, WorkerPoolExt};
//! use manyhands_workloads::{Settings, Workload};
//!
//! let workload = Workload::parse("noop", &Settings::default())?;
//! let mut tally = workload.tally();
//! let pool = InlinePool::new(); // or any other pool
//! pool.run_all(workload.jobs(), |done| tally.add(done.id, done.outcome))?;
//! assert_eq!(tally.check(false)?.done, workload.len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A map, in reading order
//!
//! | to | see |
//! |---|---|
//! | make a workload by its name | [`Workload::parse`], [`Settings`] |
//! | list the names there are | [`all`], [`Kind`] |
//! | know what each stands for | [`guide`] |
//! | run it | [`Workload::run_on`], [`Fed`], [`Visits`] |
//! | know its jobs | [`Workload::jobs`], [`WorkJob`], [`Answer`], [`WorkError`] |
//! | check what came back | [`Workload::tally`], [`Tally`], [`Checked`] |
//! | send mails by other jobs | `MailSink`, under the feature `web` |
//! | see what is in the files | [`Workload::reports`], [`FileReport`] |

#![forbid(unsafe_code)]

mod arithmetic;
mod error;
mod fed;
mod files;
#[doc(hidden)]
pub mod fuzz;
mod job;
mod line;
mod real;
#[cfg(feature = "web")]
mod served;
mod spec;
mod tally;
#[cfg(feature = "web")]
mod web;
mod workload;

pub use crate::error::{WorkError, WorkloadError};
pub use crate::fed::{Fed, Visits};
pub use crate::files::{FileError, FileReport};
pub use crate::job::{Answer, WorkJob};
#[cfg(feature = "web")]
pub use crate::real::{MailCounts, MailSink, Undelivered};
pub use crate::spec::{Kind, all};
pub use crate::tally::{Checked, Seen, Tally, WrongAnswer};
pub use crate::workload::{Settings, Workload};

#[doc = include_str!("../docs/workloads.md")]
pub mod guide {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
