//! A managed queue in front of a worker pool of any pattern.
//!
//! The pools of Many Hands take a job, run it, and hand back what became of
//! it. A service asks for more: a deadline for whoever submits, a policy for
//! when the pool is full, priorities, one job a customer at a time, another
//! number of workers at noon, a pause, an end with a report, numbers for a
//! dashboard. [`ManagedPool`] has all of that once, over any of them:
//!
//! ```
//! use std::time::Duration;
//! use manyhands_channel::ChannelPool;
//! use manyhands_core::{Spawn, Task, WorkerPool};
//! use manyhands_managed::{ManagedPool, Stop};
//!
//! let pool = ManagedPool::<Task>::builder()
//!     .workers(4)
//!     .queue(100)
//!     .over(ChannelPool::new)?;
//! let answer = pool.spawn(|| 6 * 7).unwrap();
//! assert_eq!(answer.join()?, 42);
//!
//! pool.resize(8)?;
//! let counts = pool.snapshot();
//! assert_eq!((counts.accepted, counts.done, counts.workers), (1, 1, 8));
//!
//! let end = pool.stop(Stop::DrainFor(Duration::from_secs(5)));
//! assert!(end.is_complete());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | build one over a pattern | [`ManagedBuilder::over`], [`over_tasks`](ManagedBuilder::over_tasks) |
//! | wait for a place no longer than that | [`submit_timeout`](ManagedPool::submit_timeout), [`submit_until`](ManagedPool::submit_until) |
//! | wait for a place in async code | [`submit_async`](ManagedPool::submit_async) |
//! | say what happens when it is full | [`offer`](ManagedPool::offer), [`WhenFull`] |
//! | take a place before there is a job | [`try_reserve`](ManagedPool::try_reserve), [`Place`] |
//! | read with a limit, or in async code | [`recv_timeout`](ManagedPool::recv_timeout), [`try_recv`](ManagedPool::try_recv), [`recv_async`](ManagedPool::recv_async) |
//! | have urgent jobs first | [`Order::by_priority`] |
//! | have one job a key at a time | [`Order::one_at_a_time`] |
//! | change the number of workers | [`resize`](ManagedPool::resize) |
//! | hold it for a while | [`pause`](ManagedPool::pause), [`resume`](ManagedPool::resume) |
//! | cancel it with other things, and tell what runs | [`token`](ManagedPool::token), [`cancelled_by`](ManagedBuilder::cancelled_by) |
//! | hear of panics that nobody waits for | [`on_panic`](ManagedBuilder::on_panic) |
//! | stop at the first failure | [`stop_on_failure`](ManagedBuilder::stop_on_failure) |
//! | know how it is | [`snapshot`](ManagedPool::snapshot) |
//! | end it | [`stop`](ManagedPool::stop), [`Stop`], [`Stopped`]; [`drain_async`](ManagedPool::drain_async) |
//!
//! What follows from the contract alone is in `manyhands-core`, and works here
//! as on every pool: `spawn` with handles, groups, ordered maps, states per
//! worker, tokens.
//!
//! # How it works
//!
//! The pool below is given no jobs but [`Shift`]s: jobs whose work is to take
//! the next job from the managed queue and run it, again and again, until there
//! is none. There are never more shifts than workers, so none of them waits in
//! the pool below. That pool says where and how work is run: on its threads,
//! under its permits, as its tasks. The managed queue says which, when, and
//! whether.
//!
//! # Features
//!
//! None is on if nothing is said, and then core is all that this crate needs.
//!
//! | feature | brings |
//! |---|---|
//! | `serde` | [`Snapshot`] and [`Stopped`] as data |
//! | `stream` | completions as a `futures` [`Stream`](ManagedPool::stream) |
//! | `tower` | [`PoolLayer`]: the calls of a service as jobs; full is not ready |
//! | `tracing` | a span a job, `job{id, worker}`, within the span that was current where it was submitted |
//! | `metrics` | counters, gauges and histograms, through the `metrics` facade |
//!
//! Without `tracing` and `metrics`, what they look at is not there: a queued
//! job is not a byte larger, which is asserted where it is built, and nothing is
//! compiled in.
//!
//! ## Metrics
//!
//! With the label `pool`, which is the [name](ManagedBuilder::name):
//!
//! - `manyhands_jobs_accepted_total`
//! - `manyhands_jobs_ended_total`, with the label `outcome`: `done`, `failed`,
//!   `panicked`, `cancelled`, `dropped`
//! - `manyhands_jobs_queued` and `manyhands_jobs_running`, gauges
//! - `manyhands_job_wait_seconds` and `manyhands_job_run_seconds`, histograms
//!
//! They are counted beside the pool's lock and not under it, so they agree
//! with each other once the pool is at rest; a
//! [`snapshot`](ManagedPool::snapshot) does at any time.
//!
//! # When not
//!
//! A batch on one thread's account, with nothing to manage: take the pattern
//! itself, it has less to do for a job. And one [`Order`] for all jobs is not
//! a scheduler: jobs that need guarantees apart from each other want pools
//! apart from each other.

#![forbid(unsafe_code)]

mod builder;
mod entry;
mod inside;
mod order;
mod pool;
mod reserve;
#[cfg(feature = "tower")]
mod service;
mod shared;
mod shift;
mod snapshot;
mod state;
#[cfg(feature = "stream")]
mod stream;
mod wait;
mod watch;

pub use crate::builder::ManagedBuilder;
pub use crate::order::Order;
pub use crate::pool::{ManagedPool, Stop, TryRecvError, WhenFull};
pub use crate::reserve::Place;
#[cfg(feature = "tower")]
pub use crate::service::{
    Answer, BoxError, Call, PoolLayer, Pooled, Unanswered,
};
pub use crate::shift::Shift;
pub use crate::snapshot::{Snapshot, Stopped};
#[cfg(feature = "stream")]
pub use crate::stream::CompletionStream;
