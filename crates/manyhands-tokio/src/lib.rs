//! Async workers, and tasks under a semaphore: worker pools on tokio.
//!
//! A worker that waits for a network or a timer holds a thread and does
//! nothing with it. A *task* that waits holds its own state and no thread: a
//! thousand of them can wait on two threads. This is what goroutines are, so
//! here the tutorials' programs come over nearly word by word. Two of their
//! patterns: workers, and no workers.
//!
//! # Workers
//!
//! As in the tutorial, workers range over jobs and send results. In Go:
//!
//! ```go
//! func worker(id int, jobs <-chan int, results chan<- int) {
//!     for j := range jobs {
//!         results <- work(id, j)
//!     }
//! }
//! ```
//!
//! and here: [`worker`]. [`async_channel`] is the one whose receivers can be
//! cloned, as a Go channel can be read by many.
//!
//! ```
//! use async_channel::bounded;
//! use manyhands_tokio::{results, worker};
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # runtime.block_on(async {
//!
//! let (jobs, queued) = bounded(5);
//! let (results, collected) = results::channel();
//! for id in 1..=3 {
//!     let (queued, results) = (queued.clone(), results.clone());
//!     let work = async |_id, job: u32| job * 2;
//!     tokio::spawn(worker(id, queued, results, work));
//! }
//! drop(results); // the workers have their own
//!
//! for job in 1..=5 {
//!     jobs.send(job).await.unwrap();
//! }
//! drop(jobs); // close(jobs)
//!
//! let mut sum = 0;
//! while let Some(double) = collected.recv().await {
//!     sum += double;
//! }
//! assert_eq!(sum, 30);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # No workers
//!
//! A task a job, and a semaphore that says how many at once. In Go:
//!
//! ```go
//! sem <- struct{}{} // acquire
//! go func() {
//!     defer func() { <-sem }() // release
//!     work(j)
//! }()
//! ```
//!
//! and here: [`spawn`], and [`holding`] for what happens in the task. The
//! [`JoinSet`] is the wait group. This is the task form of the semaphore,
//! under tokio's own; the crate `manyhands-semaphore` has the thread form.
//!
//! ```
//! use std::sync::Arc;
//! use manyhands_tokio::spawn;
//! use tokio::{sync::Semaphore, task::JoinSet};
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # runtime.block_on(async {
//!
//! let permits = Arc::new(Semaphore::new(3));
//! let mut tasks = JoinSet::new();
//! for job in 1..=5 {
//!     let work = async move { job * 2 };
//!     spawn(&mut tasks, &permits, work).await.unwrap();
//! }
//! let results: Vec<u32> = tasks.join_all().await;
//! assert_eq!(results.iter().sum::<u32>(), 30);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # As a pool
//!
//! [`TaskPool`] is the first and [`JoinSetPool`] the second under the
//! contract of [`WorkerPool`](manyhands_core::WorkerPool). Jobs are
//! [`AsyncJob`]s: [`Async`] makes one of an async closure, [`Blocking`] one of
//! whatever must not run in a task.
//!
//! ```
//! use manyhands_core::WorkerPool;
//! use manyhands_tokio::{Async, TaskPool};
//!
//! // Outside of any runtime, by the methods of the trait:
//! let pool = TaskPool::builder().workers(3).queue(5).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(Async(move || async move { job * 2 })).unwrap();
//! }
//! pool.close();
//! let doubled = std::iter::from_fn(|| pool.recv());
//! assert_eq!(doubled.filter_map(|c| c.done()).sum::<u32>(), 30);
//!
//! // Within async code, with `submit_async` and `recv_async`:
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # runtime.block_on(async {
//! let pool = TaskPool::builder().workers(3).queue(5).build()?;
//! for job in 1..=5u32 {
//!     let job = Async(move || async move { job * 2 });
//!     pool.submit_async(job).await.unwrap();
//! }
//! pool.close();
//! let mut sum = 0;
//! while let Some(completion) = pool.recv_async().await {
//!     sum += completion.done().unwrap_or(0);
//! }
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! # })?;
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! A pool has a runtime of its own, or works [`on`](TaskPool::on) yours.
//!
//! # Cancel
//!
//! With the feature `tokio-util`, its `CancellationToken` and core's
//! [`CancelToken`](manyhands_core::CancelToken) can be linked, so that jobs
//! and tasks are told to stop together: the module `cancel`.
//!
//! # Traps
//!
//! - **Blocking in a task.** A task that reads a file, waits for a lock or
//!   computes for long holds one of the few threads, and every task that was
//!   to run there waits with it. Such jobs go into [`Blocking`].
//! - **Never waiting.** A worker that always finds the next job ready does not
//!   wait, and so is never interrupted: a second worker that is to run on the
//!   same thread does not come to run, though another thread idles.
//!   [`worker`] gives way after a tenth of a millisecond.
//! - **Acquiring in the task.** A permit that is awaited *inside* of the task
//!   limits what works, not what exists: a million jobs are a million tasks
//!   that wait. [`spawn`] awaits it before.
//! - **Dropping a runtime in async code** panics, since it waits. The pools
//!   here may be dropped anywhere: they wait for it on another thread.
//! - **Dropping a `JoinSet`** aborts its tasks, wherever they are. Join it
//!   first, as [`JoinSetPool`] does.
//! - **Aborting** ends a task only where it awaits, and never a blocking call
//!   that has begun. So `cancel` does not try: running jobs go on to their
//!   end.
//! - **A future that is kept and not polled.** A waiting `submit_async` that
//!   was told of a place, and is not polled, holds it or the news of it. Poll
//!   it or drop it.
//! - **No fairness** between jobs: a task that never awaits is never
//!   interrupted, and which of two waiting submitters gets the next place is
//!   not promised.
//!
//! # Cost
//!
//! A runtime a pool: as many threads as the machine has cores, or as there
//! are workers, if these are fewer; each is started twice, since a probe asks
//! the system [first](TaskPool::new). A job of [`TaskPool`] is a value that
//! passes two channels, which allocate now and then; a job of [`JoinSetPool`]
//! passes them too, and is a task, which is an allocation of its own. [`Blocking`] adds another,
//! two changes of thread, and as many threads as jobs block at once.

#![forbid(unsafe_code)]

mod adapter;
#[cfg(feature = "tokio-util")]
pub mod cancel;
mod job;
pub mod results;
mod turn;

use std::sync::Arc;

use async_channel::Receiver;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

pub use manyhands_core::AsyncJob;
/// The channel of the jobs, and the runtime, that this crate is built on.
pub use {async_channel, tokio};

pub use crate::adapter::{
    AsyncPool, JoinSetPool, TaskAJob, TaskPool, Workers,
};
pub use crate::job::{Async, Blocking};
use crate::turn::Turn;

/// Works on jobs until their channel is closed and empty.
///
/// `id` goes to `work`, which may want to say who it is. A goroutine that has
/// worked for long is interrupted; this lets other tasks have their turn.
// ANCHOR: worker
pub async fn worker<J, R>(
    id: usize,
    jobs: Receiver<J>,
    results: results::Sender<R>,
    work: impl AsyncFn(usize, J) -> R,
) {
    let mut turn = Turn::begin();
    while let Ok(job) = jobs.recv().await {
        results.send(work(id, job).await);
        turn.share().await;
    }
}
// ANCHOR_END: worker

/// Does work in a task of its own. Waits for a permit first, and only then
/// makes the task: this is what bounds the number of tasks.
///
/// # Errors
///
/// When the semaphore is closed; the work is dropped.
// ANCHOR: spawn
pub async fn spawn<R: Send + 'static>(
    tasks: &mut JoinSet<R>,
    permits: &Arc<Semaphore>,
    work: impl Future<Output = R> + Send + 'static,
) -> Result<(), AcquireError> {
    let permit = Arc::clone(permits).acquire_owned().await?;
    tasks.spawn(holding(permit, work));
    Ok(())
}
// ANCHOR_END: spawn

/// Does work, and then gives the permit back, which happens by itself if the
/// work panics or its task is aborted.
pub async fn holding<R>(
    permit: OwnedSemaphorePermit,
    work: impl Future<Output = R>,
) -> R {
    let result = work.await;
    drop(permit);
    result
}
