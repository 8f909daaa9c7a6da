//! The taught face, as a program without the contract uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_tokio::{holding, results, spawn, worker};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::current_thread;

#[test]
fn workers_range_over_jobs_and_the_results_end_with_them() {
    watchdog(|| {
        current_thread().block_on(async {
            let (jobs, queued) = async_channel::bounded(5);
            let (results, collected) = results::channel();
            for id in 1..=3 {
                let (queued, results) = (queued.clone(), results.clone());
                let work = async |id, job: u32| (id, job * 2);
                tokio::spawn(worker(id, queued, results, work));
            }
            drop((queued, results));
            for job in 0..100 {
                jobs.send(job).await.unwrap();
            }
            jobs.close();
            let mut doubled = Vec::new();
            while let Some((id, result)) = collected.recv().await {
                assert!((1..=3).contains(&id));
                doubled.push(result);
            }
            doubled.sort();
            assert!(doubled.into_iter().eq((0..100).map(|job| job * 2)));
        });
    });
}

#[test]
fn a_worker_that_never_waits_lets_other_tasks_have_their_turn() {
    const JOBS: usize = 1000;
    watchdog(|| {
        current_thread().block_on(async {
            let (jobs, queued) = async_channel::unbounded();
            let (results, collected) = results::channel();
            for job in 0..JOBS {
                jobs.try_send(job).unwrap();
            }
            drop(jobs);
            let work = async |_, _| {
                let start = Instant::now();
                while start.elapsed() < Duration::from_micros(20) {}
            };
            let working = tokio::spawn(worker(1, queued, results, work));
            let other = tokio::spawn(async move {
                let mut finished = 0;
                while collected.try_recv().is_ok() {
                    finished += 1;
                }
                finished
            });
            let finished = other.await.unwrap();
            assert!((1..JOBS).contains(&finished), "after {finished} jobs");
            working.await.unwrap();
        });
    });
}

#[test]
fn a_worker_goes_on_when_nobody_reads() {
    watchdog(|| {
        current_thread().block_on(async {
            let (jobs, queued) = async_channel::unbounded();
            let (results, collected) = results::channel();
            drop(collected);
            let ran = AtomicUsize::new(0);
            for job in 0..10 {
                jobs.try_send(job).unwrap();
            }
            drop(jobs);
            worker(1, queued, results, async |_, _: i32| {
                ran.fetch_add(1, Ordering::SeqCst)
            })
            .await;
            assert_eq!(ran.into_inner(), 10);
        });
    });
}

#[test]
fn a_task_is_made_only_when_there_is_a_permit() {
    watchdog(|| {
        current_thread().block_on(async {
            let permits = Arc::new(Semaphore::new(2));
            let mut tasks = JoinSet::new();
            let (release, gate) = oneshot::channel::<()>();
            spawn(&mut tasks, &permits, std::future::ready(1)).await.unwrap();
            let waits = async { gate.await.map_or(0, |()| 2) };
            spawn(&mut tasks, &permits, waits).await.unwrap();
            assert_eq!(tasks.len(), 2);
            // Both permits are taken: the first task has not run yet.
            assert_eq!(permits.available_permits(), 0);
            spawn(&mut tasks, &permits, std::future::ready(3)).await.unwrap();
            assert_eq!(tasks.len(), 3);
            assert_eq!(tasks.join_next().await.unwrap().unwrap(), 1);

            release.send(()).unwrap();
            let mut rest = tasks.join_all().await;
            rest.sort();
            assert_eq!(rest, [2, 3]);
            assert_eq!(permits.available_permits(), 2);
        });
    });
}

#[test]
fn a_permit_comes_back_from_a_panic_and_from_an_abort() {
    watchdog(|| {
        current_thread().block_on(async {
            let permits = Arc::new(Semaphore::new(1));
            let mut tasks = JoinSet::new();
            let throws =
                async { std::panic::resume_unwind(Box::new("not today")) };
            spawn(&mut tasks, &permits, throws).await.unwrap();
            spawn(&mut tasks, &permits, std::future::pending()).await.unwrap();
            tasks.abort_all();
            spawn(&mut tasks, &permits, std::future::ready(())).await.unwrap();
            while tasks.join_next().await.is_some() {}
            assert_eq!(permits.available_permits(), 1);
        });
    });
}

#[test]
fn the_permit_is_back_before_the_result_is_there() {
    watchdog(|| {
        current_thread().block_on(async {
            let permits = Arc::new(Semaphore::new(1));
            let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
            assert_eq!(holding(permit, std::future::ready(7)).await, 7);
            assert_eq!(permits.available_permits(), 1);
        });
    });
}

#[test]
fn a_closed_semaphore_refuses() {
    watchdog(|| {
        current_thread().block_on(async {
            let permits = Arc::new(Semaphore::new(1));
            permits.close();
            let mut tasks = JoinSet::new();
            let refused =
                spawn(&mut tasks, &permits, std::future::ready(())).await;
            assert!(refused.is_err());
            assert!(tasks.is_empty());
        });
    });
}
