//! What a job, a task or a hook may do to its own pool.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;

use manyhands::tokio::TaskPool;
use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, Job, WorkerPool};
use manyhands_managed::{ManagedPool, Stop, WhenFull};
use tokio::runtime::Runtime;

use crate::support::{Held, Work, over_each, pool};

/// A job that is a task.
struct Async(Pin<Box<dyn Future<Output = u32> + Send>>);

impl Async {
    fn new(work: impl Future<Output = u32> + Send + 'static) -> Self {
        Self(Box::pin(work))
    }
}

impl Job for Async {
    type Output = u32;

    fn run(self) -> u32 {
        unreachable!("a pool of tasks takes the other face");
    }
}

impl AsyncJob for Async {
    async fn run_async(self) -> u32 {
        self.0.await
    }
}

/// A pool of one task, and no place beside it.
fn tasks(runtime: &Runtime) -> Arc<ManagedPool<Async>> {
    let handle = runtime.handle().clone();
    let pool = ManagedPool::builder()
        .workers(1)
        .queue(0)
        .over_tasks(move |config| Ok(TaskPool::on(&handle, config)))
        .unwrap();
    Arc::new(pool)
}

#[test]
fn a_task_that_submits_to_its_own_full_pool_does_not_wait() {
    watchdog(|| {
        let runtime = Runtime::new().unwrap();
        let pool = tasks(&runtime);
        let inner = Arc::downgrade(&pool);
        let parent = Async::new(async move {
            let pool = inner.upgrade().unwrap();
            assert!(pool.try_reserve().unwrap_err().is_full());
            pool.submit_async(Async::new(async { 1 })).await.unwrap();
            let place = pool.reserve_async().await.unwrap();
            place.submit(Async::new(async { 2 })).unwrap();
            0
        });
        pool.submit(parent).unwrap();
        for answer in 0..3 {
            assert_eq!(pool.recv().unwrap().done(), Some(answer));
        }
    });
}

/// Its runtime drops it while it waits, and it has the last handle.
#[test]
fn a_task_that_owns_its_pool_may_be_dropped() {
    watchdog(|| {
        let runtime = Runtime::new().unwrap();
        let pool = tasks(&runtime);
        let (begin, begun) = channel();
        let owner = Arc::clone(&pool);
        let owns = Async::new(async move {
            begin.send(()).unwrap();
            pending::<()>().await;
            drop(owner);
            0
        });
        pool.submit(owns).unwrap();
        begun.recv().unwrap();
        drop(pool);
        drop(runtime);
    });
}

/// A pool of one worker, and what its hook does at a panic.
fn with_hook(
    hook: impl Fn(&ManagedPool<Work>) + Send + Sync + 'static,
) -> Arc<ManagedPool<Work>> {
    let itself: Arc<OnceLock<Weak<_>>> = Arc::default();
    let inner = Arc::clone(&itself);
    let pool = Arc::new(pool(1, 0, |builder| {
        builder.on_panic(move |_, _| {
            hook(&inner.get().unwrap().upgrade().unwrap());
        })
    }));
    itself.set(Arc::downgrade(&pool)).unwrap();
    pool
}

/// The job that panicked has still its place.
#[test]
fn a_hook_that_submits_to_its_own_full_pool_does_not_wait() {
    watchdog(|| {
        let pool = with_hook(|pool| {
            pool.submit(Work::says(1)).unwrap();
        });
        pool.submit(Work::new(|| panic!("once more"))).unwrap();
        assert!(pool.recv().unwrap().outcome.is_panicked());
        assert_eq!(pool.recv().unwrap().done(), Some(Ok(1)));
    });
}

#[test]
fn a_hook_that_stops_its_own_pool_does_not_wait_for_itself() {
    watchdog(|| {
        let (tell, told) = channel();
        let pool = with_hook(move |pool| {
            tell.send(pool.stop(Stop::Drain).abandoned).unwrap();
        });
        pool.submit(Work::new(|| panic!("the end"))).unwrap();
        assert!(pool.recv().unwrap().outcome.is_panicked());
        assert_eq!(told.recv().unwrap(), 1);
        assert!(pool.recv().is_none());
    });
}

/// A job that has the last handle of its pool, and drops it when it is let
/// go. Says so then.
fn owner(pool: &Arc<ManagedPool<Work>>) -> (Work, Sender<()>, Receiver<()>) {
    let pool = Arc::clone(pool);
    let (go, gone) = channel();
    let (tell, told) = channel();
    let work = Work::new(move || {
        gone.recv().unwrap();
        drop(pool);
        tell.send(()).unwrap();
        Ok(0)
    });
    (work, go, told)
}

#[test]
fn a_job_that_drops_its_pool_does_not_wait_for_one_on_a_pool_before() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(2).queue(4),
            |pool| {
                let pool = Arc::new(pool);
                let (work, held) = Held::work(1);
                pool.submit(work).unwrap();
                held.wait_until_started();
                pool.resize(3).unwrap();
                let (work, go, dropped) = owner(&pool);
                pool.submit(work).unwrap();
                drop(pool);
                go.send(()).unwrap();
                dropped.recv().unwrap();
                held.let_go();
            },
        );
    });
}

#[test]
fn what_was_accepted_runs_though_a_job_drops_the_pool_after_a_resize() {
    watchdog(|| {
        over_each(
            |builder| builder.workers(2).queue(4),
            |pool| {
                let pool = Arc::new(pool);
                let (work, go, _dropped) = owner(&pool);
                pool.submit(work).unwrap();
                while pool.snapshot().running == 0 {
                    thread::yield_now();
                }
                // Nothing runs on the new one as long as the owner does.
                pool.resize(1).unwrap();
                let (tell, told) = channel();
                for n in 0..3 {
                    let tell = tell.clone();
                    let work = Work::new(move || {
                        tell.send(n).unwrap();
                        Ok(n)
                    });
                    pool.submit(work).unwrap();
                }
                drop((pool, tell));
                go.send(()).unwrap();
                assert_eq!(told.iter().sum::<u32>(), 3);
            },
        );
    });
}

#[test]
fn a_job_is_inside_its_pool_also_after_it_ran_one_of_another() {
    watchdog(|| {
        let outer = Arc::new(pool(1, 0, |builder| builder));
        let other = pool(1, 0, |builder| builder);
        let (work, held) = Held::work(1);
        other.submit(work).unwrap();
        held.wait_until_started();
        let inner = Arc::downgrade(&outer);
        let parent = Work::new(move || {
            other.offer(Work::says(2), WhenFull::CallerRuns).unwrap();
            held.let_go();
            inner.upgrade().unwrap().submit(Work::says(3)).unwrap();
            Ok(0)
        });
        outer.submit(parent).unwrap();
        assert_eq!(outer.recv().unwrap().done(), Some(Ok(0)));
        assert_eq!(outer.recv().unwrap().done(), Some(Ok(3)));
    });
}
