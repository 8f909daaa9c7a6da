//! The `JobQueue`: a dispatcher takes each job from one queue and hands it to
//! a worker that has checked in as ready.
//!
//! The pattern of many Go web servers. Its heart is the *ready pool*, a
//! channel of channels: an idle worker puts its own channel there, the
//! dispatcher takes one out and sends the job to it.
//!
//! ```text
//!            internal_queue                    assigned_jobs (one a worker)
//! submit ──────────────────▶ dispatch() ──────────────────────▶ Worker
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
//! | `Stop` before `Start` waits for ever | runs what was accepted, returns |
//! | `Submit` after `Stop` waits for ever | the job comes back |
//! | 0 workers: the first job is never run | an error |
//! | a wait group is copied, so `Stop` waits for nobody | threads are joined |
//! | a panic ends the process | is contained; the worker goes on |
//! | accepted jobs survive `Stop` only for want of a buffer | by design |
//!
//! The last row: a worker must not be told to quit while a job lies in its
//! channel, or `select!` may take the one and leave the other. The original
//! is safe only because its channels have no buffer. Here the dispatcher
//! checks *every* worker out first, so that none has a job, and then tells
//! them to quit.
//!
//! # Stages
//!
//! 1. The tutorial: [`JobQueue`], and its `Worker`.
//! 2. [`DispatcherPool`]: the same over tickets, under the contract.
//!
//! # Traps
//!
//! - The dispatcher holds one job in its hand while it waits for a ready
//!   worker: a slow job at the head makes the queue wait although a place is
//!   free in it.
//! - A job that submits to its own queue waits for ever when every worker
//!   does so. Use [`DispatcherPool`]'s `try_submit` there.
//!
//! # Cost
//!
//! A thread a worker, and one for the dispatcher. A job is handed over twice,
//! from the submitter to the dispatcher and from there to a worker; and once
//! a job, the worker sends its own channel through a third, the ready pool.
//! The other patterns with workers hand a job over once. The detour pays
//! where the dispatcher has something to decide. Nothing is allocated for a
//! job.

#![forbid(unsafe_code)]

mod adapter;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::mem::replace;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded, select};
use manyhands_core::sync::thread::{self, JoinHandle, ThreadId};
use manyhands_core::sync::{Mutex, lock};
use manyhands_core::{
    Closed, Config, ConfigError, Job, JobId, Ticket, discard, join_all,
    run_one,
};

pub use crate::adapter::DispatcherPool;

/// A queue for jobs, with the workers that process them.
pub struct JobQueue<J: Send + 'static> {
    /// Where jobs are submitted; `None` once the queue is stopped.
    internal_queue: Mutex<Option<Sender<J>>>,
    state: Mutex<State<J>>,
}

enum State<J> {
    New {
        max_workers: usize,
        queued: Receiver<J>,
        process: Process<J>,
    },
    Started {
        workers: Vec<ThreadId>,
        /// Ends with the dispatcher, for any number of callers of `stop`.
        stopped: Receiver<Infallible>,
        /// For the first of them.
        dispatcher: Option<JoinHandle<()>>,
    },
    Failed,
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
        let (internal_queue, queued) = bounded(0);
        let mut queue = Self::processing(max_workers, queued, |job| {
            let ticket = Ticket { id: JobId::new(0), job };
            discard(run_one(ticket, false)); // job.Process()
        });
        queue.internal_queue = Mutex::new(Some(internal_queue));
        Ok(queue)
    }
}

impl<J: Send + 'static> JobQueue<J> {
    /// Without a way in of its own: whoever sends to `queued` stops it by
    /// dropping the sender.
    fn processing(
        max_workers: usize,
        queued: Receiver<J>,
        process: impl Fn(J) + Send + Sync + 'static,
    ) -> Self {
        let process = Arc::new(process);
        let state = State::New { max_workers, queued, process };
        Self { internal_queue: Mutex::new(None), state: Mutex::new(state) }
    }

    /// Starts the workers and the dispatcher. Does nothing the second time.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread. Those that had been started have
    /// ended, the queue is stopped, and whoever waits in `submit` gets the
    /// job back.
    pub fn start(&self) -> io::Result<()> {
        self.start_locked(&mut lock(&self.state))
    }

    /// Takes no more jobs, runs the accepted ones, and ends the threads.
    ///
    /// Waits for all that; called by a job of this very queue, it does not
    /// wait. A queue that was never started is started first, so that a job
    /// that was accepted is run.
    pub fn stop(&self) {
        drop(lock(&self.internal_queue).take()); // q.quit <- true
        let mut state = lock(&self.state);
        // If no thread can be had, those who wait in `submit` are told.
        let _ = self.start_locked(&mut state);
        let State::Started { workers, stopped, dispatcher } = &mut *state
        else {
            return;
        };
        if workers.contains(&thread::current().id()) {
            return;
        }
        let (stopped, dispatcher) = (stopped.clone(), dispatcher.take());
        drop(state);
        let _ended = stopped.recv(); // q.dispatcherStopped.Wait()
        join_all(dispatcher);
    }

    /// Adds a job to be processed. Waits until the dispatcher has taken it.
    ///
    /// # Errors
    ///
    /// The job comes back when the queue is stopped.
    pub fn submit(&self, job: J) -> Result<(), Closed<J>> {
        let internal_queue = lock(&self.internal_queue).clone();
        match internal_queue {
            Some(queue) => queue.send(job).map_err(|back| Closed(back.0)),
            None => Err(Closed(job)),
        }
    }

    fn start_locked(&self, state: &mut State<J>) -> io::Result<()> {
        let (max_workers, queued, process) =
            match replace(state, State::Failed) {
                State::New { max_workers, queued, process } => {
                    (max_workers, queued, process)
                }
                started => {
                    *state = started;
                    return Ok(());
                }
            };
        let (check_in, ready_pool) = bounded(max_workers);
        let workers = (0..max_workers)
            .map(|_| Worker::start(check_in.clone(), Arc::clone(&process)))
            .collect::<io::Result<Vec<_>>>()?;
        let ids = workers.iter().map(|worker| worker.id).collect();
        let (running, stopped) = bounded(0);
        let dispatch = move || {
            dispatch(queued, ready_pool, workers);
            drop(running); // q.dispatcherStopped.Done()
        };
        let thread = thread::Builder::new().name("dispatcher".into());
        let dispatcher = Some(thread.spawn(dispatch)?);
        *state = State::Started { workers: ids, stopped, dispatcher };
        Ok(())
    }
}

/// Hands each job to a ready worker, until the queue is stopped and empty.
fn dispatch<J>(
    internal_queue: Receiver<J>,
    ready_pool: Receiver<Sender<J>>,
    workers: Vec<Worker>,
) {
    for job in internal_queue {
        // Check out an available worker, and send it the job. Workers do not
        // end by themselves, so neither fails.
        let Ok(worker) = ready_pool.recv() else { return };
        let Ok(()) = worker.send(job) else { return };
    }
    // Stopped. Check every worker out: then none has a job.
    for _ in &workers {
        let Ok(_) = ready_pool.recv() else { return };
    }
    workers.into_iter().for_each(Worker::stop);
}

/// A worker thread: checks its channel in, and processes what it is assigned.
struct Worker {
    id: ThreadId,
    /// Dropped to tell the worker to quit.
    quit: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Begins the job processing loop.
    fn start<J: Send + 'static>(
        ready_pool: Sender<Sender<J>>,
        process: Process<J>,
    ) -> io::Result<Self> {
        let (assigned_job_queue, assigned) = bounded::<J>(1);
        let (quit, told_to_quit) = bounded::<()>(0);
        let work = move || {
            // Check the job queue in.
            while ready_pool.send(assigned_job_queue.clone()).is_ok() {
                select! {
                    // See if anything has been assigned to the queue.
                    recv(assigned) -> job => match job {
                        Ok(job) => process(job),
                        Err(_) => return,
                    },
                    recv(told_to_quit) -> _ => return,
                }
            }
        };
        let thread = thread::Builder::new().name("worker".into());
        let thread = thread.spawn(work)?;
        let id = thread.thread().id();
        Ok(Self { id, quit: Some(quit), thread: Some(thread) })
    }

    /// Stops the worker, and waits until it has ended: so does dropping it.
    fn stop(self) {}
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.quit.take()); // close(w.quit)
        join_all(self.thread.take()); // w.done.Wait()
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
        let stopped = lock(&self.internal_queue).is_none();
        f.debug_struct("JobQueue")
            .field("stopped", &stopped)
            .finish_non_exhaustive()
    }
}
