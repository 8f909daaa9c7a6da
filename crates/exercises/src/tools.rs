//! What checks watch answers with.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Plain, PoisonError};

use shuttle::sync::{Condvar, Mutex};

/// A list that the threads of a check write into. No thread waits for it, so
/// that it changes no schedule.
#[derive(Debug)]
pub struct Log<T>(Arc<Plain<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Log<T> {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes one thing.
    pub fn note(&self, it: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(it);
    }

    /// What was written up to now.
    pub fn all(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many are inside now, and how many were at most.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gauge {
    /// With nobody inside.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more is inside.
    pub fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    /// One less is.
    pub fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many are inside.
    pub fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// How many were at most.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Opens when so many have come to it.
#[derive(Clone, Debug)]
pub struct Gate(Arc<(Mutex<usize>, Condvar)>);

impl Gate {
    /// Opens when `missing` have come.
    pub fn new(missing: usize) -> Self {
        Self(Arc::new((Mutex::new(missing), Condvar::new())))
    }

    /// Comes to it, and goes on.
    pub fn come(&self) {
        let (missing, opened) = &*self.0;
        let mut missing =
            missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            opened.notify_all();
        }
    }

    /// Waits until it is open.
    pub fn wait(&self) {
        let (missing, opened) = &*self.0;
        let mut missing =
            missing.lock().unwrap_or_else(PoisonError::into_inner);
        while *missing > 0 {
            missing =
                opened.wait(missing).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Comes to it, and waits until it is open.
    pub fn meet(&self) {
        self.come();
        self.wait();
    }
}

/// Panics if jobs were seen twice, or not at all, or are unknown. `ran` says
/// what happened to them, as in "job 3 ran twice".
pub fn same(ran: &str, seen: &[u64], expected: &[u64]) {
    let mut missing: VecDeque<u64> = expected.iter().copied().collect();
    for job in seen {
        match missing.iter().position(|it| it == job) {
            Some(at) => drop(missing.remove(at)),
            None if expected.contains(job) => panic!("job {job} {ran} twice"),
            None => panic!("{job} {ran}, and was never a job"),
        }
    }
    if let Some(job) = missing.front() {
        panic!("job {job} never {ran}");
    }
}

/// `1, 2, 3`, or `nothing`.
pub fn listed<T: std::fmt::Debug>(things: &[T]) -> String {
    let words: Vec<_> = things.iter().map(|it| format!("{it:?}")).collect();
    match words.is_empty() {
        true => "nothing".into(),
        false => words.join(", "),
    }
}
