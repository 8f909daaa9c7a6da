//! What each worker of a pool did, and where its jobs waited.
//!
//! A job that wraps a job, [`Traced`], tells a [`Recorder`] when it was made,
//! started and ended, on which thread, and how. Nothing inside a pool knows of
//! it, so it works with any. What was recorded is a [`Trace`]: lanes,
//! percentiles, the depth of the queue, Little's law; to be drawn as a
//! [timeline](draw::timeline), or [opened](chrome) in a viewer of traces.
//!
//! ```
//! use std::time::Duration;
//!
//! use manyhands_core::{Config, WorkerPoolExt};
//! use manyhands_trace::{Phase, Recorder, Traced, draw};
//! # use manyhands_core::InlinePool as Pool;
//!
//! let recorder = Recorder::new(10_000);
//! let work = || std::thread::sleep(Duration::from_millis(1));
//! let jobs = (1..=5).map(|number| Traced::new(number, work, &recorder));
//! let pool = Pool::new();
//! pool.run_all(jobs, drop).unwrap();
//!
//! let trace = recorder.trace(1);
//! assert_eq!(trace.records().len(), 5);
//! assert!(trace.times(Phase::Running).percentile(50.0).as_millis() >= 1);
//! assert!(draw::timeline(&trace, "five jobs").alone().starts_with("<svg"));
//! ```
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | record the jobs of any pool | [`Recorder`], [`Traced`] |
//! | read what was recorded | [`Trace`], [`Record`], [`Ended`] |
//! | know how long jobs waited, and ran | [`Trace::times`], [`Phase`], [`Times`] |
//! | see how many waited, and why so long | [`Trace::little`], [`Little`], [`Step`] |
//! | draw it, or open it in a viewer | [`draw`], [`chrome()`] |
//! | look at jobs in a way of your own | [`Observe`] |

#![forbid(unsafe_code)]

mod chrome;
pub mod draw;
mod flow;
mod lanes;
mod recorder;
mod times;
mod trace;
mod traced;

pub use crate::chrome::chrome;
pub use crate::flow::{Little, Step};
pub use crate::recorder::Recorder;
pub use crate::times::{Phase, Times};
pub use crate::trace::{Record, Trace};
pub use crate::traced::{Ended, Observe, Traced};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
