//! The locks and atomics that core is built from, in one place, so that a
//! model checker can put its own in their stead.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize, Ordering,
};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use std::ops::Deref;
use std::sync::PoisonError;

/// Locks, whether or not somebody panicked while holding the lock.
///
/// No job and no drop of a user's value runs under core's locks, so a poisoned
/// one means a failed allocation, or a pool's hand-over that panicked. Each
/// critical section leaves its data valid at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable, as [`lock`] locks.
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
) -> MutexGuard<'a, T> {
    condition.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// A value on cache lines of its own, so that writing it does not slow down
/// reading its neighbour. 128 bytes: x86-64 fetches lines in pairs,
/// and some ARM cores have lines of that size.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CachePadded<T>(pub(crate) T);

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
pub(crate) fn spin_until(mut ready: impl FnMut() -> bool) -> bool {
    const SPINS: u32 = 6;
    const YIELDS: u32 = 4;
    for round in 0..SPINS + YIELDS {
        if ready() {
            return true;
        }
        if round < SPINS {
            for _ in 0..1 << round {
                std::hint::spin_loop();
            }
        } else {
            std::thread::yield_now();
        }
    }
    ready()
}
