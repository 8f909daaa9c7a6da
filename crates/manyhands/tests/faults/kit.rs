//! Every variant, one after the other, each under a watchdog.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use manyhands::{Completion, Config, WorkerPool};
use manyhands_conformance::watchdog;

use crate::act::Act;
use crate::os::{self, Tid};
use crate::support::gate::Gate;

pub(crate) type Variant = manyhands::Variant<Act>;
pub(crate) type Pool = Box<dyn WorkerPool<Act>>;

/// The variants for the jobs of these tests.
pub(crate) fn variants() -> Vec<Variant> {
    manyhands::variants::<Act, _, _>()
}

/// Puts every variant through a fault, under a watchdog each. Goes on after
/// a failure, and says in the end which variants failed.
pub(crate) fn every_variant(body: fn(&Variant)) {
    let mut failed = Vec::new();
    for variant in variants() {
        let name = variant.name;
        let trial = move || watchdog(move || body(&variant));
        if let Err(payload) = catch_unwind(AssertUnwindSafe(trial)) {
            failed.push((name, payload));
        }
    }
    let names: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    match failed.pop() {
        None => {}
        Some((_, payload)) => {
            eprintln!("failed with: {}", names.join(", "));
            resume_unwind(payload);
        }
    }
}

/// A pool of this kind and size.
pub(crate) fn pool(variant: &Variant, workers: usize, queue: usize) -> Pool {
    variant.make(Config::new(workers, queue).unwrap()).unwrap()
}

/// Submits to a pool that must take it.
pub(crate) fn submit(pool: &dyn WorkerPool<Act>, job: Act) {
    assert!(pool.submit(job).is_ok(), "an open pool refused a job");
}

/// Receives from a pool that must have something.
pub(crate) fn receive(pool: &dyn WorkerPool<Act>) -> Completion<Act> {
    pool.recv().expect("a completion is owed")
}

/// As many jobs run at once as there are workers, and the bound is whole.
/// Nothing is owed by the pool before, nor afterwards.
pub(crate) fn assert_full_strength(pool: &dyn WorkerPool<Act>) {
    let bound = pool.bound().get();
    let gate = Gate::new();
    for free in 0..bound {
        let job = Act::new(|| ()).after(&gate);
        let taken = pool.try_submit(job).is_ok();
        assert!(taken, "only {free} of {bound} places are left");
    }
    gate.wait_for(pool.workers().get());
    gate.open();
    for _ in 0..bound {
        assert!(receive(pool).outcome.is_done());
    }
}

/// Reads until the end, and says how many there were of each kind: done,
/// panicked, cancelled.
pub(crate) fn drain(pool: &dyn WorkerPool<Act>) -> [usize; 3] {
    let mut counts = [0; 3];
    while let Some(completion) = pool.recv() {
        let outcome = &completion.outcome;
        let kinds =
            [outcome.is_done(), outcome.is_panicked(), outcome.is_cancelled()];
        for (count, is) in counts.iter_mut().zip(kinds) {
            *count += usize::from(is);
        }
        manyhands::discard(completion);
    }
    counts
}

/// How often something happened, to be shared with jobs.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A job that counts its run.
    pub(crate) fn job(&self) -> Act {
        let count = self.clone();
        Act::new(move || count.add())
    }
}

/// A value that counts its drop.
pub(crate) struct Dropped(pub(crate) Count);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// A thread that is about to wait in a call.
pub(crate) struct Waiter<T> {
    tid: Tid,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Waiter<T> {
    /// Starts a thread for a call that will wait.
    pub(crate) fn start(call: impl FnOnce() -> T + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            tell.send(os::this_thread()).unwrap();
            call()
        });
        Self { tid: told.recv().unwrap(), thread }
    }

    /// Waits until it waits.
    pub(crate) fn asleep(&self) {
        os::asleep(self.tid);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// What the call returned.
    pub(crate) fn join(self) -> T {
        self.thread.join().unwrap_or_else(|payload| resume_unwind(payload))
    }
}
