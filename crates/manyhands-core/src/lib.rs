//! The contract of the Many Hands worker pools.
//!
//! A *worker pool* runs jobs on a limited number of workers and hands back
//! what became of each. There are many ways to build one: channels, a wait
//! group, a dispatcher, a semaphore, an error group, work stealing, async
//! tasks. This crate is what they have in common, and nothing else: one trait,
//! [`WorkerPool`], the laws that every implementation keeps, and the few
//! parts that all of them share. It depends on the standard library only,
//! and but for [`shutdown`](WorkerPoolExt::shutdown) it starts no thread of
//! its own accord.
//!
//! # A map, in reading order
//!
//! | to | see |
//! |---|---|
//! | say what work is | [`Job`], [`AsyncJob`] |
//! | use any pool | [`WorkerPool`], and its laws |
//! | read what became of a job | [`Completion`], [`Outcome`], [`Panic`] |
//! | feed a pool from one thread, in bounded memory | [`WorkerPoolExt::run_all`] |
//! | get results in the order of the jobs | [`WorkerPoolExt::map_ordered`] |
//! | map an iterator on a pool that others use | [`PoolIterator::pool_map`] |
//! | stop at a deadline, whatever still runs | [`WorkerPoolExt::shutdown`] |
//! | wait for one job | [`Spawn::spawn`], [`JobHandle`] |
//! | have a job done that nobody waits for | [`Spawn::execute`] |
//! | have jobs together on a pool that others use, and stop at the first error | [`TaskGroup`] |
//! | hand jobs over whose submitter may be gone when they end | [`JobSink`], [`PoolSink`] |
//! | tell a job that runs to stop | [`CancelToken`] |
//! | have a state for each worker | [`PerWorker`] |
//! | choose workers and queue | [`Config`], [`Builder`] |
//! | name threads, size their stacks, hook their start and end, let idle ones go | [`Builder`], [`ThreadOptions`] |
//! | have a pool that is no pool: the baseline | [`InlinePool`] |
//! | write a pool of your own | [`Intake`], [`results`], [`run_one`], [`crew`], [`join_all`] |
//!
//! # One trait, any pool
//!
//! ```
//! use manyhands_core::{InlinePool, Outcome, WorkerPool, WorkerPoolExt};
//!
//! // Works with every pool of the workspace, and with yours.
//! fn sum_of_squares<P, J>(pool: &P, jobs: Vec<J>) -> u64
//! where
//!     P: WorkerPool<J> + ?Sized,
//!     J: manyhands_core::Job<Output = u64>,
//! {
//!     let mut sum = 0;
//!     let fed = pool.run_all(jobs, |completion| match completion.outcome {
//!         Outcome::Done(square) => sum += square,
//!         Outcome::Panicked(panic) => eprintln!("{}: {panic}", completion.id),
//!         Outcome::Cancelled(_job) => eprintln!("{} not run", completion.id),
//!     });
//!     fed.expect("nobody closed the pool");
//!     sum
//! }
//!
//! let pool = InlinePool::new();
//! let jobs = (1..=10u64).map(|n| move || n * n).collect();
//! assert_eq!(sum_of_squares(&pool, jobs), 385);
//! ```

#![forbid(unsafe_code)]

mod ahead;
mod completion;
mod config;
pub mod crew;
mod error;
mod ext;
mod group;
mod handle;
mod inline;
mod intake;
mod job;
mod map;
mod owed;
mod per_worker;
mod pool;
pub mod results;
mod run;
mod seats;
mod shutdown;
mod sink;
mod spawn;
mod submitter;
#[doc(hidden)]
pub mod sync;
mod task;
mod thread_options;
mod threads;
mod token;

pub use crate::completion::{Completion, Outcome, Panic};
pub use crate::config::{Builder, Config};
pub use crate::error::{
    BuildError, Closed, ConfigError, SubmitAllError, TrySubmitError,
};
pub use crate::ext::{Completions, MapOrdered, WorkerPoolExt};
pub use crate::group::{GroupError, TaskGroup};
pub use crate::handle::{JobError, JobHandle};
pub use crate::inline::InlinePool;
pub use crate::intake::{Counter, Desk, Finished, Intake};
pub use crate::job::{AsyncJob, Job, JobId, Ticket};
pub use crate::map::{PoolIterator, PoolMap};
pub use crate::per_worker::PerWorker;
pub use crate::pool::WorkerPool;
pub use crate::run::{discard, run_one, run_one_async};
pub use crate::shutdown::Shutdown;
pub use crate::sink::{JobSink, PoolSink};
pub use crate::spawn::Spawn;
pub use crate::submitter::Submitter;
pub use crate::task::Task;
pub use crate::thread_options::{AtWork, ThreadOptions, WorkerInfo};
pub use crate::threads::{Threads, join_all};
pub use crate::token::{
    CancelToken, Cancellation, Cancelled, OnCancel, WeakCancelToken,
};
