//! What the laws count with, and wait for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::os::{self, Tid};

/// A counter that can be waited for.
#[derive(Clone, Default)]
pub(crate) struct Count {
    shared: Arc<(Mutex<usize>, Condvar)>,
}

impl Count {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Counts one more, and says how many that makes.
    pub(crate) fn add(&self) -> usize {
        let (value, changed) = &*self.shared;
        let mut value = value.lock().unwrap_or_else(PoisonError::into_inner);
        *value += 1;
        changed.notify_all();
        *value
    }

    pub(crate) fn get(&self) -> usize {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many were counted.
    pub(crate) fn wait_for(&self, least: usize) {
        let (value, changed) = &*self.shared;
        let value = value.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = changed.wait_while(value, |value| *value < least);
        drop(enough.unwrap_or_else(PoisonError::into_inner));
    }
}

/// How many jobs run, and the most that ever did.
#[derive(Clone, Default)]
pub(crate) struct Gauge {
    shared: Arc<[AtomicUsize; 2]>,
}

impl Gauge {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn enter(&self) {
        let [now, peak] = &*self.shared;
        let running = now.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(running, Ordering::SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.shared[0].fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn peak(&self) -> usize {
        self.shared[1].load(Ordering::SeqCst)
    }
}

/// Where threads report that their next call will block.
#[derive(Default)]
pub(crate) struct Lobby {
    threads: Mutex<Vec<Option<Tid>>>,
    changed: Condvar,
}

impl Lobby {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Says that the calling thread's next call will block.
    pub(crate) fn enter(&self) {
        let thread = os::this_thread();
        let mut threads =
            self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(thread);
        self.changed.notify_all();
    }

    /// Waits until so many threads are about to block, and then a moment
    /// until the system says that they do. Whoever is late is not waited for:
    /// what is checked next holds whether or not they have blocked yet.
    pub(crate) fn wait_for(&self, count: usize) {
        const MOMENT: Duration = Duration::from_millis(20);
        let threads =
            self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = self
            .changed
            .wait_while(threads, |threads| threads.len() < count)
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let since = Instant::now();
        let awake = |thread: &Option<Tid>| {
            thread.is_none_or(|thread| !os::is_asleep(thread))
        };
        while threads.iter().any(awake) && since.elapsed() < MOMENT {
            thread::yield_now();
        }
    }
}

/// Gives what must not happen a moment to happen; true if it did not.
///
/// The one kind of waiting that can miss a fault, and that cannot see one
/// where there is none.
pub(crate) fn never(mut happens: impl FnMut() -> bool) -> bool {
    const MOMENT: Duration = Duration::from_millis(10);
    let since = Instant::now();
    while since.elapsed() < MOMENT {
        if happens() {
            return false;
        }
        thread::sleep(Duration::from_micros(200));
    }
    !happens()
}
