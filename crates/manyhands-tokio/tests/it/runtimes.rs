//! Inside and outside of runtimes, the pool's own and others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{Config, Outcome, Panic, TrySubmitError, WorkerPool};
use tokio::runtime::Handle;
use tokio::task::LocalSet;

use crate::{
    current_thread, for_both_pools, multi_thread, waits, work, workers,
};

/// More than the budget of operations after which tokio makes a task yield.
const MANY: u32 = 1000;

for_both_pools! {
    fn the_traits_methods_work_outside_of_any_runtime() {
        let pool = Pool::new(workers(2)).unwrap();
        for n in 0..MANY {
            pool.submit(work(async move { n })).unwrap();
        }
        pool.close();
        let sum: u32 = std::iter::from_fn(|| pool.recv())
            .filter_map(|completion| completion.done())
            .sum();
        assert_eq!(sum, (0..MANY).sum());
    }

    fn the_traits_methods_work_within_a_current_thread_runtime() {
        current_thread().block_on(async {
            let pool = Pool::new(workers(1)).unwrap();
            for n in 0..MANY {
                pool.submit(work(async move { n })).unwrap();
            }
            for _ in 0..MANY {
                pool.recv().unwrap();
            }
        });
    }

    fn the_traits_methods_work_within_a_multi_thread_runtime() {
        let runtime = multi_thread(1);
        let task = runtime.spawn(async {
            let pool = Pool::new(workers(1)).unwrap();
            for n in 0..MANY {
                pool.submit(work(async move { n })).unwrap();
            }
            for _ in 0..MANY {
                pool.recv().unwrap();
            }
        });
        runtime.block_on(task).unwrap();
    }

    fn the_async_methods_work_within_any_runtime() {
        for runtime in [current_thread(), multi_thread(1)] {
            runtime.block_on(async {
                let pool = Pool::new(workers(2)).unwrap();
                for n in 0..MANY {
                    pool.submit_async(work(async move { n })).await.unwrap();
                }
                pool.close();
                let mut sum = 0;
                while let Some(completion) = pool.recv_async().await {
                    sum += completion.done().unwrap();
                }
                assert_eq!(sum, (0..MANY).sum());
                assert!(pool.recv_async().await.is_none());
            });
        }
    }

    fn the_async_methods_work_without_tokio() {
        let pool = Pool::new(workers(1)).unwrap();
        let ids = block_on_plainly(async {
            let mut ids = Vec::new();
            for n in 0..10 {
                let job = work(async move { n });
                ids.push(pool.submit_async(job).await.unwrap().get());
                assert_eq!(pool.recv_async().await.unwrap().done(), Some(n));
            }
            ids
        });
        assert!(ids.into_iter().eq(0..10));
    }

    fn a_job_may_use_its_own_pool_while_it_has_room() {
        let pool = Arc::new(Pool::new(workers(2)).unwrap());
        let inner = Arc::clone(&pool);
        let (told, tells) = std::sync::mpsc::channel();
        let outer = work(async move {
            inner.submit(work(async { 1 })).unwrap();
            // This blocks a thread of the pool's own. The other job was about
            // to run on it, and has to run on another.
            told.send(inner.recv().unwrap().done()).unwrap();
            2
        });
        pool.submit(outer).unwrap();
        assert_eq!(tells.recv().unwrap(), Some(1));
        assert_eq!(pool.recv().unwrap().done(), Some(2));
    }

    fn a_callers_runtime_runs_the_jobs() {
        for runtime in [current_thread(), multi_thread(1)] {
            let id = runtime.handle().id();
            let there = runtime.block_on(async {
                let pool = Pool::on(&Handle::current(), workers(1));
                for _ in 0..MANY {
                    let job = work(async { Handle::current().id() });
                    pool.submit_async(job).await.unwrap();
                }
                pool.recv_async().await.unwrap().done().unwrap()
            });
            assert_eq!(there, id);
        }
    }

    fn on_a_callers_only_thread_the_traits_methods_make_room_to_wait() {
        let runtime = multi_thread(1);
        let task = runtime.spawn(async {
            let pool = Pool::on(&Handle::current(), workers(1));
            for n in 0..10 {
                pool.submit(work(async move { n })).unwrap();
            }
            pool.close();
            std::iter::from_fn(|| pool.recv()).count()
        });
        assert_eq!(runtime.block_on(task).unwrap(), 10);
    }

    fn on_a_current_thread_runtime_they_panic_instead_of_waiting() {
        let runtime = current_thread();
        runtime.block_on(async {
            let pool = Pool::on(&Handle::current(), workers(1));
            let (release, job) = waits(1);
            pool.submit(job).unwrap();
            let refused = pool.try_submit(work(async { 2 }));
            assert!(refused.unwrap_err().is_full());

            for wait in [
                &mut || drop(pool.submit(work(async { 3 }))) as _,
                &mut || drop(pool.recv()) as _,
            ] as [&mut dyn FnMut(); 2]
            {
                let result = catch_unwind(AssertUnwindSafe(wait));
                let panic = Panic::new(result.unwrap_err());
                let message = panic.message();
                assert!(message.contains("within a runtime"), "{message}");
            }

            release.send(()).unwrap();
            assert_eq!(pool.recv_async().await.unwrap().done(), Some(1));
            pool.submit(work(async { 4 })).unwrap();
            assert_eq!(pool.recv_async().await.unwrap().done(), Some(4));
        });
    }

    fn in_a_local_set_on_it_they_panic_instead_of_waiting() {
        let runtime = multi_thread(1);
        let local = LocalSet::new();
        let result = runtime.block_on(local.run_until(async {
            let pool = Pool::on(&Handle::current(), workers(1));
            let task = tokio::task::spawn_local(async move {
                let (_release, job) = waits(1);
                pool.submit(job).unwrap();
                pool.submit(work(async { 2 })).is_ok()
            });
            task.await
        }));
        assert!(result.unwrap_err().is_panic());
    }

    fn beside_a_current_thread_runtime_they_wait_for_it() {
        let runtime = current_thread();
        let pool = Arc::new(Pool::on(runtime.handle(), workers(1)));
        let (finished, over) = tokio::sync::oneshot::channel();
        let submitter = Arc::clone(&pool);
        let beside = thread::spawn(move || {
            for n in 0..10 {
                submitter.submit(work(async move { n })).unwrap();
            }
            submitter.close();
            let count = std::iter::from_fn(|| submitter.recv()).count();
            finished.send(count).unwrap();
        });
        assert_eq!(runtime.block_on(over).unwrap(), 10);
        beside.join().unwrap();
    }

    fn on_its_blocking_threads_they_wait_for_it_as_well() {
        let runtime = current_thread();
        let count = runtime.block_on(async {
            let pool = Pool::on(&Handle::current(), workers(1));
            let work = move || {
                for n in 0..10 {
                    pool.submit(work(async move { n })).unwrap();
                }
                pool.close();
                std::iter::from_fn(|| pool.recv()).count()
            };
            tokio::task::spawn_blocking(work).await.unwrap()
        });
        assert_eq!(count, 10);
    }

    fn a_pool_with_its_own_runtime_works_within_a_local_set() {
        multi_thread(1).block_on(LocalSet::new().run_until(async {
            let pool = Pool::new(workers(1)).unwrap();
            for n in 0..10 {
                pool.submit(work(async move { n })).unwrap();
                pool.recv().unwrap();
            }
        }));
    }

    fn a_runtime_that_is_shut_down_settles_every_job_and_closes_the_pool() {
        let runtime = multi_thread(1);
        let pool = Pool::on(runtime.handle(), workers(2));
        let (started, start) = std::sync::mpsc::channel();
        for _ in 0..2 {
            let started = started.clone();
            let job = work(async move {
                started.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            pool.submit(job).unwrap();
        }
        for _ in 0..2 {
            start.recv().unwrap();
        }
        let waiting = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                pool.submit(work(async {}))
                    .map_err(|closed| drop(closed.into_inner()))
            });
            drop(runtime);
            waiting.join().unwrap()
        });
        // The one that waited came too late, or to a runtime that was going
        // or gone; then it may come back before the others.
        let (mut lost, mut cancelled) = (0, 0);
        while let Some(completion) = pool.recv() {
            match completion.outcome {
                Outcome::Panicked(panic) => {
                    lost += 1;
                    assert_eq!(
                        panic.message(),
                        "the runtime was shut down while the job ran"
                    );
                }
                Outcome::Cancelled(_) => cancelled += 1,
                Outcome::Done(()) => panic!("none ends by itself"),
            }
        }
        assert_eq!(lost, 2);
        assert_eq!(cancelled, usize::from(waiting.is_ok()));
        assert!(pool.recv().is_none());
        let refused = pool.try_submit(work(async {})).unwrap_err();
        assert!(matches!(refused, TrySubmitError::Closed(_)));
    }
}

#[test]
fn jobs_that_a_runtime_never_started_come_back() {
    watchdog(|| {
        let runtime = current_thread();
        let config = Config::new(1, 4).unwrap();
        let pool = manyhands_tokio::TaskPool::on(runtime.handle(), config);
        for n in 0..4 {
            pool.submit(work(async move { n })).unwrap();
        }
        drop(runtime);
        for n in 0..4 {
            let completion = pool.recv().unwrap();
            assert_eq!(completion.id.get(), n);
            assert!(completion.outcome.is_cancelled());
        }
        assert!(pool.recv().is_none());
        assert!(pool.submit(work(async { 5 })).is_err());
    });
}

#[test]
fn tasks_that_a_runtime_never_started_come_back() {
    watchdog(|| {
        let runtime = current_thread();
        let pool =
            manyhands_tokio::JoinSetPool::on(runtime.handle(), workers(4));
        for n in 0..4 {
            pool.submit(work(async move { n })).unwrap();
        }
        drop(runtime);
        for _ in 0..4 {
            assert!(pool.recv().unwrap().outcome.is_cancelled());
        }
        assert!(pool.recv().is_none());
        assert!(pool.submit(work(async { 5 })).is_err());
    });
}

/// Another runtime than tokio: the plainest there is.
fn block_on_plainly<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => thread::park(),
        }
    }
}
