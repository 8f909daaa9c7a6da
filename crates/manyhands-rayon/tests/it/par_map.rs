//! Batches of known length.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{Config, Spawn, Task};
use manyhands_rayon::{RayonPool, RayonThreads};

#[test]
fn results_are_in_the_order_of_the_items() {
    let threads = RayonThreads::start(3).unwrap();
    let doubled = threads.par_map(0..10_000u64, |n| n * 2);
    assert_eq!(doubled, (0..10_000).map(|n| n * 2).collect::<Vec<_>>());
}

#[test]
fn an_empty_batch_has_an_empty_result() {
    let threads = RayonThreads::start(2).unwrap();
    assert!(threads.par_map(Vec::<u8>::new(), |n| n).is_empty());
}

#[test]
fn items_and_work_may_borrow_from_the_caller() {
    let threads = RayonThreads::start(2).unwrap();
    let words = ["many", "hands"].map(String::from);
    let suffix = String::from("!");
    let loud = threads.par_map(&words, |word| format!("{word}{suffix}"));
    assert_eq!(loud, ["many!", "hands!"]);
    assert_eq!(words.concat() + &suffix, "manyhands!");
}

#[test]
fn a_batch_runs_on_all_threads_and_on_no_others() {
    watchdog(|| {
        let threads = RayonThreads::start(3).unwrap();
        let seen = Mutex::new(BTreeSet::new());
        // Passes only if three items are under way at once.
        let meeting = Barrier::new(3);
        threads.par_map(0..3, |_| {
            meeting.wait();
            let name = thread::current().name().map(String::from);
            seen.lock().unwrap().insert(name.unwrap());
        });
        threads.par_map(0..1000, |_| {
            let name = thread::current().name().map(String::from);
            seen.lock().unwrap().insert(name.unwrap());
        });
        let names = seen.into_inner().unwrap();
        assert!(names.iter().eq(["worker 1", "worker 2", "worker 3"]));
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_threads_live_on() {
    watchdog(|| {
        let threads = RayonThreads::start(2).unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| {
            threads.par_map(0..100, |n| {
                if n == 50 {
                    resume_unwind(Box::new("fifty"));
                }
            })
        }));
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "fifty");

        let meeting = Barrier::new(2);
        threads.par_map(0..2, |_| meeting.wait().is_leader());
    });
}

#[test]
fn a_batch_from_inside_a_job_of_the_only_thread_runs() {
    watchdog(|| {
        let config = Config::new(1, 1).unwrap();
        let pool = Arc::new(RayonPool::<Task<'_>>::new(config).unwrap());
        let inside = Arc::clone(&pool);
        let sum = pool.spawn(move || {
            inside.threads().par_map(1..=4u32, |n| n).iter().sum::<u32>()
        });
        assert_eq!(sum.unwrap().join().unwrap(), 10);
    });
}
