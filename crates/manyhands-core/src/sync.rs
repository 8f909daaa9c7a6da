//! Locks, atomics and threads, in one place, so that a model checker can put
//! its own in the place of the standard library's.
//!
//! Core and the pattern crates take them from here. A usual build has the
//! standard library's; with `--cfg loom` or `--cfg shuttle` it has the
//! checker's, which runs a program under a great many orders of events: loom
//! under every one that takes so many preemptions at most (three in this
//! project's checks), shuttle under those that it draws. Not a part of the
//! public API: it changes with what the models need.

#[cfg(loom)]
pub use loom::{
    hint::spin_loop,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread,
};
#[cfg(shuttle)]
pub use shuttle::{
    hint::spin_loop,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread, thread_local,
};
#[cfg(not(shuttle))]
pub use std::thread_local;
#[cfg(not(any(loom, shuttle)))]
pub use std::{
    hint::spin_loop,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread,
    time::{Duration, Instant},
};

// A count of references is no part of any protocol here.
pub use std::sync::Arc;
pub use std::sync::atomic::Ordering;

use std::ops::Deref;
use std::sync::PoisonError;

/// Locks, whether or not somebody panicked while holding the lock.
///
/// No job and no drop of a user's value runs under the project's locks, so a
/// poisoned one means a failed allocation, or a pool's hand-over that
/// panicked. Each critical section leaves its data valid at every step.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable, as [`lock`] locks.
pub fn wait<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// [`wait`], with the guard of `mutex`, and not longer than `limit`.
#[cfg(not(any(loom, shuttle)))]
pub fn wait_at_most<'a, T>(
    _mutex: &'a Mutex<T>,
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: Duration,
) -> MutexGuard<'a, T> {
    let waited = condition.wait_timeout(guard, limit);
    waited.unwrap_or_else(PoisonError::into_inner).0
}

#[cfg(any(loom, shuttle))]
pub use self::model::{Duration, Instant, wait_at_most};

/// A load in a total order with every other access that is sequentially
/// consistent. loom takes such loads for weaker ones, but not such fences.
pub fn load_in_order(atomic: &AtomicU64) -> u64 {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
    atomic.load(Ordering::SeqCst)
}

/// [`std::thread::JoinHandle::is_finished`], which a model's threads do not
/// tell.
pub fn is_finished(_thread: &thread::JoinHandle<()>) -> bool {
    #[cfg(not(any(loom, shuttle)))]
    return _thread.is_finished();
    #[cfg(any(loom, shuttle))]
    false
}

/// A small number that the calling thread has to itself as long as there are
/// few, for what is kept in parts. A model has one part.
#[cfg(not(any(loom, shuttle)))]
pub fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that ends has given back its number: then any will do.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

#[cfg(any(loom, shuttle))]
pub fn thread_number() -> usize {
    0
}

/// A value on cache lines of its own, so that writing it does not slow down
/// reading its neighbour. 128 bytes: x86-64 fetches lines in pairs,
/// and some ARM cores have lines of that size.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CachePadded<T>(pub T);

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Looks a few times whether `ready` holds before its caller parks.
///
/// Parking and being woken costs microseconds on both sides; what is awaited
/// often comes within one. The pauses between two looks double, since each
/// look takes the cache line away from who is about to write it. The last
/// looks give the processor away in between, which on a machine with fewer
/// cores than threads is what lets the awaited thread run at all; without
/// them, small jobs on two cores end in a park each.
///
/// A model has no looks: they change nothing but how long it takes.
pub fn spin_until(mut ready: impl FnMut() -> bool) {
    const YIELDS: u32 = if MODEL { 0 } else { 4 };
    if spin_briefly(&mut ready) {
        return;
    }
    for _ in 0..YIELDS {
        if ready() {
            return;
        }
        thread::yield_now();
    }
}

/// Gives others a moment to come up with more, unless there is `enough`.
///
/// To take one thing at a time from another core as it comes is the slowest
/// way there is: each look and each taking moves a cache line there and back.
/// So it looks a few times only, and lets others run in between.
pub fn linger(mut enough: impl FnMut() -> bool) {
    const LOOKS: u32 = if cfg!(any(loom, shuttle)) { 0 } else { 3 };
    for _ in 0..LOOKS {
        if enough() {
            return;
        }
        thread::yield_now();
    }
}

/// How long one may sleep for more than one result or place, while the pool
/// has enough to do. Far more than it takes to be woken, and far less than
/// what is queued by then will take.
pub const NAP: Duration = Duration::from_micros(100);

/// Whether a nap is worth it. To be woken by the clock costs as much as some
/// tens of results; where jobs take so long that fewer come meanwhile, it is
/// better to look for each.
#[derive(Debug, Default)]
pub struct Naps {
    /// How many occasions are to be left out.
    off: u32,
}

impl Naps {
    /// As many as that make up for it.
    const WORTH: usize = 64;

    /// After one that was not worth it, so many are left out.
    const PAUSE: u32 = 256;

    /// True if it is time for one.
    pub fn are_due(&mut self) -> bool {
        let due = self.off == 0;
        self.off = self.off.saturating_sub(1);
        due
    }

    /// One brought so many, of a row of so many.
    pub fn brought(&mut self, count: usize, row: usize) {
        if count < row.min(Self::WORTH) {
            self.off = Self::PAUSE;
        }
    }
}

/// [`spin_until`] by one who remembers how long the last wait was, and after
/// one that was long parks at once.
///
/// What is awaited then is likely to be far off as well. Whoever looks for it
/// takes a core meanwhile, and on a machine with few of them that is where
/// the one who brings it, or who was just woken, wanted to run.
#[derive(Debug, Default)]
pub struct Spins {
    off: bool,
}

impl Spins {
    /// About what parking and being woken costs, on both sides.
    const PATIENCE: Duration = Duration::from_micros(20);

    /// Far longer than it takes to be woken.
    const LONG: Duration = Duration::from_micros(50);

    /// [`spin_until`], unless the last wait was long.
    pub fn until(&self, ready: impl FnMut() -> bool) {
        if !self.off {
            spin_until(ready);
        }
    }

    /// [`until`](Self::until), for as long as parking takes: for a worker
    /// where each job is handed over to one that waits. A reader that is as
    /// patient finds each result before it parks, and so keeps a core from
    /// the workers.
    pub fn patiently_until(&self, mut ready: impl FnMut() -> bool) {
        if MODEL || self.off || spin_briefly(&mut ready) {
            return;
        }
        let start = Instant::now();
        while !ready() {
            thread::yield_now();
            // Also where others have run meanwhile.
            let now = Instant::now();
            if now.saturating_duration_since(start) > Self::PATIENCE {
                return;
            }
        }
    }

    /// The wait is over; its caller had to park, at that time.
    pub fn waited(&mut self, parked: Option<Instant>) {
        self.off = parked.is_some_and(|parked| {
            Instant::now().saturating_duration_since(parked) > Self::LONG
        });
    }
}

/// The first half of [`spin_until`], for a microsecond or two: returns whether
/// `ready` was seen to hold.
///
/// For a caller that is not about to park, but about to do what costs as much
/// and may not be needed, such as waking somebody.
pub fn spin_briefly(mut ready: impl FnMut() -> bool) -> bool {
    const SPINS: u32 = if MODEL { 0 } else { 6 };
    for round in 0..SPINS {
        if ready() {
            return true;
        }
        for _ in 0..1 << round {
            spin_loop();
        }
    }
    false
}

const MODEL: bool = cfg!(any(loom, shuttle));

/// What the checkers do not have: time that passes.
#[cfg(any(loom, shuttle))]
mod model {
    use std::cell::Cell;
    pub use std::time::Duration;

    use super::{Condvar, Mutex, MutexGuard, lock, thread};

    thread_local! {
        /// Milliseconds. Only differences count, so it goes on from one
        /// execution to the next. All threads of a model are one in truth,
        /// and no other model's time is to pass in it.
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Instant(u64);

    impl Instant {
        pub fn now() -> Self {
            Self(NOW.get())
        }

        pub fn checked_add(self, duration: Duration) -> Option<Self> {
            let millis = u64::try_from(duration.as_millis()).ok()?;
            self.0.checked_add(millis).map(Self)
        }

        pub fn saturating_duration_since(self, earlier: Self) -> Duration {
            Duration::from_millis(self.0.saturating_sub(earlier.0))
        }
    }

    /// Lets others run, and a millisecond pass.
    pub fn wait_at_most<'a, T>(
        mutex: &'a Mutex<T>,
        _condition: &Condvar,
        guard: MutexGuard<'a, T>,
        _limit: Duration,
    ) -> MutexGuard<'a, T> {
        drop(guard);
        NOW.set(NOW.get() + 1);
        thread::yield_now();
        lock(mutex)
    }
}
