//! `if` for `while`: whoever was woken takes a permit without a look. If another
//! was faster, there is none.

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

    // ANCHOR: wrong
    pub fn acquire(&self) -> Permit<'_> {
        let mut free = self.free.lock().unwrap();
        if *free == 0 {
            free = self.freed.wait(free).unwrap();
        }
        *free = free.saturating_sub(1);
        Permit { semaphore: self }
    }
    // ANCHOR_END: wrong

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

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.semaphore.free.lock().unwrap() += 1;
        self.semaphore.freed.notify_one();
    }
}
