//! The basic worker pool: workers range over a channel of jobs and send to a
//! channel of results.
//!
//! The pattern of [Go by Example], of many talks and of most first pools. In
//! Go:
//!
//! ```go
//! func worker(id int, jobs <-chan int, results chan<- int) {
//!     for j := range jobs {
//!         results <- work(id, j)
//!     }
//! }
//! ```
//!
//! and here, line by line the same, [`worker`].
//!
//! [Go by Example]: https://gobyexample.com/worker-pools
//!
//! # Use it as the tutorial does
//!
//! ```
//! use manyhands_channel::start;
//!
//! let (jobs, results, workers) = start(3, 5, |_id, job: u32| job * 2)?;
//! for job in 1..=5 {
//!     jobs.send(job).unwrap();
//! }
//! drop(jobs); // close(jobs)
//!
//! let mut doubled: Vec<u32> = results.iter().collect();
//! doubled.sort();
//! assert_eq!(doubled, [2, 4, 6, 8, 10]);
//! manyhands_core::join_all(workers);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Use it as a pool
//!
//! ```
//! use manyhands_channel::ChannelPool;
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//!
//! let pool = ChannelPool::builder().workers(3).queue(5).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! [`ChannelPool`] is the same worker under the contract of
//! [`WorkerPool`](manyhands_core::WorkerPool): a job that panics is one
//! completion and not a dead worker, ids tell whose result is whose, and the
//! number of unfinished jobs is bounded.
//!
//! # Three stages
//!
//! 1. [`worker`]: the tutorial. Start threads on it yourself.
//! 2. [`start`], [`start_workers`]: threads that are joined, and results that
//!    end when the workers have ended. [`scope`]: the same, borrowing.
//! 3. [`ChannelPool`]: the worker over tickets, with
//!    [`run_one`](manyhands_core::run_one) as the work, on threads that are
//!    named, sized and hooked as the [`builder`](ChannelPool::builder) says.
//!
//! # Two endings
//!
//! Go by Example reads as many results as it sent jobs. That is right as long
//! as every job sends exactly one result: a job that sends none leaves the
//! reader waiting for ever. The other tutorials close `results` when the
//! workers are done and read until the end. Here both work, and the second
//! comes by itself: each worker owns a sender of `results`, and when the last
//! worker returns, the channel ends.
//!
//! # Traps
//!
//! - With *both* channels bounded, as in Go, a program that submits all jobs
//!   before it reads a result hangs as soon as there are more jobs than
//!   places: 5 + 5 buffered and 3 workers take 13 jobs, and the 14th waits
//!   for ever. Here finished results wait without limit
//!   ([`results`]), so only memory is at stake.
//! - A clone of `jobs` that lives on keeps the workers waiting. `drop` is
//!   `close`, and every clone must be dropped.
//! - In stages 1 and 2 a `work` that panics ends its worker, as it ends the
//!   process in Go. Stage 3 contains it.
//!
//! # Cost
//!
//! A thread a worker, started when the pool is built. A job crosses one
//! bounded channel; its result goes through a lock, which the reader takes
//! once for all results that are there. Nothing is allocated for a job.

#![forbid(unsafe_code)]

mod adapter;

use std::io;

use crossbeam_channel::{Receiver, Sender, bounded};
use manyhands_core::sync::thread::{self, JoinHandle};
use manyhands_core::{join_all, results};

pub use crate::adapter::ChannelPool;

/// Works on jobs until their channel is closed and empty.
///
/// `id` goes to `work`, which may want to say which worker it runs on.
// ANCHOR: worker
pub fn worker<J, R>(
    id: usize,
    jobs: Receiver<J>,
    results: results::Sender<R>,
    work: impl Fn(usize, J) -> R,
) {
    for job in jobs {
        results.send(work(id, job));
    }
}
// ANCHOR_END: worker

/// Starts workers 1 to `num_workers`, each on a thread of its own, as the
/// iterator is advanced.
///
/// An error means that the system refused a thread. The workers that were
/// started before it end when `jobs` is closed.
pub fn start_workers<J, R>(
    num_workers: usize,
    jobs: Receiver<J>,
    results: results::Sender<R>,
    work: impl Fn(usize, J) -> R + Clone + Send + 'static,
) -> impl Iterator<Item = io::Result<JoinHandle<()>>>
where
    J: Send + 'static,
    R: Send + 'static,
{
    (1..=num_workers).map(move |id| {
        let (jobs, results) = (jobs.clone(), results.clone());
        let work = work.clone();
        thread::Builder::new()
            .name(format!("worker {id}"))
            .spawn(move || worker(id, jobs, results, work))
    })
}

/// The whole of the tutorial's `main` before the first job: makes the two
/// channels, `queue` jobs long, and starts the workers.
///
/// Drop `jobs` to close it. `results` ends when the workers have ended; then
/// join them, or do not, as the tutorial does not.
///
/// # Errors
///
/// When the system refuses a thread; the workers that had been started have
/// ended.
#[expect(clippy::type_complexity, reason = "three words, not one type")]
pub fn start<J, R>(
    num_workers: usize,
    queue: usize,
    work: impl Fn(usize, J) -> R + Clone + Send + 'static,
) -> io::Result<(Sender<J>, results::Receiver<R>, Vec<JoinHandle<()>>)>
where
    J: Send + 'static,
    R: Send + 'static,
{
    let (jobs, queued) = bounded(queue);
    let (results, collected) = results::channel();
    let mut workers = Vec::with_capacity(num_workers);
    for worker in start_workers(num_workers, queued, results, work) {
        match worker {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                drop(jobs);
                join_all(workers);
                return Err(error);
            }
        }
    }
    Ok((jobs, collected, workers))
}

/// Workers for the length of a call, so that jobs and `work` may borrow from
/// the caller.
///
/// `body` gets `jobs` and `results`; when it returns, with `jobs` dropped,
/// the workers finish what is queued and end, and then `scope` returns.
///
/// ```
/// use manyhands_channel::scope;
///
/// let text = String::from("many hands make light work");
/// let words = text.split(' ');
/// let letters: usize = scope(2, 4, |_id, word: &str| word.len(), |jobs, results| {
///     for word in words {
///         jobs.send(word).unwrap(); // borrowed from `text`
///     }
///     drop(jobs);
///     results.iter().sum()
/// });
/// assert_eq!(letters, 22);
/// ```
///
/// What a worker borrows cannot be dropped while it works:
///
/// ```compile_fail,E0597
/// # use manyhands_channel::scope;
/// scope(2, 4, |_id, word: &str| word.len(), |jobs, _results| {
///     let text = String::from("gone too early");
///     jobs.send(text.as_str()).unwrap();
/// });
/// ```
///
/// # Panics
///
/// When `body` panics, when `work` panics, or when the system refuses a
/// thread.
pub fn scope<J: Send, R: Send, T>(
    num_workers: usize,
    queue: usize,
    work: impl Fn(usize, J) -> R + Sync,
    body: impl FnOnce(Sender<J>, results::Receiver<R>) -> T,
) -> T {
    thread::scope(|scope| {
        let (jobs, queued) = bounded(queue);
        let (results, collected) = results::channel();
        for id in 1..=num_workers {
            let (queued, results) = (queued.clone(), results.clone());
            let work = &work;
            scope.spawn(move || worker(id, queued, results, work));
        }
        drop((queued, results));
        body(jobs, collected)
    })
}
