//! What `ChannelPool` promises beyond the laws.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use manyhands_channel::ChannelPool;
use manyhands_conformance::watchdog;
use manyhands_core::{
    BuildError, Config, Outcome, Spawn, Task, WorkerPool, WorkerPoolExt,
};

#[test]
fn jobs_start_in_the_order_of_their_ids() {
    watchdog(|| {
        let pool = ChannelPool::builder().workers(1).build().unwrap();
        let started = Arc::new(Mutex::new(Vec::new()));
        for n in 0..100 {
            let started = Arc::clone(&started);
            let job = move || started.lock().unwrap().push(n);
            assert_eq!(pool.submit(job).unwrap().get(), n);
        }
        pool.close();
        assert_eq!(pool.completions().count(), 100);
        assert_eq!(*started.lock().unwrap(), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn sizes_out_of_range_are_one_clear_line() {
    watchdog(|| {
        type Pool = ChannelPool<fn()>;
        let line =
            |built: Result<Pool, BuildError>| built.unwrap_err().to_string();
        assert_eq!(
            line(Pool::builder().workers(0).build()),
            "workers is 0, allowed is 1 to 1024"
        );
        assert_eq!(
            line(Pool::builder().workers(1025).build()),
            "workers is 1025, allowed is 1 to 1024"
        );
        assert_eq!(
            line(Pool::builder().queue(usize::MAX).build()),
            format!("queue is {}, allowed is 0 to 1048576", usize::MAX)
        );
    });
}

#[test]
fn a_scoped_pool_runs_what_was_accepted_before_it_returns() {
    watchdog(|| {
        let ran = AtomicUsize::new(0);
        let config = Config::new(3, 4).unwrap();
        let job = || {
            ran.fetch_add(1, Ordering::SeqCst);
        };
        let accepted = ChannelPool::scope(config, |pool| {
            (0..50).filter(|_| pool.submit(job).is_ok()).count()
        });
        assert_eq!(accepted, 50);
        assert_eq!(ran.into_inner(), 50);
    });
}

#[test]
fn a_scoped_pool_survives_panicking_jobs() {
    watchdog(|| {
        let outcomes = ChannelPool::scope(Config::default(), |pool| {
            let jobs = (0..10).map(|n| {
                move || {
                    if n % 2 == 0 {
                        std::panic::resume_unwind(Box::new(n));
                    }
                }
            });
            pool.map_ordered(jobs).map(|o| o.is_done()).collect::<Vec<_>>()
        });
        assert_eq!(outcomes, [false, true].repeat(5));
    });
}

#[test]
fn a_pool_may_be_dropped_by_a_job_of_its_own() {
    watchdog(|| {
        type Pool = ChannelPool<Box<dyn FnOnce() + Send>>;
        type Slot = Arc<Mutex<Option<Pool>>>;
        let pool = Pool::builder().workers(2).build().unwrap();
        let slot: Slot = Arc::default();
        let (done, wait) = mpsc::channel();
        let inside = Arc::clone(&slot);
        pool.submit(Box::new(move || {
            // Until the pool lies in the slot.
            let pool = loop {
                if let Some(pool) = inside.lock().unwrap().take() {
                    break pool;
                }
                std::thread::yield_now();
            };
            drop(pool);
            done.send(()).unwrap();
        }))
        .unwrap();
        *slot.lock().unwrap() = Some(pool);
        wait.recv().expect("the job ran to its end");
    });
}

#[test]
fn spawned_closures_answer_their_handles_and_pile_up_nowhere() {
    watchdog(|| {
        let pool: ChannelPool<Task<'static>> =
            ChannelPool::builder().workers(2).build().unwrap();
        let handles: Vec<_> =
            (0..100u64).map(|n| pool.spawn(move || n * n).unwrap()).collect();
        let sum: u64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
        assert_eq!(sum, 328_350);
        pool.close();
        assert!(pool.recv().is_none(), "nothing is left to be read");
    });
}

#[test]
fn a_cancelled_pool_gives_its_queue_back_in_order() {
    watchdog(|| {
        let pool = ChannelPool::builder().workers(1).queue(8).build().unwrap();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let (started, first_runs) = mpsc::channel();
        for n in 0..9 {
            let (gate, started) = (Arc::clone(&gate), started.clone());
            pool.submit(move || {
                started.send(n).unwrap();
                let _ = gate.lock().unwrap().recv();
            })
            .unwrap();
        }
        assert_eq!(first_runs.recv(), Ok(0));
        pool.cancel();
        drop(open);
        let outcomes: Vec<_> = pool.completions().collect();
        assert!(matches!(outcomes[0].outcome, Outcome::Done(())));
        let rest: Vec<_> = outcomes[1..]
            .iter()
            .filter(|c| c.outcome.is_cancelled())
            .map(|c| c.id.get())
            .collect();
        assert_eq!(rest, (1..9).collect::<Vec<_>>());
    });
}
