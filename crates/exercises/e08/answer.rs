//! Exercise 8: a semaphore.
//!
//! So many may be inside, and no more; whoever comes then waits. To be inside is
//! to hold a `Permit`, and to drop it is to leave. That is also so if the drop
//! happens because of a panic, which is why no function is called `release`.
//!
//! Chapter: docs/course/08-how-many-workers.md. Checks: `manyhands learn check
//! 8`.

use exercises::sync::{Condvar, Mutex};

/// So many permits.
pub struct Semaphore {
    free: Mutex<usize>,
    /// Told when a permit has come back.
    freed: Condvar,
}

/// Held while inside.
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Semaphore {
    /// With so many permits.
    pub fn new(permits: usize) -> Self {
        todo!("exercise 08")
    }

    /// Waits for a permit.
    pub fn acquire(&self) -> Permit<'_> {
        todo!("exercise 08")
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        todo!("exercise 08")
    }

    /// Does something with a permit held.
    pub fn with<R>(&self, work: impl FnOnce() -> R) -> R {
        todo!("exercise 08")
    }
}

// Something is missing: what happens when a permit is dropped?
