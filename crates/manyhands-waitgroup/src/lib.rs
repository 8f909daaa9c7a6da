//! The struct-based worker pool: a `WorkerPool` that owns its channels and
//! its wait group, with the results collected beside the submitting.
//!
//! In Go:
//!
//! ```go
//! type WorkerPool struct {
//!     numWorkers int
//!     jobs       chan Job
//!     results    chan Result
//!     wg         sync.WaitGroup
//! }
//! ```
//!
//! and here [`WorkerPool`], with methods of the same names. What the
//! tutorial's `main` does, in the same order:
//!
//! ```
//! use std::thread;
//! use crossbeam_utils::sync::WaitGroup;
//! use manyhands_waitgroup::{WorkerPool, submit_jobs};
//!
//! let (mut wp, jobs, results) = WorkerPool::new(3, 10);
//!
//! // Start workers
//! wp.start_workers(|_id, job: u32| job * 2)?;
//!
//! // Submit jobs to the job channel, beside all that follows
//! let submitter = thread::spawn(move || submit_jobs(jobs, 0..10));
//!
//! // Collect the results, beside the waiting
//! let wg = WaitGroup::new();
//! let (done, (send, sum)) = (wg.clone(), std::sync::mpsc::channel());
//! thread::spawn(move || {
//!     send.send(results.iter().sum::<u32>()).unwrap();
//!     drop(done); // wg.Done()
//! });
//!
//! // Wait for all workers, and then close the results
//! wp.wait();
//!
//! // Wait for the collector
//! wg.wait();
//! assert_eq!(sum.recv(), Ok(90));
//! # submitter.join().unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Two wait groups, and what each is for
//!
//! 1. **The workers'**, [`WorkerPool::wg`](WorkerPool): when it is done, no
//!    result will follow, so `results` may be closed. Closed earlier, a
//!    worker would send to a closed channel, which in Go is a panic.
//! 2. **The collector's**, in `main`: when it is done, the last result has
//!    been dealt with, so the program may end. Without it, the last lines of
//!    output are missing now and then.
//!
//! A wait group counts what is still under way. In Go one adds before the
//! `go` statement and calls `Done` in the goroutine, and both can be got
//! wrong: an `Add` inside the goroutine comes too late, and a wait group that
//! is passed by value is a copy that nobody waits for. In Rust a *clone* of
//! the group is one more to wait for, and dropping the clone is `Done`, also
//! when the worker panics. A copy by mistake does not exist:
//!
//! ```compile_fail,E0382
//! use crossbeam_utils::sync::WaitGroup;
//!
//! let wg = WaitGroup::new();
//! std::thread::spawn(move || drop(wg)); // moved, not copied
//! wg.wait();
//! ```
//!
//! # Use it as a pool
//!
//! ```
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//! use manyhands_waitgroup::WaitGroupPool;
//!
//! let pool = WaitGroupPool::builder().workers(3).queue(10).build()?;
//! for job in 0..10u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 90);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! [`WaitGroupPool`] is the same struct over tickets, with
//! [`run_one`](manyhands_core::run_one) as the work and a thread that does
//! what `main` does above: wait for the workers, close the results.
//!
//! # Stages
//!
//! 1. The tutorial: [`WorkerPool`] without [`wait`](WorkerPool::wait)'s last
//!    line.
//! 2. The threads are joined too. A worker that is done with its wait group
//!    has not quite ended; whoever counts threads, or unloads a library, must
//!    know that it has.
//! 3. [`WaitGroupPool`]: stage 2 under the contract.
//!
//! # Traps
//!
//! - The tutorial collects *beside* the waiting because its results are
//!   bounded: collecting after `wg.Wait()` hangs as soon as the results
//!   outnumber the buffer. Here finished results wait without limit
//!   ([`results`]), and either order works.
//! - `submit_jobs` closes the channel, so it is called once. In Go the second
//!   call panics; here it does not compile, since the first took `jobs`.
//! - With 0 workers the Go program loses every job and exits with 0. Here
//!   [`WorkerPool::new`] panics, and the builder of [`WaitGroupPool`] returns
//!   an error.
//!
//! # Cost
//!
//! That of `manyhands-channel`, and one thread more, which sleeps until the
//! pool is closed. Nothing is allocated for a job.

#![forbid(unsafe_code)]

mod adapter;

use std::fmt;
use std::io;

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_utils::sync::WaitGroup;
use manyhands_core::sync::thread::JoinHandle;
use manyhands_core::{ThreadOptions, join_all, results};

pub use crate::adapter::WaitGroupPool;

/// Workers, their channels, and the wait group that tells when they are done.
pub struct WorkerPool<J, R> {
    /// How many workers [`start_workers`](Self::start_workers) starts.
    num_workers: usize,
    /// Where the workers take their jobs.
    jobs: Receiver<J>,
    /// Where the workers send their results. The pool keeps this sender until
    /// [`wait`](Self::wait) closes the channel by dropping it.
    results: results::Sender<R>,
    /// Tracks all workers: each holds a clone while it works.
    wg: WaitGroup,
    /// What the workers' threads are started with.
    threads: ThreadOptions,
    /// The workers' threads.
    workers: Vec<JoinHandle<()>>,
}

impl<J: Send + 'static, R: Send + 'static> WorkerPool<J, R> {
    /// A pool without workers yet, and the outer ends of its channels: where
    /// jobs are sent, and where results are read.
    ///
    /// # Panics
    ///
    /// When `num_workers` is 0.
    pub fn new(
        num_workers: usize,
        queue: usize,
    ) -> (Self, Sender<J>, results::Receiver<R>) {
        let (results, collected) = results::channel();
        let (wp, jobs) = Self::with_results(num_workers, queue, results);
        (wp, jobs, collected)
    }

    /// A pool that sends to `results`.
    fn with_results(
        num_workers: usize,
        queue: usize,
        results: results::Sender<R>,
    ) -> (Self, Sender<J>) {
        assert!(num_workers > 0, "a pool without workers loses every job");
        let (submit, jobs) = bounded(queue);
        let wg = WaitGroup::new();
        let threads = ThreadOptions::new();
        let workers = Vec::with_capacity(num_workers);
        (Self { num_workers, jobs, results, wg, threads, workers }, submit)
    }

    /// Starts one worker, which works until the jobs are closed and done.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    // ANCHOR: worker
    pub fn start_worker(
        &mut self,
        id: usize,
        work: impl Fn(usize, J) -> R + Send + 'static,
    ) -> io::Result<()> {
        let (jobs, results) = (self.jobs.clone(), self.results.clone());
        let wg = self.wg.clone(); // wp.wg.Add(1)
        let worker = move || {
            let _done = wg; // defer wp.wg.Done()
            for job in jobs {
                results.send(work(id, job));
            }
        };
        self.workers.push(self.threads.spawn("worker", id, worker)?);
        Ok(())
    }
    // ANCHOR_END: worker

    /// Starts all workers, 0 to `num_workers` - 1.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread. The workers that had been started
    /// end when the jobs are closed.
    pub fn start_workers(
        &mut self,
        work: impl Fn(usize, J) -> R + Clone + Send + 'static,
    ) -> io::Result<()> {
        for id in 0..self.num_workers {
            self.start_worker(id, work.clone())?;
        }
        Ok(())
    }

    /// Waits until all workers are done, and then closes the results.
    ///
    /// Returns only after the sender of the jobs was dropped.
    // ANCHOR: wait
    pub fn wait(self) {
        self.wg.wait();
        drop(self.results); // close(wp.results)
        join_all(self.workers);
    }
    // ANCHOR_END: wait
}

/// Submits jobs, and then closes their channel by dropping its sender.
///
/// Stops early when every worker has ended.
pub fn submit_jobs<J>(jobs: Sender<J>, work: impl IntoIterator<Item = J>) {
    for job in work {
        if jobs.send(job).is_err() {
            break;
        }
    }
}

impl<J, R> fmt::Debug for WorkerPool<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPool")
            .field("num_workers", &self.num_workers)
            .field("started", &self.workers.len())
            .finish_non_exhaustive()
    }
}
