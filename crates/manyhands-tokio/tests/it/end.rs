//! Where and how a pool may be dropped.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use manyhands_core::{AsyncJob, Config, Job, WorkerPool};
use manyhands_tokio::Blocking;
use tokio::runtime::Handle;
use tokio::task::LocalSet;

use crate::{
    Work, current_thread, for_both_pools, multi_thread, waits, work, workers,
};

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

/// A pool with jobs under way, some of which wait for others, and what tells
/// whether all of it has ended.
struct Busy<P> {
    pool: P,
    ran: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl<P: WorkerPool<Work<()>>> Busy<P> {
    const JOBS: usize = 20;

    fn new(pool: P) -> Self {
        let [ran, ended] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        // The first job leaves a mark on its thread.
        let mark = Arc::clone(&ended);
        let job = work(async move {
            let farewell = Farewell(mark);
            FAREWELL.with(|slot| slot.borrow_mut().replace(farewell));
        });
        pool.submit(job).unwrap();
        for _ in 0..Self::JOBS {
            let ran = Arc::clone(&ran);
            let job = work(async move {
                tokio::task::yield_now().await;
                ran.fetch_add(1, Ordering::SeqCst);
            });
            pool.submit(job).unwrap();
        }
        Self { pool, ran, ended }
    }

    /// Drops the pool here, and checks that this was the end of it.
    fn drop_here(self) {
        let Self { pool, ran, ended } = self;
        drop(pool);
        assert_eq!(ran.load(Ordering::SeqCst), Self::JOBS, "jobs ran");
        assert_eq!(ended.load(Ordering::SeqCst), 1, "the thread has ended");
    }
}

for_both_pools! {
    fn drop_waits_outside_of_any_runtime() {
        Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
    }

    fn drop_waits_within_any_runtime() {
        for runtime in [current_thread(), multi_thread(1)] {
            runtime.block_on(async {
                Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
            });
            let task = runtime.spawn(async {
                Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
            });
            runtime.block_on(task).unwrap();
            let blocking = runtime.spawn_blocking(|| {
                Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
            });
            runtime.block_on(blocking).unwrap();
            runtime.block_on(LocalSet::new().run_until(async {
                Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
            }));
            let _entered = runtime.enter();
            Busy::new(Pool::new(workers(2)).unwrap()).drop_here();
        }
    }

    fn drop_waits_while_unwinding() {
        for runtime in [current_thread(), multi_thread(1)] {
            let busy = Busy::new(Pool::new(workers(2)).unwrap());
            let (ran, ended) = (busy.ran.clone(), busy.ended.clone());
            let task = runtime.spawn(async {
                let _pool = busy.pool;
                resume_unwind(Box::new("unwinding"));
            });
            runtime.block_on(task).unwrap_err();
            assert_eq!(ran.load(Ordering::SeqCst), 20);
            assert_eq!(ended.load(Ordering::SeqCst), 1);
        }
    }

    fn drop_waits_for_a_callers_runtime_from_outside() {
        let runtime = multi_thread(1);
        let busy = Busy::new(Pool::on(runtime.handle(), workers(2)));
        let (ran, ended) = (busy.ran.clone(), busy.ended.clone());
        drop(busy.pool);
        assert_eq!(ran.load(Ordering::SeqCst), 20);
        // The runtime is not the pool's to end.
        assert_eq!(ended.load(Ordering::SeqCst), 0);
    }

    fn on_a_callers_runtime_drop_leaves_the_jobs_to_it() {
        for runtime in [current_thread(), multi_thread(1)] {
            let (release, job) = waits(());
            let (finished, over) = mpsc::channel();
            runtime.block_on(async {
                let pool = Pool::on(&Handle::current(), workers(2));
                pool.submit(work(async move {
                    job.run_async().await;
                    finished.send(()).unwrap();
                }))
                .unwrap();
                drop(pool);
                // Had it waited, this would not have been reached.
                release.send(()).unwrap();
                while over.try_recv().is_err() {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    fn drop_does_not_wait_for_a_runtime_that_nobody_runs() {
        let runtime = current_thread();
        let (ran, runs) = mpsc::channel();
        let pool = Pool::on(runtime.handle(), workers(1));
        pool.submit(work(async move { ran.send(()).unwrap() })).unwrap();
        drop(pool);
        assert!(runs.try_recv().is_err());
        runtime.block_on(async {
            while runs.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
        });
    }

    fn a_job_may_drop_its_own_pool_and_what_was_accepted_still_runs() {
        for size in [1, 3] {
            let pool = Pool::new(Config::new(size, 0).unwrap()).unwrap();
            own_job_drops(pool, |job| work(async { job() }));
        }
    }

    fn a_blocking_job_may_drop_its_own_pool() {
        for size in [1, 3] {
            let pool = Pool::new(Config::new(size, 0).unwrap()).unwrap();
            own_job_drops(pool, Blocking);
        }
    }

    fn a_job_may_drop_its_own_pool_on_a_callers_runtime() {
        let runtime = multi_thread(1);
        let pool = Pool::on(runtime.handle(), workers(2));
        own_job_drops(pool, |job| work(async { job() }));
        let pool = Pool::on(runtime.handle(), workers(2));
        own_job_drops(pool, Blocking);
    }

    fn a_task_that_a_job_left_behind_may_drop_the_pool() {
        let pool = Arc::new(Pool::new(workers(1)).unwrap());
        let (release, gate) = tokio::sync::oneshot::channel::<()>();
        let (dropped, drops) = mpsc::channel();
        let owner = Arc::clone(&pool);
        pool.submit(work(async move {
            tokio::spawn(async move {
                gate.await.unwrap();
                drop(owner);
                dropped.send(()).unwrap();
            });
        }))
        .unwrap();
        pool.recv().unwrap();
        drop(pool);
        release.send(()).unwrap();
        drops.recv().unwrap();
    }

    fn drop_contains_the_drops_of_what_nobody_read() {
        struct Hostile;
        impl Drop for Hostile {
            fn drop(&mut self) {
                resume_unwind(Box::new("not today"));
            }
        }
        let pool = Pool::new(workers(1)).unwrap();
        for _ in 0..3 {
            pool.submit(work(async { Hostile })).unwrap();
        }
        let result = catch_unwind(AssertUnwindSafe(|| drop(pool)));
        assert!(result.is_ok());
    }
}

/// The first job drops the pool once as many others as there is room for were
/// accepted; they run all the same.
fn own_job_drops<J, P>(pool: P, job: impl Fn(Box<dyn FnOnce() + Send>) -> J)
where
    J: Job,
    P: WorkerPool<J> + 'static,
{
    let others = pool.bound().get() - 1;
    let pool = Arc::new(Mutex::new(Some(pool)));
    let (ran, runs) = mpsc::channel();

    let guard = pool.lock().unwrap();
    let open = guard.as_ref().unwrap();
    let owner = Arc::clone(&pool);
    let dropped = ran.clone();
    open.submit(job(Box::new(move || {
        let pool = owner.lock().unwrap().take();
        drop(pool);
        dropped.send("dropped").unwrap();
    })))
    .map_err(|_closed| "closed")
    .unwrap();
    for _ in 0..others {
        let ran = ran.clone();
        open.submit(job(Box::new(move || ran.send("ran").unwrap())))
            .map_err(|_closed| "closed")
            .unwrap();
    }
    drop((guard, ran));

    let mut seen: Vec<_> =
        (0..=others).map(|_| runs.recv().unwrap()).collect();
    seen.sort();
    assert_eq!(seen[0], "dropped");
    assert!(seen[1..].iter().all(|&seen| seen == "ran"));
}
