//! Requests to a web service become jobs of a worker pool.
//!
//! A handler must not compute or block for long: it has a thread of the
//! runtime, which other requests wait for. It must not start a thread a
//! request either, or a busy hour starts as many as there are callers. So it
//! hands the work to a pool that has a bound, and says so at once when the
//! pool is full: `503 Service Unavailable` with `Retry-After`.
//!
//! [`Front`] is what stands between an [`axum`] service and any
//! [`WorkerPool`](manyhands_core::WorkerPool):
//!
//! ```text
//!            ask, post                  submit
//! handlers ─────────────▶   Front   ────────────▶   pool
//!    ▲                        │  ▲                    │
//!    └──────── answer ────────┘  └──── completions ───┘
//!                               serve()
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use std::thread;
//!
//! use axum::Router;
//! use axum::response::IntoResponse;
//! use axum::routing::get;
//! use manyhands_core::InlinePool; // or any other pool
//! use manyhands_web::Front;
//!
//! let front = Arc::new(Front::new(InlinePool::new()));
//! // The thread that hands the answers back.
//! let serving = Arc::clone(&front);
//! let answers = thread::spawn(move || {
//!     serving.serve(|completion| completion.done());
//! });
//!
//! let asked = Arc::clone(&front);
//! let handler = || async move {
//!     match asked.ask(|| 6 * 7) {
//!         Ok(answer) => match answer.await {
//!             Ok(Some(number)) => format!("{number}\n").into_response(),
//!             Ok(None) => "the job panicked".into_response(),
//!             Err(lost) => lost.into_response(),
//!         },
//!         Err(refused) => refused.into_response(),
//!     }
//! };
//! let app: Router = Router::new().route("/answer", get(handler));
//! # drop(app);
//!
//! // At the end: take no more, run what was accepted, hand back the answers.
//! front.close();
//! answers.join().unwrap();
//! ```
//!
//! `cargo run --release --example web_jobs` is a whole service to begin with:
//! answers that are waited for, mail that is sent later with retries, a drain
//! on SIGTERM, and `/metrics`.
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | put a pool behind handlers | [`Front::new`], [`Front::serve`] |
//! | hand work over and await its answer | [`Front::ask`], [`Reply`], [`Lost`] |
//! | hand work over and answer at once | [`Front::post`] |
//! | say no when the pool is full | [`Refused`], a response of its own |
//! | see what happened | [`Front::counts`], [`Counts`] |
//! | end | [`Front::close`] |
//!
//! # Cost
//!
//! A job takes a lock twice, for as long as it takes to look into a hash map,
//! and two readings of the clock; one that is asked for an allocation beside.
//!
//! # What is lost, and when
//!
//! The queue is in memory. After [`Front::close`] everything that was
//! accepted is run. A process that is killed loses what it had accepted and
//! not run: whoever was told `202 Accepted` is not told of it. A job that
//! must survive that belongs into a queue on disk before it is accepted.

#![forbid(unsafe_code)]

mod front;
mod metrics;

pub use crate::front::{Front, Lost, Refused, Reply};
pub use crate::metrics::Counts;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
