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
//! 1. The tutorial: a counter, and threads that wait for it to be above 0.
//! 2. [`Semaphore`], [`Permit`], [`spawn`]: whoever waits stands in a queue.
//!    A bare counter serves whoever comes just then, so that a request for
//!    many permits may wait for ever beside a stream of requests for one.
//!    Here the first in the queue is served first, and nobody overtakes.
//! 3. [`SemaphorePool`]: tickets under permits, by the contract. A job that
//!    has its permit goes to a thread that has nothing to do, of a
//!    [`Crew`](manyhands_core::crew::Crew), and a thread is started only
//!    where there is none: at most as many as permits, and they stay. A job
//!    that [weighs more](SemaphorePool::submit_weighted) has several permits.
//!
//! A form for async tasks is in `manyhands-tokio`: tasks under tokio's
//! semaphore.
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
//! A permit that is free costs a lock and no allocation. Who finds none looks
//! for a microsecond or two whether one comes back, and then takes a place in
//! the queue, which allocates. [`spawn`] starts a thread a job, which costs far
//! more than the permit. The pool keeps its threads, so a job costs the permit
//! and two hand-overs, to a thread and back. Nothing is allocated for it. There
//! is no queue that would keep the threads busy while the submitter is not at
//! hand: with jobs of microseconds a pool with workers and a queue does more.

#![forbid(unsafe_code)]

mod adapter;
mod error;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use manyhands_core::Threads;
use manyhands_core::sync::{
    AtomicUsize, Condvar, Instant, Mutex, MutexGuard, Ordering, lock,
    spin_briefly, wait, wait_at_most,
};

pub use crate::adapter::SemaphorePool;
pub use crate::error::{AcquireError, WeightedError};

/// A counting semaphore: so many permits, given out in the order in which
/// they were asked for.
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
    /// How many permits nobody holds: a hint that can be read without the
    /// lock.
    free: AtomicUsize,
    /// Signalled when the last permit is given back.
    idle: Condvar,
}

struct State {
    /// How many permits nobody holds.
    free: usize,
    /// No more permits are given out.
    closed: bool,
    /// Those who wait, the first in front, who asks for more than is free.
    queue: VecDeque<Arc<Turn>>,
    /// How many wait until every permit is back.
    idlers: usize,
}

/// A place in the queue.
struct Turn {
    /// How many permits are asked for.
    permits: usize,
    /// Signalled when it is this one's turn, and on close.
    called: Condvar,
}

/// Permission to do something. Dropping it gives it back.
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit {
    shared: Arc<Shared>,
    permits: usize,
}

impl Semaphore {
    /// A semaphore with `permits` permits, all free.
    ///
    /// # Panics
    ///
    /// When `permits` is 0: nobody could ever acquire one.
    pub fn new(permits: usize) -> Self {
        assert!(permits > 0, "a semaphore without permits stops everybody");
        let state = State {
            free: permits,
            closed: false,
            queue: VecDeque::new(),
            idlers: 0,
        };
        Self {
            shared: Arc::new(Shared {
                total: permits,
                state: Mutex::new(state),
                free: AtomicUsize::new(permits),
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
        self.acquire_many(1)
    }

    /// Waits for several permits at once, for a job that weighs more.
    ///
    /// # Errors
    ///
    /// When the semaphore is closed, also while waiting; and at once, when
    /// `permits` is more than there are in all.
    pub fn acquire_many(
        &self,
        permits: usize,
    ) -> Result<Permit, AcquireError> {
        self.acquire_until(permits, None)
    }

    /// [`acquire_many`](Self::acquire_many), for `timeout` at most. A
    /// caller that gives up makes way for those behind it.
    ///
    /// # Errors
    ///
    /// As `acquire_many`, and when the time is up.
    pub fn acquire_timeout(
        &self,
        permits: usize,
        timeout: Duration,
    ) -> Result<Permit, AcquireError> {
        // A time so long that no clock can tell its end has none.
        let deadline = Instant::now().checked_add(timeout);
        self.acquire_until(permits, deadline)
    }

    /// Takes a permit if one is free, and nobody waits for it.
    ///
    /// # Errors
    ///
    /// When none is, or the semaphore is closed.
    pub fn try_acquire(&self) -> Result<Permit, AcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes several permits if they are free, and nobody waits for them.
    ///
    /// # Errors
    ///
    /// When they are not, or the semaphore is closed, or `permits` is more
    /// than there are in all.
    pub fn try_acquire_many(
        &self,
        permits: usize,
    ) -> Result<Permit, AcquireError> {
        self.shared.take(&mut self.shared.lock(), permits)
    }

    fn acquire_until(
        &self,
        permits: usize,
        deadline: Option<Instant>,
    ) -> Result<Permit, AcquireError> {
        let shared = &self.shared;
        match shared.take(&mut shared.lock(), permits) {
            Err(AcquireError::NoPermits) => {}
            taken => return taken,
        }
        // Work that is short is soon over: the queue is for the others. No
        // yielding here, since whoever gives a permit back wakes the first in
        // the queue, and that is quicker where many threads want to run.
        spin_briefly(|| shared.free.load(Ordering::Relaxed) >= permits);
        let mut state = shared.lock();
        match shared.take(&mut state, permits) {
            Err(AcquireError::NoPermits) => {}
            taken => return taken,
        }
        let turn = Arc::new(Turn { permits, called: Condvar::new() });
        state.queue.push_back(Arc::clone(&turn));
        // Whoever is called is out of the queue, and has its permits.
        while let Some(at) = state.position(&turn) {
            let now = Instant::now();
            let left = deadline.map(|end| end.saturating_duration_since(now));
            let given_up = if state.closed {
                Some(AcquireError::Closed)
            } else {
                left.is_some_and(|left| left.is_zero())
                    .then_some(AcquireError::TimedOut)
            };
            if let Some(error) = given_up {
                state.queue.remove(at);
                // It may have been the one that held up the others.
                state.call();
                shared.publish(&state);
                return Err(error);
            }
            state = match left {
                None => wait(&turn.called, state),
                Some(left) => {
                    wait_at_most(&shared.state, &turn.called, state, left)
                }
            };
        }
        Ok(Permit { shared: Arc::clone(shared), permits })
    }

    /// Gives out no more permits, and sends away whoever waits for one.
    /// Permits that are out come back as ever.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.iter().for_each(|turn| turn.called.notify_one());
    }

    /// Waits until every permit is back, and nothing runs under one. In Go:
    /// acquire them all.
    pub fn wait_idle(&self) {
        let mut state = self.shared.lock();
        state.idlers += 1;
        while state.free < self.shared.total {
            state = wait(&self.shared.idle, state);
        }
        state.idlers -= 1;
    }

    /// How many permits nobody holds.
    pub fn available(&self) -> usize {
        self.shared.lock().free
    }
}

impl State {
    fn position(&self, turn: &Arc<Turn>) -> Option<usize> {
        self.queue.iter().position(|other| Arc::ptr_eq(other, turn))
    }

    // ANCHOR: call
    /// Gives free permits to the first in the queue, and to the next, as far
    /// as they go. A request that is too large holds up those behind it.
    fn call(&mut self) {
        while let Some(turn) = self.queue.front() {
            if self.closed || turn.permits > self.free {
                return;
            }
            self.free -= turn.permits;
            turn.called.notify_one();
            self.queue.pop_front();
        }
    }
    // ANCHOR_END: call
}

impl Shared {
    fn take(
        self: &Arc<Self>,
        state: &mut State,
        permits: usize,
    ) -> Result<Permit, AcquireError> {
        if state.closed {
            return Err(AcquireError::Closed);
        }
        if permits > self.total {
            return Err(AcquireError::TooMany);
        }
        if !state.queue.is_empty() || permits > state.free {
            return Err(AcquireError::NoPermits);
        }
        state.free -= permits;
        self.publish(state);
        Ok(Permit { shared: Arc::clone(self), permits })
    }

    fn publish(&self, state: &State) {
        self.free.store(state.free, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

// ANCHOR: permit_drop
impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.free += self.permits;
        state.call();
        self.shared.publish(&state);
        if state.idlers > 0 && state.free == self.shared.total {
            self.shared.idle.notify_all();
        }
    }
}
// ANCHOR_END: permit_drop

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

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Semaphore")
            .field("total", &self.shared.total)
            .field("available", &state.free)
            .field("waiting", &state.queue.len())
            .finish()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.permits).finish()
    }
}
