//! What `BatchPool` promises beyond the laws.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, RwLock, mpsc};
use std::thread;

use manyhands_batch::BatchPool;
use manyhands_conformance::watchdog;
use manyhands_core::{
    BuildError, Config, Job, Spawn, Task, WorkerPool, WorkerPoolExt, discard,
};

type Work = Box<dyn FnOnce() -> u64 + Send>;

fn config(workers: usize, queue: usize) -> Config {
    Config::new(workers, queue).unwrap()
}

/// A pool that has run many brief jobs, so that its workers claim several.
fn warm(config: Config) -> BatchPool<Work> {
    let pool = BatchPool::new(config).unwrap();
    let jobs = (0..20_000).map(brief);
    assert_eq!(pool.run_all(jobs, |_| ()).unwrap(), 20_000);
    pool
}

/// Hands over jobs for all of which there are places.
fn hand_over(pool: &BatchPool<Work>, jobs: &mut VecDeque<Work>) {
    while !jobs.is_empty() {
        pool.try_submit_some(jobs).expect("there is a place for each");
    }
}

fn brief(number: u64) -> Work {
    Box::new(move || number)
}

/// Panics when it is dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        resume_unwind(Box::new("on purpose"));
    }
}

#[test]
fn what_a_reader_took_out_beyond_its_own_is_dropped_with_panics_contained() {
    watchdog(|| {
        let pool = BatchPool::new(config(1, 1)).unwrap();
        for _ in 0..2 {
            pool.submit(|| Hostile).unwrap();
        }
        while pool.unfinished() != Some(0) {
            thread::yield_now();
        }
        // Takes out both, and gives one.
        discard(pool.recv());
        drop(pool);
    });
}

/// Each worker has a job that blocks, and others behind it that it may have
/// claimed: they come back before those that block have ended.
#[test]
fn cancel_brings_back_what_is_queued_and_claimed_while_all_workers_are_busy() {
    watchdog(|| {
        const EACH: u64 = 16;
        for workers in [1, 2, 4] {
            let pool = warm(config(workers, 256));
            let gate = Arc::new(RwLock::new(()));
            let closed = gate.write().unwrap();
            let started = Arc::new(Barrier::new(workers + 1));
            let blocks = || -> Work {
                let (gate, started) = (Arc::clone(&gate), started.clone());
                Box::new(move || {
                    started.wait();
                    drop(gate.read());
                    0
                })
            };
            let count = workers as u64 * EACH;
            let mut jobs: VecDeque<_> = (0..count)
                .map(|it| if it % EACH == 0 { blocks() } else { brief(it) })
                .collect();
            hand_over(&pool, &mut jobs);
            started.wait();
            // Nobody is left to claim these.
            let mut queued = (0..EACH).map(brief).collect();
            hand_over(&pool, &mut queued);
            let count = count + EACH;
            pool.cancel();
            let (mut done, mut back) = (0, 0);
            for _ in 0..count - workers as u64 {
                let completion = pool.recv().unwrap();
                done += u64::from(completion.outcome.is_done());
                back += u64::from(completion.outcome.is_cancelled());
            }
            assert_eq!(done + back, count - workers as u64);
            match workers {
                // It has claimed what was behind the one that blocks.
                1 => assert_eq!(back, EACH - 1 + EACH),
                // The others may have run some of that.
                _ => assert!(back >= EACH, "{back} came back"),
            }
            assert_eq!(pool.unfinished(), Some(workers));
            drop(closed);
            assert_eq!(pool.completions().count(), workers);
        }
    });
}

#[test]
fn a_single_worker_starts_jobs_in_the_order_of_their_ids() {
    watchdog(|| {
        let pool = BatchPool::new(config(1, 64)).unwrap();
        started_in_order(&pool);
    });
}

#[test]
fn a_single_worker_starts_the_jobs_of_its_rows_in_the_order_of_their_ids() {
    watchdog(|| {
        let pool =
            BatchPool::with_grain(config(1, 64), 16.try_into().unwrap());
        started_in_order(&pool.unwrap());
    });
}

fn started_in_order(pool: &BatchPool<Work>) {
    const JOBS: u64 = 10_000;
    let started = Arc::new(Mutex::new(Vec::new()));
    let jobs = (0..JOBS).map(|number| -> Work {
        let started = Arc::clone(&started);
        Box::new(move || {
            started.lock().unwrap().push(number);
            number
        })
    });
    let mut finished = Vec::new();
    pool.run_all(jobs, |it| finished.push(it.id.get())).unwrap();
    assert!(started.lock().unwrap().iter().copied().eq(0..JOBS));
    assert!(finished.into_iter().eq(0..JOBS));
}

#[test]
fn rows_lose_nothing_and_tell_each_job_by_its_own_id() {
    watchdog(|| {
        const JOBS: u64 = 50_000;
        for (workers, grain) in [(1, 64), (3, 2), (3, 1000)] {
            let grain = NonZeroUsize::new(grain).unwrap();
            let pool = BatchPool::with_grain(config(workers, 256), grain);
            let pool = pool.unwrap();
            let mut received = Vec::new();
            let sink = |it: manyhands_core::Completion<Work>| {
                received.push((it.id.get(), it.done().unwrap()));
            };
            pool.run_all((0..JOBS).map(brief), sink).unwrap();
            received.sort_unstable();
            assert!(received.into_iter().eq((0..JOBS).zip(0..JOBS)));
            assert_eq!(pool.unfinished(), Some(0));
        }
    });
}

#[test]
fn a_panic_in_a_row_is_one_completion_and_the_row_goes_on() {
    watchdog(|| {
        let grain = NonZeroUsize::new(64).unwrap();
        let pool = BatchPool::with_grain(config(2, 256), grain).unwrap();
        let jobs = (0..10_000u64).map(|number| {
            move || {
                if number % 100 == 7 {
                    resume_unwind(Box::new("on purpose"));
                }
            }
        });
        let (mut done, mut panicked) = (0, 0);
        pool.run_all(jobs, |it| match it.outcome.is_done() {
            true => done += 1,
            false => panicked += 1,
        })
        .unwrap();
        assert_eq!((done, panicked), (9_900, 100));
    });
}

#[test]
fn the_pool_is_hungry_while_a_worker_has_nothing_to_do() {
    watchdog(|| {
        let pool = BatchPool::new(config(2, 2)).unwrap();
        let until = |hungry| {
            while pool.is_hungry() != hungry {
                thread::yield_now();
            }
        };
        until(true);
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for _ in 0..2 {
            let gate = Arc::clone(&gate);
            pool.submit(move || gate.lock().unwrap().recv().is_err()).unwrap();
        }
        until(false);
        drop(open);
        until(true);
    });
}

#[test]
fn a_job_may_be_larger_than_a_cache_line() {
    struct Large([u64; 100]);
    impl Job for Large {
        type Output = [u64; 100];
        fn run(self) -> [u64; 100] {
            self.0.map(|it| it + 1)
        }
    }
    watchdog(|| {
        let pool = BatchPool::new(config(3, 64)).unwrap();
        let jobs = (0..10_000).map(|it| Large([it; 100]));
        pool.run_all(jobs, |it| {
            let expected = it.id.get() + 1;
            assert_eq!(it.done().unwrap(), [expected; 100]);
        })
        .unwrap();
    });
}

#[test]
fn spawned_closures_answer_their_handles_and_pile_up_nowhere() {
    watchdog(|| {
        let pool: BatchPool<Task<'static>> =
            BatchPool::builder().workers(2).build().unwrap();
        let handles: Vec<_> =
            (0..100u64).map(|n| pool.spawn(move || n * n).unwrap()).collect();
        let sum: u64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
        assert_eq!(sum, 328_350);
        pool.close();
        assert!(pool.recv().is_none(), "nothing is left to be read");
    });
}

#[test]
fn spawned_closures_of_a_cancelled_pool_tell_their_handles() {
    watchdog(|| {
        let pool: BatchPool<Task<'static>> =
            BatchPool::builder().workers(1).queue(64).build().unwrap();
        let (open, gate) = mpsc::channel::<()>();
        let (started, runs) = mpsc::channel();
        let first = pool.spawn(move || {
            started.send(()).unwrap();
            gate.recv().is_err()
        });
        runs.recv().unwrap();
        let others: Vec<_> =
            (0..20).map(|n| pool.spawn(move || n).unwrap()).collect();
        pool.cancel();
        for handle in others {
            assert!(handle.join().is_err(), "told while the worker is busy");
        }
        drop(open);
        assert!(first.unwrap().join().unwrap());
    });
}

#[test]
fn a_pool_that_its_own_job_drops_runs_what_it_accepted() {
    type Slot = Arc<Mutex<Option<BatchPool<Work>>>>;
    watchdog(|| {
        let pool = warm(config(2, 64));
        let slot: Slot = Arc::default();
        let inside = Arc::clone(&slot);
        let ran = Arc::new(AtomicUsize::new(0));
        let (done, wait) = mpsc::channel();
        let last: Work = Box::new(move || {
            // Until the pool lies in the slot.
            let pool = loop {
                if let Some(pool) = inside.lock().unwrap().take() {
                    break pool;
                }
                thread::yield_now();
            };
            drop(pool);
            done.send(()).unwrap();
            0
        });
        let others = (0..20).map(|number| -> Work {
            let ran = Arc::clone(&ran);
            Box::new(move || {
                ran.fetch_add(1, Ordering::SeqCst);
                number
            })
        });
        let mut jobs = [last].into_iter().chain(others).collect();
        hand_over(&pool, &mut jobs);
        *slot.lock().unwrap() = Some(pool);
        wait.recv().expect("the job ran to its end");
        // Its own worker runs what it still has after that.
        while ran.load(Ordering::SeqCst) < 20 {
            thread::yield_now();
        }
    });
}

#[test]
fn sizes_out_of_range_are_one_clear_line() {
    type Pool = BatchPool<fn()>;
    let line =
        |built: Result<Pool, BuildError>| built.unwrap_err().to_string();
    assert_eq!(
        line(Pool::builder().workers(0).build()),
        "workers is 0, allowed is 1 to 1024"
    );
    assert_eq!(
        line(Pool::builder().queue(usize::MAX).build()),
        format!("queue is {}, allowed is 0 to 1048576", usize::MAX)
    );
}
