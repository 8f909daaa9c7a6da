//! The `JobQueue`: a dispatcher takes each job from one queue and hands it to
//! a worker that has checked in as ready.
//!
//! The pattern of many Go web servers. Its heart is the *ready pool*, a
//! pool of channels: an idle worker puts its own channel there, the
//! dispatcher takes one out and sends the job to it.
//!
//! ```text
//!            internal_queue                    assigned (one a worker)
//! submit ──────────────────▶ dispatch() ──────────────────────▶ worker
//!                                ▲                                │
//!                                └────────── ready_pool ◀─────────┘
//!                                     "my channel, I am idle"
//! ```
//!
//! In Go (the names here are the same):
//!
//! ```go
//! case job := <-q.internalQueue:
//!     workerChannel := <-q.readyPool // check out an available worker
//!     workerChannel <- job           // send the request to the channel
//! ```
//!
//! # Use it as the tutorial does
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use manyhands_dispatcher::JobQueue;
//!
//! static SENT: AtomicUsize = AtomicUsize::new(0);
//! let send_email = || {
//!     SENT.fetch_add(1, Ordering::Relaxed);
//! };
//!
//! let queue = JobQueue::new(4)?;
//! queue.start()?;
//! for _ in 0..16 {
//!     queue.submit(send_email).unwrap();
//! }
//! queue.stop(); // runs what was accepted, then returns
//! assert_eq!(SENT.load(Ordering::Relaxed), 16);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # Use it as a pool
//!
//! ```
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//! use manyhands_dispatcher::DispatcherPool;
//!
//! let pool = DispatcherPool::builder().workers(3).queue(16).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # What the original gets wrong, and the answer here
//!
//! | in the original | here |
//! |---|---|
//! | `Stop` twice waits for ever | both return when it has stopped |
//! | `Stop` before `Start` waits for ever | returns; nothing was accepted |
//! | `Submit` after `Stop` waits for ever | the job comes back |
//! | 0 workers: the first job is never run | an error |
//! | a wait group is copied, so `Stop` waits for nobody | threads are joined |
//! | a panic ends the process | is contained; the worker goes on |
//! | accepted jobs survive `Stop` only for want of a buffer | by design |
//!
//! The last row: a worker must not be told to quit while a job lies in its
//! channel, or `select!` may take the one and leave the other. The original
//! is safe only because its channels have no buffer. Here only a worker that
//! has checked in is told to quit, and only when no job is queued: so it has
//! none. And a job and the word to quit come through the same channel.
//!
//! # Stages
//!
//! 1. The tutorial: the dispatcher is a thread, and all that passes between
//!    threads is a channel. `examples/tutorial.rs`, line by line.
//! 2. [`JobQueue`]: *dispatching is what is done, and not who does it*. The
//!    dispatcher of stage 1 sleeps until there is a job, and then until there
//!    is a ready worker: two hand-overs between threads for a moment's work.
//!    Here whoever brings the one or the other does it, with the queue and
//!    the ready pool locked. A worker that checks in while jobs are queued
//!    has the next in its channel before it looks.
//! 3. [`DispatcherPool`]: stage 2 over tickets, under the contract.
//!
//! The ready pool is a stack: the worker that has checked in last is the one
//! that is still awake, and has the next job. To wake one that sleeps takes
//! microseconds, so whoever brings a job first looks for about as long
//! whether a busy one comes back for it. With jobs that are smaller, one
//! worker does most of the work, and nobody is woken.
//!
//! # Traps
//!
//! - A job that submits to its own queue waits for ever when every worker
//!   does so. Use [`DispatcherPool`]'s `try_submit` there.
//!
//! # Cost
//!
//! A thread a worker, and none for the dispatcher. A job takes the
//! dispatcher's lock twice: as it comes, and as its worker checks in; and it
//! passes through the worker's channel, which costs little where the worker
//! itself has put it there. In a channel that all workers share it would be
//! cheaper. The detour pays where the dispatcher has something to decide.
//! Nothing is allocated for a job.

#![forbid(unsafe_code)]

mod adapter;
mod assigned;
mod dispatcher;
mod ready_pool;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;

use manyhands_core::sync::thread::{self, JoinHandle, ThreadId};
use manyhands_core::sync::{Mutex, lock};
use manyhands_core::{
    Closed, Config, ConfigError, Job, JobId, ThreadOptions, Ticket, discard,
    join_all, run_one,
};

pub use crate::adapter::DispatcherPool;
use crate::assigned::Assigned;
use crate::dispatcher::Dispatcher;
use crate::ready_pool::ReadyPool;

/// A queue for jobs, with the workers that process them.
pub struct JobQueue<J: Send + 'static> {
    max_workers: usize,
    dispatcher: Arc<Dispatcher<J>>,
    /// What the workers do; gone once they are started, or never will be.
    process: Mutex<Option<Process<J>>>,
    /// What the workers' threads are started with.
    options: ThreadOptions,
    workers: Mutex<Vec<ThreadId>>,
    /// Locked by whoever waits for them, so that a second one waits as well.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What a worker does with a job. Must not panic.
type Process<J> = Arc<dyn Fn(J) + Send + Sync>;

impl<J: Job + 'static> JobQueue<J> {
    /// A queue with `max_workers` workers, which are not started yet.
    ///
    /// # Errors
    ///
    /// When `max_workers` is not within 1 to [`Config::MAX_WORKERS`].
    pub fn new(max_workers: usize) -> Result<Self, ConfigError> {
        let max_workers = Config::new(max_workers, 0)?.workers().get();
        let dispatcher = Arc::new(Dispatcher::new());
        Ok(Self::processing(max_workers, dispatcher, |job| {
            let ticket = Ticket { id: JobId::new(0), job };
            discard(run_one(ticket, false)); // job.Process()
        }))
    }
}

impl<J: Send + 'static> JobQueue<J> {
    fn processing(
        max_workers: usize,
        dispatcher: Arc<Dispatcher<J>>,
        process: impl Fn(J) + Send + Sync + 'static,
    ) -> Self {
        let process = Mutex::new(Some(Arc::new(process) as Process<J>));
        let (options, workers, threads) = Default::default();
        Self { max_workers, dispatcher, process, options, workers, threads }
    }

    /// Starts the workers. Does nothing the second time, or once the queue is
    /// stopped.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread. Those that had been started have
    /// ended, the queue is stopped, and whoever waits in `submit` gets the
    /// job back.
    pub fn start(&self) -> io::Result<()> {
        // One, as if it were in a dispatcher's hand.
        self.start_with_places(1)
    }

    fn start_with_places(&self, places: usize) -> io::Result<()> {
        let mut unstarted = lock(&self.process);
        let Some(process) = unstarted.take() else { return Ok(()) };
        let mut threads = lock(&self.threads);
        for index in 0..self.max_workers {
            let worker = Worker::new(&self.dispatcher, &process);
            match worker.start(&self.options, index) {
                Ok(thread) => threads.push(thread),
                Err(refused) => {
                    self.dispatcher.stop();
                    join_all(threads.drain(..));
                    return Err(refused);
                }
            }
        }
        let ids = threads.iter().map(|thread| thread.thread().id());
        lock(&self.workers).extend(ids);
        self.dispatcher.open(places);
        Ok(())
    }

    /// Takes no more jobs, runs the accepted ones, and ends the threads.
    ///
    /// Waits for all that; called by a job of this very queue, it does not
    /// wait.
    pub fn stop(&self) {
        let unstarted = lock(&self.process).take();
        drop(unstarted);
        self.dispatcher.stop(); // q.quit <- true
        let this = thread::current().id();
        if !lock(&self.workers).contains(&this) {
            join_all(lock(&self.threads).drain(..)); // q.workersStopped.Wait()
        }
    }

    /// Adds a job to be processed. Waits while one lies there that no worker
    /// was ready for.
    ///
    /// # Errors
    ///
    /// The job comes back when the queue is stopped.
    pub fn submit(&self, job: J) -> Result<(), Closed<J>> {
        self.dispatcher.submit(job).map_err(Closed)
    }
}

/// What lies on the dispatcher's desk. Whoever brings a job, or is ready for
/// one, locks it and dispatches.
struct Desk<J> {
    /// Jobs for which no worker was ready.
    internal_queue: VecDeque<J>,
    /// How many of them there may be: none before the start. `None` once the
    /// queue is stopped.
    places: Option<usize>,
    /// How many wait for a place.
    waiting: usize,
    /// The channels of the workers that have checked in.
    ready_pool: ReadyPool<J>,
}

impl<J> Desk<J> {
    /// Hands each job to a ready worker, as long as there are both. Workers
    /// that sleep are left alone, unless it is to `wake` them.
    // ANCHOR: dispatch
    fn dispatch(&mut self, wake: bool) {
        while let Some(job) = self.internal_queue.pop_front() {
            // Check out an available worker, and send it the job.
            match self.ready_pool.check_out(wake) {
                Some(worker) => worker.send(job),
                None => return self.internal_queue.push_front(job),
            }
        }
        // Stopped. Those who have checked in have no job; the others are told
        // when they do.
        if self.places.is_none() {
            self.ready_pool.quit();
        }
    }
    // ANCHOR_END: dispatch
}

/// A worker, the thread that actually processes the jobs.
struct Worker<J> {
    /// Where it checks in.
    dispatcher: Arc<Dispatcher<J>>,
    /// Its own channel.
    assigned: Arc<Assigned<J>>,
    process: Process<J>,
}

impl<J: Send + 'static> Worker<J> {
    fn new(dispatcher: &Arc<Dispatcher<J>>, process: &Process<J>) -> Self {
        Self {
            dispatcher: Arc::clone(dispatcher),
            assigned: Arc::new(Assigned::new()),
            process: Arc::clone(process),
        }
    }

    /// Begins the job processing loop, on a thread.
    fn start(
        self,
        options: &ThreadOptions,
        index: usize,
    ) -> io::Result<JoinHandle<()>> {
        options.spawn("worker", index, move || {
            loop {
                // Check the job queue in.
                self.dispatcher.check_in(Arc::clone(&self.assigned));
                // See if anything has been assigned to the queue.
                match self.assigned.recv() {
                    Some(job) => (self.process)(job),
                    None => return, // told to quit
                }
            }
        })
    }
}

/// Stops the queue: what was accepted runs.
impl<J: Send + 'static> Drop for JobQueue<J> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<J: Send + 'static> fmt::Debug for JobQueue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped = lock(&self.dispatcher.desk).places.is_none();
        f.debug_struct("JobQueue")
            .field("stopped", &stopped)
            .finish_non_exhaustive()
    }
}
