//! Closures on every pool that takes them: alone, in groups, as an iterator's
//! map, with a state for each worker. (The error group takes jobs that return
//! a `Result`, which a closure with a handle does not.)
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::panic::resume_unwind;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use manyhands::tokio::Blocking;
use manyhands::{
    Config, GroupError, Job, PerWorker, PoolIterator, Spawn, Task, TaskGroup,
    WorkerPool, batch, channel, dispatcher, rayon, semaphore, tokio,
    waitgroup,
};
use manyhands_conformance::watchdog;

const WORKERS: usize = 3;

/// Each test for each pool.
macro_rules! on_every_pool {
    ($($test:ident)*) => {$(
        mod $test {
            use super::*;

            #[test]
            fn channel() {
                type Pool = channel::ChannelPool<Task<'static>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn waitgroup() {
                type Pool = waitgroup::WaitGroupPool<Task<'static>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn dispatcher() {
                type Pool = dispatcher::DispatcherPool<Task<'static>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn batch() {
                type Pool = batch::BatchPool<Task<'static>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn rayon() {
                type Pool = rayon::RayonPool<Task<'static>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn tokio_workers() {
                type Pool = tokio::TaskPool<Blocking<Task<'static>>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn tokio_tasks() {
                type Pool = tokio::JoinSetPool<Blocking<Task<'static>>>;
                super::$test(|config| Pool::new(config).unwrap());
            }

            #[test]
            fn semaphore() {
                type Pool = semaphore::SemaphorePool<Task<'static>>;
                super::$test(Pool::new);
            }
        }
    )*};
}

on_every_pool! {
    groups_share_a_pool_and_each_has_its_own
    maps_share_a_pool_and_each_has_its_own
    a_state_stays_with_its_thread_and_ends_with_the_pool
}

fn config() -> Config {
    Config::new(WORKERS, 5).unwrap()
}

fn groups_share_a_pool_and_each_has_its_own<P, J>(
    make: impl FnOnce(Config) -> P + Send + 'static,
) where
    P: WorkerPool<J>,
    J: Job + From<Task<'static>>,
{
    watchdog(|| {
        let pool = make(config());
        thread::scope(|scope| {
            // One fewer than workers: each may hold one that waits.
            for request in 0..WORKERS as u32 - 1 {
                let pool = &pool;
                scope.spawn(move || {
                    for _ in 0..20 {
                        sums(pool, request);
                        fails(pool);
                    }
                });
            }
        });
        pool.close();
        assert!(pool.recv().is_none());
    });
}

fn sums<P, J>(pool: &P, request: u32)
where
    P: WorkerPool<J>,
    J: Job + From<Task<'static>>,
{
    let mut group = TaskGroup::new(pool);
    for n in 0..10 {
        group.spawn(move || Ok::<_, ()>(request * 100 + n)).unwrap();
    }
    let answers = group.wait_first_error().unwrap();
    assert!(answers.into_iter().eq((0..10).map(|n| request * 100 + n)));
}

fn fails<P, J>(pool: &P)
where
    P: WorkerPool<J>,
    J: Job + From<Task<'static>>,
{
    let mut group = TaskGroup::new(pool);
    let token = group.token().clone();
    let waits = move || {
        token.wait();
        Ok(())
    };
    group.spawn(waits).unwrap();
    let boom = || resume_unwind(Box::new("boom"));
    group.spawn(boom).unwrap();
    group.spawn(|| Err(())).unwrap();
    let error = group.wait_first_error().unwrap_err();
    match error {
        GroupError::Failed { job, .. } => assert_eq!(job, 2),
        GroupError::Panicked { job, panic } => {
            assert_eq!((job, panic.message()), (1, "boom"));
        }
        other => panic!("{other:?}"),
    }
}

fn maps_share_a_pool_and_each_has_its_own<P, J>(
    make: impl FnOnce(Config) -> P + Send + 'static,
) where
    P: WorkerPool<J>,
    J: Job + From<Task<'static>>,
{
    watchdog(|| {
        let pool = make(config());
        let squares = (0..500u64).pool_map(&pool, |n| n * n);
        let doubles = (0..500u64).pool_map(&pool, |n| n + n);
        let both = squares.zip(doubles);
        assert!(both.eq((0..500).map(|n| (n * n, n + n))));
    });
}

/// Says at its end where it was made, and where it ends.
struct State {
    made: ThreadId,
    ended: Sender<(ThreadId, ThreadId)>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.ended.send((self.made, thread::current().id())).unwrap();
    }
}

fn a_state_stays_with_its_thread_and_ends_with_the_pool<P, J>(
    make: impl FnOnce(Config) -> P + Send + 'static,
) where
    P: WorkerPool<J>,
    J: Job + From<Task<'static>>,
{
    watchdog(|| {
        let pool = make(config());
        let (ended, ends) = channel();
        let states = PerWorker::new(move || State {
            made: thread::current().id(),
            ended: ended.clone(),
        });
        for _ in 0..20 {
            // All at once, so each has a thread.
            let all = Arc::new(Barrier::new(WORKERS));
            let handles = [(); WORKERS].map(|()| {
                let all = Arc::clone(&all);
                let job = states.job(move |state| {
                    all.wait();
                    assert_eq!(state.made, thread::current().id());
                });
                pool.spawn(job).unwrap()
            });
            for handle in handles {
                handle.join().unwrap();
            }
        }
        assert!(ends.try_recv().is_err(), "dropped while its thread lives");
        drop(pool);
        let ends: Vec<_> = ends.try_iter().collect();
        assert!(ends.len() >= WORKERS, "{} ended", ends.len());
        assert!(ends.iter().all(|(made, dropped)| made == dropped));
    });
}
