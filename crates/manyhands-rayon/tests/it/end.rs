//! Where rayon's own drop only signals.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use manyhands_conformance::watchdog;
use manyhands_core::{Config, WorkerPool};
use manyhands_rayon::{RayonPool, RayonThreads};

/// Counts the threads that it was put on, as they end.
struct Farewell(Arc<AtomicUsize>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static FAREWELL: RefCell<Option<Farewell>> =
        const { RefCell::new(None) };
}

fn count_ends(threads: &RayonThreads) -> Arc<AtomicUsize> {
    let ended = Arc::new(AtomicUsize::new(0));
    threads.rayon().broadcast(|_| {
        let farewell = Farewell(Arc::clone(&ended));
        FAREWELL.with(|slot| slot.borrow_mut().replace(farewell));
    });
    ended
}

#[test]
fn when_drop_returns_the_threads_have_ended() {
    watchdog(|| {
        let threads = RayonThreads::start(4).unwrap();
        let ended = count_ends(&threads);
        assert_eq!(ended.load(Ordering::SeqCst), 0);
        drop(threads);
        assert_eq!(ended.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn when_a_pool_is_dropped_its_jobs_have_run_and_its_threads_ended() {
    watchdog(|| {
        let pool = RayonPool::new(Config::new(3, 100).unwrap()).unwrap();
        let ended = count_ends(pool.threads());
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let ran = Arc::clone(&ran);
            let job = move || ran.fetch_add(1, Ordering::SeqCst);
            pool.submit(job).unwrap();
        }
        drop(pool);
        assert_eq!(ran.load(Ordering::SeqCst), 100);
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    });
}

type Work = Box<dyn FnOnce() + Send>;

#[test]
fn a_job_may_drop_its_own_pool_and_what_was_accepted_still_runs() {
    for workers in [1, 3] {
        watchdog(move || {
            let config = Config::new(workers, 10).unwrap();
            let pool = RayonPool::<Work>::new(config).unwrap();
            let pool = Arc::new(Mutex::new(Some(pool)));
            let (ran, runs) = mpsc::channel();
            let (release, gate) = mpsc::channel::<()>();

            let guard = pool.lock().unwrap();
            let open = guard.as_ref().unwrap();
            let owner = Arc::clone(&pool);
            let dropped = ran.clone();
            let job = move || {
                gate.recv().unwrap();
                let pool = owner.lock().unwrap().take();
                drop(pool);
                dropped.send("dropped").unwrap();
            };
            open.submit(Box::new(job)).unwrap();
            for _ in 0..5 {
                let ran = ran.clone();
                let job = move || ran.send("ran").unwrap();
                open.submit(Box::new(job)).unwrap();
            }
            drop(guard);
            release.send(()).unwrap();

            drop(ran);
            let mut seen: Vec<_> =
                (0..6).map(|_| runs.recv().unwrap()).collect();
            seen.sort();
            assert_eq!(seen, ["dropped", "ran", "ran", "ran", "ran", "ran"]);
        });
    }
}
