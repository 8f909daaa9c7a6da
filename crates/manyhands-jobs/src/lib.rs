//! Jobs that wrap jobs: what happens before, after and instead of the work.
//!
//! A pool runs jobs and knows nothing of them. So whatever is about one job
//! alone (its key, its time limit, another attempt when it fails) can be
//! a job that has the job in it. It goes through any pool of any pattern, and
//! no pool pays for it.
//!
//! ```
//! use std::num::NonZeroU32;
//!
//! use manyhands_core::{InlinePool, WorkerPoolExt};
//! use manyhands_jobs::{Keyed, RetryPolicy, StartRate};
//!
//! # fn fetch(page: u32) -> Result<String, std::io::Error> {
//! #     Ok(format!("page {page}"))
//! # }
//! let policy = RetryPolicy::new().attempts(3);
//! let rate = StartRate::per_second(NonZeroU32::new(500).unwrap());
//!
//! // Each page is fetched at most thrice, each attempt in its turn.
//! let jobs = (1..=5).map(|page| {
//!     Keyed::new(page, policy.job(rate.job(move || fetch(page))))
//! });
//! let pool = InlinePool::new(); // or any other
//! let fed = pool.run_all(jobs, |completion| {
//!     let (page, text) = completion.done().unwrap();
//!     assert_eq!(text.unwrap(), format!("page {page}"));
//! });
//! fed.unwrap();
//! ```
//!
//! # A map
//!
//! | to | see | answers | feature |
//! |---|---|---|---|
//! | know what an answer belongs to | [`Keyed`] | `(K, Output)` | |
//! | have a panic as an answer | [`Caught`] | `Result<Output, Panic>` | |
//! | not begin what nobody wants any more | [`Cancellable`] | `Result<Output, NotBegun<J>>` | |
//! | not begin what has waited too long | [`Expiring`] | `Result<Output, Expired<J>>` | |
//! | tell a closure when its time is over | [`Deadlined`] | what the closure says | |
//! | drop an async job when its time is over | [`Timeout`] | `Result<Output, Elapsed>` | `tokio` |
//! | try again what failed | [`RetryPolicy`], [`Retry`] | the last `Result` | `retry` |
//! | start so many a second | [`StartRate`], [`RateLimited`] | `Output` | `rate` |
//!
//! Each is a job on both faces if the job in it is. The async faces of those
//! that wait, [`Retry`] and [`RateLimited`], want the feature `tokio`, for its
//! timer.
//!
//! # What is in what
//!
//! They nest, and the order says what is meant. What is around a
//! job is done once; what is in a [`Retry`] is done at each attempt.
//!
//! | this | means |
//! |---|---|
//! | `rate.job(policy.job(job))` | a turn a job |
//! | `policy.job(rate.job(job))` | a turn an attempt |
//! | `policy.job(Timeout::new(limit, job))` | a limit for each attempt, and another after `Elapsed` alone |
//! | `Timeout::new(limit, policy.job(job))` | a limit for all attempts and their pauses |
//! | `Keyed::new(key, Caught::new(job))` | a key that outlives a panic |
//! | `policy.job(Caught::new(job))` | another attempt after a panic |
//! | `Expiring::until(at, Deadlined::until(at, work))` | a deadline that counts the time in the queue |

#![forbid(unsafe_code)]
// With fewer features, links to what others bring lead nowhere.
#![cfg_attr(
    not(all(feature = "rate", feature = "retry", feature = "tokio")),
    allow(rustdoc::broken_intra_doc_links)
)]

mod cancellable;
mod caught;
mod deadlined;
mod expiring;
mod keyed;
mod limit;
#[cfg(feature = "retry")]
mod policy;
#[cfg(feature = "rate")]
mod rate;
#[cfg(feature = "rate")]
mod rate_limited;
#[cfg(feature = "retry")]
mod retry;
#[cfg(feature = "tokio")]
mod timeout;
#[cfg(any(feature = "rate", feature = "retry"))]
mod wait;
#[cfg(all(feature = "tokio", any(feature = "rate", feature = "retry")))]
mod wait_async;

pub use crate::cancellable::{Cancellable, NotBegun};
pub use crate::caught::Caught;
pub use crate::deadlined::Deadlined;
pub use crate::expiring::{Expired, Expiring};
pub use crate::keyed::Keyed;
#[cfg(feature = "retry")]
pub use crate::policy::RetryPolicy;
#[cfg(feature = "rate")]
pub use crate::rate::StartRate;
#[cfg(feature = "rate")]
pub use crate::rate_limited::{RateLimited, RateLimitedUntil};
#[cfg(feature = "retry")]
pub use crate::retry::{Counted, Retry};
#[cfg(feature = "tokio")]
pub use crate::timeout::{Elapsed, Timeout};
/// For its clocks.
#[cfg(feature = "rate")]
pub use governor;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
