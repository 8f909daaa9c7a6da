//! What a job may be.

use std::panic::{panic_any, resume_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{
    Config, InlinePool, Job, JobError, Outcome, Spawn, Task, WorkerPool,
    WorkerPoolExt,
};
use manyhands_tokio::{Async, Blocking, TaskPool};
use tokio::runtime::Handle;

use crate::{current_thread, for_both_pools, waits, work, workers};

for_both_pools! {
    fn recv_many_takes_what_there_is_up_to_max() {
        let pool = Pool::new(workers(1)).unwrap();
        for n in 0..5 {
            pool.submit(work(async move { n })).unwrap();
        }
        pool.close();
        // There was a place for the last, so the first three can be read.
        let mut into = Vec::new();
        assert_eq!(pool.recv_many(&mut into, 0), 0);
        assert_eq!(pool.recv_many(&mut into, 2), 2);
        let rest = || Some(pool.recv_many(&mut into, 9)).filter(|n| *n > 0);
        assert_eq!(std::iter::from_fn(rest).sum::<usize>(), 3);
        let read = into.into_iter().filter_map(|c| c.done());
        assert!(read.eq(0..5));
    }

    fn a_hundred_jobs_wait_at_once_on_as_many_threads_as_cores() {
        let pool = Pool::new(workers(100)).unwrap();
        // Opens only when all hundred wait at it.
        let meeting = Arc::new(tokio::sync::Barrier::new(100));
        for _ in 0..100 {
            let meeting = Arc::clone(&meeting);
            let job = work(async move {
                meeting.wait().await;
                Handle::current().metrics().num_workers()
            });
            pool.submit(job).unwrap();
        }
        pool.close();
        let threads: Vec<_> =
            pool.completions().filter_map(|c| c.done()).collect();
        let cores = thread::available_parallelism().unwrap().get();
        assert_eq!(threads, [cores.min(100); 100]);
    }

    fn jobs_have_timers() {
        let pool = Pool::new(workers(3)).unwrap();
        for n in 0..3 {
            pool.submit(work(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                n
            }))
            .unwrap();
        }
        pool.close();
        let sum: i32 = pool.completions().filter_map(|c| c.done()).sum();
        assert_eq!(sum, 3);
    }

    fn as_many_blocking_jobs_as_workers_block_at_once() {
        let many = 2 * thread::available_parallelism().unwrap().get() + 1;
        let pool = Pool::new(workers(many)).unwrap();
        // Opens only when all of them block at it.
        let meeting = Arc::new(Barrier::new(many));
        for _ in 0..many {
            let meeting = Arc::clone(&meeting);
            pool.submit(Blocking(move || meeting.wait().is_leader())).unwrap();
        }
        pool.close();
        assert_eq!(pool.completions().count(), many);
    }

    fn blocking_jobs_leave_the_tasks_alone() {
        enum Either<A, B> {
            Waits(A),
            Blocks(B),
        }
        impl<A: Job<Output = u32>, B: Job<Output = u32>> Job for Either<A, B> {
            type Output = u32;
            fn run(self) -> u32 {
                match self {
                    Self::Waits(job) => job.run(),
                    Self::Blocks(job) => job.run(),
                }
            }
        }
        impl<A, B> manyhands_tokio::AsyncJob for Either<A, B>
        where
            A: manyhands_tokio::AsyncJob<Output = u32>,
            B: manyhands_tokio::AsyncJob<Output = u32>,
        {
            async fn run_async(self) -> u32 {
                match self {
                    Self::Waits(job) => job.run_async().await,
                    Self::Blocks(job) => job.run_async().await,
                }
            }
        }
        let cores = thread::available_parallelism().unwrap().get();
        let pool = Pool::new(workers(cores + 1)).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        for _ in 0..cores {
            let gate = Arc::clone(&gate);
            let blocks = Blocking(move || {
                let _ = gate.lock().unwrap().recv();
                1
            });
            pool.submit(Either::Blocks(blocks)).unwrap();
        }
        pool.submit(Either::Waits(work(async { 2 }))).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(2));
        drop(release);
        for _ in 0..cores {
            assert_eq!(pool.recv().unwrap().done(), Some(1));
        }
    }

    fn a_blocking_jobs_panic_is_told_with_its_message() {
        let pool = Pool::new(workers(1)).unwrap();
        for (says, message) in [
            (Some("no such file"), "no such file"),
            (None, "non-string panic"),
        ] {
            let throw = Blocking(move || match says {
                Some(message) => resume_unwind(Box::new(message)),
                None => resume_unwind(Box::new(42)),
            });
            pool.submit(throw).unwrap();
            let Outcome::Panicked(panic) = pool.recv().unwrap().outcome else {
                panic!("it panicked")
            };
            assert_eq!(panic.message(), message);
        }
    }

    fn a_panicking_future_is_one_completion() {
        let pool = Pool::new(workers(2)).unwrap();
        for n in 0..10 {
            let job = work(async move {
                tokio::task::yield_now().await;
                resume_unwind(Box::new(format!("job {n}")));
            });
            pool.submit(job).unwrap();
        }
        pool.close();
        for completion in pool.completions() {
            let Outcome::Panicked(panic) = completion.outcome else {
                panic!("it panicked")
            };
            assert_eq!(panic.message(), completion.id.to_string());
        }
        assert!(pool.recv().is_none());
    }

    fn a_future_whose_drop_panics_is_contained() {
        struct Hostile;
        impl Drop for Hostile {
            fn drop(&mut self) {
                panic_any("not today");
            }
        }
        let pool = Pool::new(workers(1)).unwrap();
        for _ in 0..3 {
            let hostile = Hostile;
            let job = work(async move {
                let _captured = hostile;
                std::future::poll_fn(|_| std::task::Poll::Ready(())).await;
                std::future::ready(1).await
            });
            pool.submit(job).unwrap();
            assert!(pool.recv().unwrap().outcome.is_panicked());
        }
        let (release, job) = waits(2);
        release.send(()).unwrap();
        pool.submit(job).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(2));
    }

    fn spawned_closures_answer_their_handles() {
        let pool = Pool::<Blocking<Task<'static>>>::new(workers(2)).unwrap();
        let handles: Vec<_> =
            (0..20).map(|n| pool.spawn(move || n * 2).unwrap()).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n * 2);
        }
        let refused: Result<i32, _> =
            pool.spawn(|| resume_unwind(Box::new("oh"))).unwrap().join();
        assert!(matches!(
            refused,
            Err(JobError::Panicked(panic)) if panic.message() == "oh"
        ));
        // Nothing piled up for a reader.
        pool.close();
        assert!(pool.recv().is_none());
    }

    fn after_cancel_handles_say_so_and_nothing_is_left_to_receive() {
        // Nobody runs the runtime, so that no job has started.
        let runtime = current_thread();
        let pool = Pool::<Task<'static>>::on(runtime.handle(), workers(3));
        let handles: Vec<_> =
            (0..3).map(|n| pool.spawn(move || n).unwrap()).collect();
        pool.cancel();
        let Err(refused) = pool.spawn(|| 4) else { panic!("it is closed") };
        assert_eq!((refused.into_inner())(), 4);
        runtime.block_on(async {
            for handle in handles {
                let answer = handle.await;
                assert!(matches!(answer, Err(JobError::Cancelled)));
            }
            assert!(pool.recv_async().await.is_none());
        });
        assert!(pool.recv().is_none());
    }

    fn a_handle_can_be_awaited() {
        let pool = Pool::<Task<'static>>::new(workers(1)).unwrap();
        let answer = pool.spawn(|| 6 * 7).unwrap();
        assert_eq!(current_thread().block_on(answer).unwrap(), 42);
    }
}

#[test]
fn a_cancelled_blocking_job_comes_back_with_the_job_inside() {
    watchdog(|| {
        let config = Config::new(1, 1).unwrap();
        let pool = TaskPool::new(config).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel();
        type Work = Box<dyn FnOnce() -> u32 + Send>;
        let job: Work = Box::new(move || {
            started.send(()).unwrap();
            gate.recv().map_or(1, |()| 0)
        });
        pool.submit(Blocking(job)).unwrap();
        starts.recv().unwrap();
        pool.submit(Blocking(Box::new(|| 2_u32) as Work)).unwrap();
        pool.cancel();
        drop(release);
        assert_eq!(pool.recv().unwrap().done(), Some(1));
        let Outcome::Cancelled(Blocking(job)) = pool.recv().unwrap().outcome
        else {
            panic!("it had not started")
        };
        assert_eq!(job(), 2);
        assert!(pool.recv().is_none());
    });
}

#[test]
fn an_async_closure_runs_on_a_thread_too() {
    let job = || {
        Async(async || {
            tokio::time::sleep(Duration::from_millis(1)).await;
            6 * 7
        })
    };
    watchdog(move || {
        assert_eq!(job().run(), 42);
        current_thread().block_on(async { assert_eq!(job().run(), 42) });

        let pool = InlinePool::new();
        pool.submit(job()).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(42));
        let throws = Async(async || resume_unwind(Box::new("oh")));
        let pool = InlinePool::new();
        current_thread().block_on(async {
            pool.submit(throws).unwrap();
        });
        let Outcome::Panicked(panic) = pool.recv().unwrap().outcome else {
            panic!("it panicked")
        };
        assert_eq!(panic.message(), "oh");
    });
}
