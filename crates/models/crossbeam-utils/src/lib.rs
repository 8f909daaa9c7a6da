//! A wait group over the checkers' locks.

pub mod sync {
    use std::sync::Arc;

    use manyhands_core::sync::{Condvar, Mutex, lock, wait};

    /// Waits until all clones of it are gone.
    pub struct WaitGroup {
        shared: Arc<Shared>,
    }

    struct Shared {
        count: Mutex<usize>,
        done: Condvar,
    }

    impl WaitGroup {
        pub fn new() -> Self {
            let shared = Shared { count: Mutex::new(1), done: Condvar::new() };
            Self { shared: Arc::new(shared) }
        }

        pub fn wait(self) {
            let shared = Arc::clone(&self.shared);
            drop(self);
            let mut count = lock(&shared.count);
            while *count > 0 {
                count = wait(&shared.done, count);
            }
        }
    }

    impl Default for WaitGroup {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Clone for WaitGroup {
        fn clone(&self) -> Self {
            *lock(&self.shared.count) += 1;
            Self { shared: Arc::clone(&self.shared) }
        }
    }

    impl Drop for WaitGroup {
        fn drop(&mut self) {
            let mut count = lock(&self.shared.count);
            *count -= 1;
            if *count == 0 {
                self.shared.done.notify_all();
            }
        }
    }
}
