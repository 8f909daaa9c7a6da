//! It tells, and gives back then. Who is woken in between finds nothing free,
//! and goes back to sleep; the permit comes back, and nobody is told.

use exercises::sync::{Condvar, Mutex};

pub struct Semaphore {
    free: Mutex<usize>,
    freed: Condvar,
}

pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Semaphore {
    pub fn new(permits: usize) -> Self {
        Self { free: Mutex::new(permits), freed: Condvar::new() }
    }

    pub fn acquire(&self) -> Permit<'_> {
        let mut free = self.free.lock().unwrap();
        while *free == 0 {
            free = self.freed.wait(free).unwrap();
        }
        *free -= 1;
        Permit { semaphore: self }
    }

    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut free = self.free.lock().unwrap();
        if *free == 0 {
            return None;
        }
        *free -= 1;
        Some(Permit { semaphore: self })
    }

    pub fn with<R>(&self, work: impl FnOnce() -> R) -> R {
        // Dropped at the end of this function, however it ends.
        let _permit = self.acquire();
        work()
    }
}

// ANCHOR: wrong
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.semaphore.freed.notify_one();
        *self.semaphore.free.lock().unwrap() += 1;
    }
}
// ANCHOR_END: wrong
