//! The batch pool: one queue, from which a worker claims several jobs under
//! one lock.
//!
//! Handing over one job costs two locked instructions on each side, and two
//! cache lines that move from core to core, whatever the queue. A job of
//! twenty nanoseconds is then worth less than its way. What brings the price
//! down is to hand over several at once; and so that nobody has to make
//! batches of jobs, it is the *taking* that goes by batches:
//!
//! ```
//! use manyhands_batch::{Queue, worker};
//! use manyhands_core::results;
//!
//! let queue = Queue::new(3);
//! let (sender, results) = results::channel();
//! std::thread::scope(|scope| {
//!     for _ in 0..3 {
//!         let sender = sender.clone();
//!         scope.spawn(|| worker(&queue, sender, |job: u32| job * 2));
//!     }
//!     drop(sender);
//!     for job in 1..=5 {
//!         queue.send(job);
//!     }
//!     queue.close();
//!     assert_eq!(results.iter().sum::<u32>(), 30);
//! });
//! ```
//!
//! # Use it as a pool
//!
//! ```
//! use manyhands_batch::BatchPool;
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//!
//! let pool = BatchPool::builder().workers(3).queue(5).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # Three stages
//!
//! 1. [`Queue`], [`worker`]: a worker takes its share of what is queued, and
//!    runs it job by job. One lock a batch.
//! 2. How large a batch may be goes by how long jobs take: so many as take ten
//!    microseconds together. Slow jobs are claimed one by one, so that the
//!    last ones are not all in one worker's hands.
//! 3. [`BatchPool`], under the contract. What a worker has claimed lies in a
//!    *lane* of its own, where any other worker gets at it that has nothing to
//!    do; and the result of a job is in the lane before the next one starts.
//!    One lock a job again, but one that hardly anybody else wants, so that it
//!    costs two instructions and no cache line moves.
//!
//! # Traps
//!
//! - In stages 1 and 2, a job that waits for one behind it in the same batch
//!   waits for ever, and the results of a batch of which one job hangs never
//!   come. That is why stage 3 has lanes.
//! - A worker that is too eager takes each job as it comes, one a lock, and
//!   batches never form. That is the slowest of all, and what
//!   [`submitter`](manyhands_core::WorkerPoolExt::submitter) and
//!   [`run_all`](manyhands_core::WorkerPoolExt::run_all) help against: they
//!   hand over several at a time.
//! - To wake a worker for each job wakes all of them for nothing. At most one
//!   is on its way at a time, and wakes the next if it finds more than it can
//!   take.
//!
//! # Cost
//!
//! A thread a worker, started when the pool is built. A `submit` is one lock,
//! or one for up to 256 jobs; a job is another, uncontended; its result is read
//! together with all that are there. Nothing is allocated for a job.

#![forbid(unsafe_code)]

mod adapter;
mod lanes;
mod pace;
mod queue;
mod worker;

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use manyhands_core::results;
use manyhands_core::sync::{Condvar, Mutex, lock, wait};

pub use crate::adapter::BatchPool;
use crate::pace::{Pace, share};

/// Jobs that nobody has taken yet, first in, first out.
pub struct Queue<J> {
    workers: usize,
    state: Mutex<State<J>>,
    /// Signalled when there are jobs, and on close.
    work: Condvar,
}

struct State<J> {
    jobs: VecDeque<J>,
    closed: bool,
}

impl<J> Queue<J> {
    /// An open queue, for so many workers to share.
    pub fn new(workers: usize) -> Self {
        let state = State { jobs: VecDeque::new(), closed: false };
        Self { workers, state: Mutex::new(state), work: Condvar::new() }
    }

    /// Adds a job at the end.
    pub fn send(&self, job: J) {
        lock(&self.state).jobs.push_back(job);
        self.work.notify_one();
    }

    /// No job will follow: workers take what there is, and end.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.work.notify_all();
    }

    // ANCHOR: claim
    /// Moves a worker's share of the jobs into `batch`, `most` at most. Waits
    /// for one; false when there will be none.
    pub fn claim(&self, batch: &mut Vec<J>, most: usize) -> bool {
        let mut state = lock(&self.state);
        while state.jobs.is_empty() {
            if state.closed {
                return false;
            }
            state = wait(&self.work, state);
        }
        let count = share(state.jobs.len(), self.workers).min(most);
        batch.extend(state.jobs.drain(..count));
        true
    }
    // ANCHOR_END: claim
}

/// Works on jobs, a batch at a time, until the queue is closed and empty.
// ANCHOR: worker
pub fn worker<J, R>(
    queue: &Queue<J>,
    results: results::Sender<R>,
    work: impl Fn(J) -> R,
) {
    let mut batch = Vec::new();
    let mut pace = Pace::default();
    while queue.claim(&mut batch, pace.most()) {
        let (count, start) = (batch.len(), Instant::now());
        for job in batch.drain(..) {
            results.send(work(job));
        }
        pace.ran(count, start.elapsed());
    }
}
// ANCHOR_END: worker

impl<J> fmt::Debug for Queue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("Queue")
            .field("jobs", &state.jobs.len())
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}
