//! Work stealing: rayon's thread pool as a worker pool.
//!
//! In the tutorials, workers share one queue. Here every worker has a queue
//! of its own, and one that runs out of work steals from another: a job can
//! be cut into ever smaller ones, and the pieces spread by themselves. That
//! is [rayon], and this crate does not build it again; it adds what rayon
//! leaves to its user when rayon is to serve as a *worker pool*.
//!
//! | | rayon alone | here |
//! |---|---|---|
//! | jobs that wait | without limit | a bound; `submit` waits |
//! | a job that panics | ends the process | is one completion |
//! | the pool is dropped | threads are told to end | threads have ended |
//! | results | your own channel | [`results`], or `recv` |
//!
//! # Known length: `par_map`
//!
//! When all items are there, say so, and let rayon cut them up:
//!
//! ```
//! use manyhands_rayon::RayonThreads;
//!
//! let threads = RayonThreads::start(3)?;
//! let words = ["many", "hands", "make", "light", "work"].map(String::from);
//! let letters = threads.par_map(&words, |word| word.len()); // borrowed
//! assert_eq!(letters, [4, 5, 4, 5, 4]); // in the order of the words
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # Jobs as they come: `spawn`
//!
//! The tutorials' program. What in Go is
//!
//! ```go
//! go func() {
//!     results <- work(j)
//! }()
//! ```
//!
//! is here [`RayonThreads::spawn`], with the difference that all jobs share
//! the pool's threads:
//!
//! ```
//! use manyhands_core::results;
//! use manyhands_rayon::RayonThreads;
//!
//! let threads = RayonThreads::start(3)?;
//! let (results, collected) = results::channel();
//! for job in 1..=5 {
//!     threads.spawn(job, results.clone(), |job| job * 2);
//! }
//! drop(results); // the results end when the last job has sent its own
//!
//! let mut doubled: Vec<u32> = collected.iter().collect();
//! doubled.sort();
//! assert_eq!(doubled, [2, 4, 6, 8, 10]);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # As a pool
//!
//! ```
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//! use manyhands_rayon::RayonPool;
//!
//! let pool = RayonPool::builder().workers(3).queue(5).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! [`RayonPool`] is [`RayonThreads::spawn`] over tickets, with
//! [`run_one`](manyhands_core::run_one) as the work: bounded, cancellable,
//! and a job that panics is one completion and not the end of the process.
//!
//! # Traps
//!
//! - **Blocking jobs starve it.** A thread that waits for a file, a lock or a
//!   timer is a thread that computes nothing, and there are no others. Take
//!   it for jobs that compute.
//! - **No backpressure of its own.** `spawn` never waits, so a fast producer
//!   fills the memory. [`RayonPool`] has a bound for that reason.
//! - **`install` runs on the pool.** [`par_map`](RayonThreads::par_map) and
//!   whatever else is installed takes the same threads as the jobs, behind
//!   them in the queue, and is not counted by the pool's bound.
//! - **A lock held across a join.** A thread that waits for its pieces takes
//!   up other work meanwhile. If that work wants a lock which the same thread
//!   holds, it waits for itself, for ever. Drop guards before you call
//!   rayon from a job. For the same reason a job that calls rayon may have
//!   another job run on top of it, on its own stack.
//! - **Not first in, first out.** Jobs that come from outside are taken up in
//!   their order, roughly; jobs that a job submits are taken up last in,
//!   first out, by the same thread.
//!
//! # Cost
//!
//! A thread a worker, started when the pool is built. `par_map` allocates
//! nothing for an item but its place in the answer, and moves work only when
//! a thread is idle. `spawn` allocates once a job. An idle thread looks for
//! work about 32 times (rayon-core 1.13) before it sleeps.
//!
//! [rayon]: https://docs.rs/rayon

#![forbid(unsafe_code)]

mod adapter;

use std::io;
use std::thread::{self, JoinHandle};

use manyhands_core::{BuildError, Config, ThreadOptions, join_all, results};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};

pub use crate::adapter::RayonPool;
/// The rayon that the threads belong to.
pub use rayon;

/// Rayon's thread pool, with an end: dropping it runs what was spawned, and
/// returns when the threads have ended. Rayon's own drop does not wait.
///
/// Dropped on one of its own threads, by a job, it cannot wait: the threads
/// end by themselves once everything spawned has run.
#[derive(Debug)]
pub struct RayonThreads {
    // Dropped first: it tells the threads to end when they are out of work.
    pool: ThreadPool,
    // Dropped second: waits until they have.
    _ended: JoinOnDrop,
}

impl RayonThreads {
    /// Starts workers 1 to `num_workers`, each on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`BuildError::Config`] for a number outside of 1 to
    /// [`Config::MAX_WORKERS`]; [`BuildError::Spawn`] when the system refuses
    /// a thread, after those already started have ended.
    pub fn start(num_workers: usize) -> Result<Self, BuildError> {
        Self::start_with(num_workers, &ThreadOptions::new())
    }

    /// [`start`](Self::start), with a name, a stack and hooks for the threads.
    ///
    /// # Errors
    ///
    /// As `start`, and when the options are not
    /// [allowed](ThreadOptions::check).
    pub fn start_with(
        num_workers: usize,
        options: &ThreadOptions,
    ) -> Result<Self, BuildError> {
        options.check()?;
        let num_workers = Config::new(num_workers, 0)?.workers().get();
        let mut started = JoinOnDrop(Vec::with_capacity(num_workers));
        let mut refused = None;
        let built = ThreadPoolBuilder::new()
            .num_threads(num_workers)
            // Rayon would start the threads itself, and keep no handles.
            .spawn_handler(|worker| match spawn(options, worker) {
                Ok(thread) => {
                    started.0.push(thread);
                    Ok(())
                }
                Err(error) => {
                    let kind = error.kind();
                    refused = Some(error);
                    Err(kind.into())
                }
            })
            .build();
        match built {
            Ok(pool) => Ok(Self { pool, _ended: started }),
            Err(error) => {
                let refused = refused.unwrap_or(io::Error::other(error));
                Err(BuildError::Spawn(refused))
            }
        }
    }

    /// Works on all items at once, as far as there are threads, and returns
    /// the results in the order of the items.
    ///
    /// Items and `work` may borrow from the caller. Called from inside a job
    /// of the same threads, it takes part in the work instead of waiting.
    ///
    /// Items are cut into pieces by their number, down to single ones: for
    /// work of some nanoseconds, pass chunks of items.
    ///
    /// # Panics
    ///
    /// If `work` does; pieces that had been taken up are finished before.
    /// The threads live on.
    pub fn par_map<I, R>(
        &self,
        items: I,
        work: impl Fn(I::Item) -> R + Send + Sync,
    ) -> Vec<R>
    where
        I: IntoParallelIterator + Send,
        R: Send,
    {
        self.pool.install(|| items.into_par_iter().map(work).collect())
    }

    /// Runs a job on whichever thread is free first, and sends its result.
    /// Does not wait.
    ///
    /// A `work` that panics ends the process, as in Go. [`RayonPool`]
    /// contains it.
    // ANCHOR: spawn
    pub fn spawn<J, R>(
        &self,
        job: J,
        results: results::Sender<R>,
        work: impl FnOnce(J) -> R + Send + 'static,
    ) where
        J: Send + 'static,
        R: Send + 'static,
    {
        self.pool.spawn(move || results.send(work(job)));
    }
    // ANCHOR_END: spawn

    /// Rayon's pool: for `scope`, `join`, and parallel iterators of your own
    /// under `install`.
    pub fn rayon(&self) -> &ThreadPool {
        &self.pool
    }
}

fn spawn(
    options: &ThreadOptions,
    worker: ThreadBuilder,
) -> io::Result<JoinHandle<()>> {
    options.spawn("worker", worker.index(), || worker.run())
}

/// Threads that are waited for.
#[derive(Debug)]
struct JoinOnDrop(Vec<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        let this = thread::current().id();
        let mut threads = self.0.drain(..);
        // One of them is here, in the middle of a job, and the others end
        // only when no job is left: nobody may wait.
        if threads.as_slice().iter().any(|t| t.thread().id() == this) {
            return;
        }
        join_all(&mut threads);
    }
}
