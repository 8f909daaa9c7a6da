//! A counting semaphore as a worker pool: no workers, one permit a job, at
//! most N at once.
//!
//! In Go, a channel with N places is the semaphore:
//!
//! ```go
//! sem := make(chan struct{}, n)
//! for _, job := range jobs {
//!     sem <- struct{}{} // acquire
//!     go func() {
//!         defer func() { <-sem }() // release
//!         work(job)
//!     }()
//! }
//! ```
//!
//! and here:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use manyhands_core::Threads;
//! use manyhands_semaphore::{Semaphore, spawn};
//!
//! let sem = Semaphore::new(3);
//! let threads = Threads::new();
//! let sum = Arc::new(AtomicU32::new(0));
//! for job in 1..=5 {
//!     let sum = Arc::clone(&sum);
//!     let permit = sem.acquire().unwrap();
//!     spawn(&threads, permit, move |_permit| {
//!         sum.fetch_add(job, Ordering::Relaxed);
//!     });
//! }
//! sem.wait_idle(); // until every permit is back
//! assert_eq!(sum.load(Ordering::Relaxed), 15);
//! ```
//!
//! # Use it as a pool
//!
//! ```
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//! use manyhands_semaphore::SemaphorePool;
//!
//! let pool = SemaphorePool::builder().workers(3).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || job * 2).unwrap();
//! }
//! pool.close();
//! let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
//! assert_eq!(sum, 30);
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # Stages
//!
//! 1. The tutorial: [`Semaphore`], [`Permit`], [`spawn`].
//! 2. [`SemaphorePool`]: the same over tickets, under the contract.
//!
//! # Traps
//!
//! - **Acquire before you spawn.** Inside the thread, the semaphore limits
//!   what works, not what exists: ten thousand jobs are ten thousand threads,
//!   N of them working and the rest waiting. [`spawn`] takes the permit, so
//!   the wrong order does not compile.
//! - **Release on every path.** In Go a release that is not deferred stays
//!   out when the job panics, and one permit is gone for good. A [`Permit`]
//!   is given back by dropping it, which unwinding does too.
//! - It limits how many run *at once*. That is not a rate: with short jobs,
//!   any number may start within a second.
//!
//! # Cost
//!
//! A thread a job: tens of microseconds, and three allocations. Jobs of
//! milliseconds do not notice; jobs of microseconds are better off with
//! workers that stay.

#![forbid(unsafe_code)]

mod adapter;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use manyhands_core::Threads;

pub use crate::adapter::SemaphorePool;

/// A counting semaphore: so many permits, to be had one at a time.
///
/// Clones are the same semaphore.
#[derive(Clone)]
pub struct Semaphore {
    shared: Arc<Shared>,
}

struct Shared {
    /// How many permits there are in all.
    total: usize,
    state: Mutex<State>,
    /// Signalled when a permit is given back, and on close.
    released: Condvar,
    /// Signalled when the last permit is given back.
    idle: Condvar,
}

struct State {
    /// How many permits nobody holds.
    free: usize,
    /// No more permits are given out.
    closed: bool,
}

/// Leave to do one thing. Dropping it gives it back.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit {
    shared: Arc<Shared>,
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireError {
    /// All permits are out; only [`Semaphore::try_acquire`] says so.
    NoPermits,
    /// The semaphore is closed.
    Closed,
}

impl Semaphore {
    /// A semaphore with `permits` permits, all free.
    ///
    /// # Panics
    ///
    /// When `permits` is 0: nobody could ever acquire one.
    pub fn new(permits: usize) -> Self {
        assert!(permits > 0, "a semaphore without permits stops everybody");
        Self {
            shared: Arc::new(Shared {
                total: permits,
                state: Mutex::new(State { free: permits, closed: false }),
                released: Condvar::new(),
                idle: Condvar::new(),
            }),
        }
    }

    /// Waits for a permit: `sem <- struct{}{}`.
    ///
    /// # Errors
    ///
    /// When the semaphore is closed, also while waiting.
    pub fn acquire(&self) -> Result<Permit, AcquireError> {
        let mut state = self.shared.lock();
        while state.free == 0 && !state.closed {
            state = wait(&self.shared.released, state);
        }
        self.shared.take(state)
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    ///
    /// When none is, or the semaphore is closed.
    pub fn try_acquire(&self) -> Result<Permit, AcquireError> {
        self.shared.take(self.shared.lock())
    }

    /// Gives out no more permits, and sends away whoever waits for one.
    /// Permits that are out come back as ever.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.released.notify_all();
    }

    /// Waits until every permit is back, and nothing runs under one. In Go:
    /// acquire them all.
    pub fn wait_idle(&self) {
        let mut state = self.shared.lock();
        while state.free < self.shared.total {
            state = wait(&self.shared.idle, state);
        }
    }

    /// How many permits nobody holds.
    pub fn available(&self) -> usize {
        self.shared.lock().free
    }
}

impl Shared {
    fn take(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
    ) -> Result<Permit, AcquireError> {
        if state.closed {
            return Err(AcquireError::Closed);
        }
        state.free =
            state.free.checked_sub(1).ok_or(AcquireError::NoPermits)?;
        Ok(Permit { shared: Arc::clone(self) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.free += 1;
        let idle = state.free == self.shared.total;
        drop(state);
        self.shared.released.notify_one();
        if idle {
            self.shared.idle.notify_all();
        }
    }
}

/// Starts a thread that works under a permit. The work may give it back
/// early; it comes back by itself when the work ends, also by a panic.
///
/// If the system refuses a thread, the work is done here, before `spawn`
/// returns: still no more at once than there are permits.
pub fn spawn(
    threads: &Threads,
    permit: Permit,
    work: impl FnOnce(Permit) + Send + 'static,
) {
    // defer func() { <-sem }() is the drop of `permit`.
    if let Err(work) = threads.spawn("permit", move || work(permit)) {
        work();
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "no permit is free",
            Self::Closed => "the semaphore is closed",
        })
    }
}

impl std::error::Error for AcquireError {}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("total", &self.shared.total)
            .field("available", &self.available())
            .finish()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
