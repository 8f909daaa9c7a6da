//! An end at a deadline, for every pool, and the count that it goes by.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use manyhands::{
    AsyncJob, Config, Job, Variant, WorkerPool, WorkerPoolExt, variants,
};
use manyhands_conformance::watchdog;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);
/// Soon over.
const SHORT: Duration = Duration::from_millis(100);

/// A job that counts itself when it starts, and ends when its gate is open.
struct Passes(Arc<Gate>);

#[derive(Default)]
struct Gate {
    state: Mutex<(bool, Vec<Waker>)>,
    opened: Condvar,
    started: AtomicUsize,
    ended: AtomicUsize,
}

impl Gate {
    fn closed() -> Arc<Self> {
        Arc::default()
    }

    fn opened() -> Arc<Self> {
        let gate = Self::closed();
        gate.open();
        gate
    }

    fn open(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        self.opened.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// Waits until a job has come to this gate.
    fn wait_for_one(&self) {
        while self.started() == 0 {
            thread::yield_now();
        }
    }
}

impl Job for Passes {
    type Output = Result<(), Infallible>;

    fn run(self) -> Self::Output {
        self.0.started.fetch_add(1, Ordering::SeqCst);
        let state = self.0.state.lock().unwrap();
        drop(self.0.opened.wait_while(state, |state| !state.0).unwrap());
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl AsyncJob for Passes {
    async fn run_async(self) -> Self::Output {
        self.0.started.fetch_add(1, Ordering::SeqCst);
        poll_fn(|context| {
            let mut state = self.0.state.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn each_variant(test: fn(&Variant<Passes>)) {
    for variant in variants() {
        watchdog(move || test(&variant));
    }
}

/// Waits until every job is gone, and the pool that was left behind with it.
fn until_alone(gate: &Arc<Gate>) {
    while Arc::strong_count(gate) > 1 {
        thread::yield_now();
    }
}

#[test]
fn every_variant_counts_its_unfinished_jobs() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(2, 3).unwrap()).unwrap();
        let unfinished = |jobs| {
            assert_eq!(pool.unfinished(), Some(jobs), "{}", variant.name);
        };
        let bound = pool.bound().get();
        let gate = Gate::closed();
        unfinished(0);
        for accepted in 1..=bound {
            pool.submit(Passes(Arc::clone(&gate))).unwrap();
            unfinished(accepted);
        }
        gate.open();
        for _ in 0..bound {
            assert!(pool.recv().is_some(), "{}", variant.name);
        }
        unfinished(0);
    });
}

#[test]
fn jobs_that_end_in_time_are_all_received() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(2, 3).unwrap()).unwrap();
        let gate = Gate::opened();
        for _ in 0..10 {
            pool.submit(Passes(Arc::clone(&gate))).unwrap();
        }
        let mut received = 0;
        let end = pool.shutdown(LONG, |completion| {
            received += u64::from(completion.outcome.is_done());
        });
        let end = end.unwrap();
        assert!(end.is_complete(), "{}: {end:?}", variant.name);
        assert_eq!((end.done, received), (10, 10), "{}", variant.name);
        // And nothing of it is left.
        assert_eq!(Arc::strong_count(&gate), 1, "{}", variant.name);
    });
}

#[test]
fn a_job_that_never_ends_is_left_behind_and_what_was_queued_never_starts() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(1, 3).unwrap()).unwrap();
        let bound = pool.bound().get();
        let gate = Gate::closed();
        for _ in 0..bound {
            pool.submit(Passes(Arc::clone(&gate))).unwrap();
        }
        gate.wait_for_one();
        let end = pool.shutdown(SHORT, drop).unwrap();
        assert!(!end.is_complete(), "{}: {end:?}", variant.name);
        // Its only worker is stuck. What it did not reach is abandoned too,
        // unless the pool has another way to give it back.
        let abandoned = end.abandoned.unwrap();
        let cancelled = usize::try_from(end.cancelled).unwrap();
        assert_eq!(abandoned + cancelled, bound, "{}", variant.name);
        assert_eq!(gate.started(), 1, "{}: {end:?}", variant.name);

        // Let go, the job ends, its pool with it, and nothing else was run.
        gate.open();
        until_alone(&gate);
        assert_eq!(gate.started(), 1, "{}", variant.name);
        assert_eq!(gate.ended.load(Ordering::SeqCst), 1, "{}", variant.name);
    });
}

#[test]
fn one_stuck_worker_does_not_hold_up_what_the_others_can_do() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(2, 4).unwrap()).unwrap();
        let [stuck, free] = [Gate::closed(), Gate::opened()];
        pool.submit(Passes(Arc::clone(&stuck))).unwrap();
        stuck.wait_for_one();
        for _ in 0..5 {
            pool.submit(Passes(Arc::clone(&free))).unwrap();
        }
        // Enough for five jobs that do nothing, on a machine that is busy.
        let end = pool.shutdown(10 * SHORT, drop).unwrap();
        let name = variant.name;
        assert_eq!((end.done, end.abandoned), (5, Some(1)), "{name}: {end:?}");
        stuck.open();
        until_alone(&stuck);
    });
}

#[test]
fn a_submitter_that_waits_gets_its_job_back() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(1, 0).unwrap()).unwrap();
        let pool: Arc<dyn WorkerPool<Passes>> = Arc::from(pool);
        let gate = Gate::closed();
        pool.submit(Passes(Arc::clone(&gate))).unwrap();
        let submitter = {
            let (pool, gate) = (Arc::clone(&pool), Arc::clone(&gate));
            thread::spawn(move || pool.submit(Passes(gate)).is_err())
        };
        gate.wait_for_one();
        let end = pool.shutdown(SHORT, drop).unwrap();
        assert_eq!(end.abandoned, Some(1), "{}", variant.name);
        assert!(submitter.join().unwrap(), "{}", variant.name);
        gate.open();
    });
}

#[test]
fn no_patience_is_a_cancel_and_an_unused_pool_is_complete() {
    each_variant(|variant| {
        let pool = variant.make(Config::new(2, 2).unwrap()).unwrap();
        let end = pool.shutdown(Duration::MAX, drop).unwrap();
        assert!(end.is_complete(), "{}: {end:?}", variant.name);
        assert_eq!((end.done, end.cancelled), (0, 0), "{}", variant.name);

        let pool = variant.make(Config::new(1, 2).unwrap()).unwrap();
        let bound = pool.bound().get();
        let gate = Gate::closed();
        for _ in 0..bound {
            pool.submit(Passes(Arc::clone(&gate))).unwrap();
        }
        let end = pool.shutdown(Duration::ZERO, drop).unwrap();
        assert_eq!(end.done, 0, "{}: {end:?}", variant.name);
        gate.open();
    });
}
