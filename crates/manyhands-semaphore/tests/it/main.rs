//! The semaphore as the tutorials name it, held to what Go's
//! `golang.org/x/sync/semaphore` promises (BSD licence), and the traps that
//! the port must not carry over.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod weights;

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{
    Config, Spawn, Task, Threads, WorkerPool, WorkerPoolExt,
};
use manyhands_semaphore::{AcquireError, Semaphore, SemaphorePool, spawn};

#[test]
fn permits_are_counted_and_come_back() {
    let sem = Semaphore::new(2);
    let first = sem.try_acquire().unwrap();
    let second = sem.try_acquire().unwrap();
    assert_eq!(sem.available(), 0);
    assert_eq!(sem.try_acquire().unwrap_err(), AcquireError::NoPermits);
    drop(first);
    assert_eq!(sem.available(), 1);
    drop(second);
    assert_eq!(sem.available(), 2);
}

#[test]
fn never_more_at_once_than_permits_and_that_many_are_reached() {
    watchdog(|| {
        let sem = Semaphore::new(3);
        let threads = Threads::new();
        let running = Arc::new(AtomicUsize::new(0));
        let peak = Arc::new(AtomicUsize::new(0));
        let together = Arc::new(Barrier::new(3));
        for _ in 0..30 {
            let permit = sem.acquire().unwrap();
            let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
            let together = Arc::clone(&together);
            spawn(&threads, permit, move |_permit| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now, Ordering::SeqCst);
                together.wait();
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        sem.wait_idle();
        assert_eq!(peak.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_panic_gives_the_permit_back() {
    // In Go without `defer`, the next acquire waits for ever.
    watchdog(|| {
        let sem = Semaphore::new(1);
        let threads = Threads::new();
        let permit = sem.acquire().unwrap();
        spawn(&threads, permit, |_permit| {
            std::panic::resume_unwind(Box::new("boom"));
        });
        drop(sem.acquire().unwrap());
        threads.join();
    });
}

#[test]
fn each_permit_that_comes_back_lets_one_waiting_thread_through() {
    watchdog(|| {
        let sem = Semaphore::new(1);
        let held = sem.acquire().unwrap();
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let sem = sem.clone();
                thread::spawn(move || drop(sem.acquire().unwrap()))
            })
            .collect();
        drop(held);
        waiting.into_iter().for_each(|w| w.join().unwrap());
        assert_eq!(sem.available(), 1);
    });
}

#[test]
fn who_waits_for_idle_takes_no_wake_up_from_who_waits_for_a_permit() {
    watchdog(|| {
        for _ in 0..200 {
            let sem = Semaphore::new(1);
            let held = sem.acquire().unwrap();
            let idle = {
                let sem = sem.clone();
                thread::spawn(move || sem.wait_idle())
            };
            let acquire = {
                let sem = sem.clone();
                thread::spawn(move || drop(sem.acquire().unwrap()))
            };
            drop(held);
            acquire.join().unwrap();
            idle.join().unwrap();
        }
    });
}

#[test]
fn close_sends_away_who_waits_and_keeps_what_is_out() {
    watchdog(|| {
        let sem = Semaphore::new(1);
        let held = sem.acquire().unwrap();
        let (about, wait) = mpsc::channel();
        let waiting = {
            let sem = sem.clone();
            thread::spawn(move || {
                about.send(()).unwrap();
                sem.acquire().map(drop)
            })
        };
        wait.recv().unwrap();
        sem.close();
        assert_eq!(waiting.join().unwrap(), Err(AcquireError::Closed));
        assert_eq!(sem.try_acquire().unwrap_err(), AcquireError::Closed);
        drop(held);
        sem.wait_idle();
    });
}

#[test]
fn a_semaphore_without_permits_is_refused() {
    assert!(catch_unwind(|| Semaphore::new(0)).is_err());
}

#[test]
fn the_pool_has_no_queue() {
    let pool: SemaphorePool<fn()> =
        SemaphorePool::builder().workers(3).queue(100).build().unwrap();
    assert_eq!(pool.workers().get(), 3);
    assert_eq!(pool.bound().get(), 3);
}

#[test]
fn five_jobs_at_most_three_at_once_come_back_doubled() {
    watchdog(|| {
        let pool = SemaphorePool::new(Config::new(3, 0).unwrap());
        let jobs = (1..=5).map(|job| move || job * 2);
        let doubled: Vec<i32> =
            pool.map_ordered(jobs).filter_map(|o| o.done()).collect();
        assert_eq!(doubled, [2, 4, 6, 8, 10]);
    });
}

/// Waits until so many stand in the semaphore's queue.
fn until_waiting(sem: &Semaphore, count: usize) {
    let waiting = format!("waiting: {count}");
    while !format!("{sem:?}").contains(&waiting) {
        thread::yield_now();
    }
}

#[test]
fn permits_go_in_the_order_in_which_they_were_asked_for() {
    watchdog(|| {
        let sem = Semaphore::new(1);
        let held = sem.acquire().unwrap();
        let (served, order) = mpsc::channel();
        let waiting: Vec<_> = (0..10)
            .map(|n| {
                let (queue, served) = (sem.clone(), served.clone());
                let thread = thread::spawn(move || {
                    let _permit = queue.acquire().unwrap();
                    served.send(n).unwrap();
                });
                until_waiting(&sem, n + 1);
                thread
            })
            .collect();
        drop(held);
        waiting.into_iter().for_each(|w| w.join().unwrap());
        drop(served);
        assert!(order.iter().eq(0..10));
    });
}

#[test]
fn a_large_request_is_not_starved_by_small_ones() {
    watchdog(|| {
        let sem = Semaphore::new(3);
        let small = sem.acquire().unwrap();
        let large = {
            let sem = sem.clone();
            thread::spawn(move || sem.acquire_many(3).unwrap())
        };
        until_waiting(&sem, 1);
        // Two are free, and go to nobody: the large one is first.
        assert_eq!(sem.available(), 2);
        assert_eq!(sem.try_acquire().unwrap_err(), AcquireError::NoPermits);
        let behind = {
            let sem = sem.clone();
            thread::spawn(move || drop(sem.acquire().unwrap()))
        };
        until_waiting(&sem, 2);
        drop(small);
        let large = large.join().unwrap();
        assert_eq!(sem.available(), 0);
        until_waiting(&sem, 1);
        drop(large);
        behind.join().unwrap();
        assert_eq!(sem.available(), 3);
    });
}

#[test]
fn a_request_that_can_never_be_met_is_refused_at_once() {
    let sem = Semaphore::new(2);
    assert_eq!(sem.acquire_many(3).unwrap_err(), AcquireError::TooMany);
    assert_eq!(sem.try_acquire_many(3).unwrap_err(), AcquireError::TooMany);
    let both = sem.acquire_many(2).unwrap();
    assert_eq!(sem.available(), 0);
    drop(both);
    assert_eq!(sem.available(), 2);
}

#[test]
fn a_request_gives_up_when_its_time_is_up_and_not_before() {
    watchdog(|| {
        let sem = Semaphore::new(1);
        let patience = Duration::from_millis(20);
        let held = sem.acquire().unwrap();
        let begun = Instant::now();
        let late = sem.acquire_timeout(1, patience);
        assert_eq!(late.unwrap_err(), AcquireError::TimedOut);
        assert!(begun.elapsed() >= patience);
        let at_once = sem.acquire_timeout(1, Duration::ZERO);
        assert_eq!(at_once.unwrap_err(), AcquireError::TimedOut);
        drop(held);
        drop(sem.acquire_timeout(1, Duration::ZERO).unwrap());
        drop(sem.acquire_timeout(1, Duration::MAX).unwrap());
    });
}

#[test]
fn a_first_in_line_that_gives_up_makes_way_for_those_behind() {
    watchdog(|| {
        let sem = Semaphore::new(2);
        let held = sem.acquire().unwrap();
        let first = {
            let sem = sem.clone();
            let patience = Duration::from_millis(100);
            thread::spawn(move || sem.acquire_timeout(2, patience).is_err())
        };
        until_waiting(&sem, 1);
        let behind = {
            let sem = sem.clone();
            thread::spawn(move || drop(sem.acquire().unwrap()))
        };
        assert!(first.join().unwrap(), "there were two permits");
        behind.join().unwrap();
        drop(held);
        assert_eq!(sem.available(), 2);
    });
}

#[test]
fn spawned_closures_answer_their_handles_and_pile_up_nowhere() {
    watchdog(|| {
        let pool: SemaphorePool<Task<'static>> =
            SemaphorePool::builder().workers(2).build().unwrap();
        assert_eq!(pool.spawn(|| 6 * 7).unwrap().join().unwrap(), 42);
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[test]
fn wait_idle_waits_until_every_permit_is_back() {
    watchdog(|| {
        let sem = Semaphore::new(2);
        sem.wait_idle();
        let threads = Threads::new();
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let ended = Arc::clone(&ended);
            spawn(&threads, sem.acquire().unwrap(), move |_permit| {
                // Long enough for who does not wait to be over first.
                (0..1000).for_each(|_| thread::yield_now());
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        sem.wait_idle();
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn why_there_is_no_permit_is_one_clear_line() {
    for (error, line) in [
        (AcquireError::NoPermits, "not enough permits are free"),
        (AcquireError::TimedOut, "not enough permits came back in time"),
        (AcquireError::TooMany, "the semaphore has fewer permits than that"),
        (AcquireError::Closed, "the semaphore is closed"),
    ] {
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn dropping_the_pool_waits_for_its_jobs() {
    watchdog(|| {
        let pool = SemaphorePool::new(Config::new(2, 0).unwrap());
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let ended = Arc::clone(&ended);
            let job = move || {
                (0..1000).for_each(|_| thread::yield_now());
                ended.fetch_add(1, Ordering::SeqCst)
            };
            pool.submit(job).unwrap();
        }
        drop(pool);
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn the_pool_keeps_its_threads_and_has_no_more_than_it_may() {
    watchdog(|| {
        let pool = SemaphorePool::new(Config::new(2, 0).unwrap());
        let threads = Arc::new(Mutex::new(HashSet::new()));
        for _ in 0..1000 {
            let seen = Arc::clone(&threads);
            pool.submit(move || {
                seen.lock().unwrap().insert(thread::current().id())
            })
            .unwrap();
        }
        pool.close();
        assert_eq!(pool.completions().count(), 1000);
        assert!(threads.lock().unwrap().len() <= 2);
    });
}
