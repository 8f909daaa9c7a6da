//! A pool that is dropped where dropping is hard.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::act::Act;
use crate::child::alone;
use crate::kit::{Count, Pool, every_variant, pool, submit};
use crate::os;
use crate::support::gate::Gate;
use crate::support::hostile::throw;

const JOBS: usize = 20;

#[test]
fn dropped_by_a_job_of_its_own_it_runs_what_it_accepted_and_its_threads_end() {
    alone(Duration::from_secs(30), |variant| {
        let threads = os::threads().len();
        let (ran, dropped) = (Count::new(), Count::new());
        let pool: Arc<Pool> = Arc::new(pool(variant, 2, JOBS));
        let gate = Gate::new();
        let last = {
            let (pool, dropped) = (Arc::clone(&pool), dropped.clone());
            Act::new(move || {
                drop(pool);
                dropped.add();
            })
        };
        submit(&*pool, last.after(&gate));
        let mut accepted = 1;
        while accepted < pool.bound().get() {
            submit(&*pool, ran.job().after(&gate));
            accepted += 1;
        }
        gate.wait_for(2);
        drop(pool);
        assert_eq!(dropped.get(), 0);
        gate.open();
        os::threads_back_to(threads);
        assert_eq!(dropped.get(), 1);
        assert_eq!(ran.get(), accepted - 1);
    });
}

#[test]
fn dropped_while_unwinding_it_runs_what_it_accepted() {
    every_variant(|variant| {
        let ran = Count::new();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let pool = pool(variant, 2, 3);
            for _ in 0..JOBS {
                submit(&pool, ran.job());
            }
            throw("the owner");
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the owner"));
        assert_eq!(ran.get(), JOBS);
    });
}

#[test]
fn dropped_while_unwinding_with_jobs_that_panic_nothing_is_lost() {
    every_variant(|variant| {
        let ran = Count::new();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let pool = pool(variant, 2, 3);
            for _ in 0..JOBS {
                let ran = ran.clone();
                let job = Act::new(move || {
                    ran.add();
                    throw("a job")
                });
                submit(&pool, job);
            }
            throw("the owner");
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the owner"));
        assert_eq!(ran.get(), JOBS);
    });
}

thread_local! {
    static KEPT: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

#[test]
fn dropped_with_the_locals_of_a_thread_it_runs_what_it_accepted() {
    every_variant(|variant| {
        let ran = Count::new();
        let pool = pool(variant, 2, 3);
        let thread = {
            let ran = ran.clone();
            thread::spawn(move || {
                for _ in 0..JOBS {
                    submit(&pool, ran.job());
                }
                KEPT.set(Some(pool));
            })
        };
        thread.join().unwrap();
        assert_eq!(ran.get(), JOBS);
    });
}

#[test]
fn used_in_the_locals_of_a_thread_that_ends_it_works_as_ever() {
    /// Uses its pool, and drops it.
    struct Last(Pool, Count);

    impl Drop for Last {
        fn drop(&mut self) {
            let Self(pool, ran) = self;
            for _ in 0..JOBS {
                submit(pool, ran.job());
            }
            for _ in 0..JOBS {
                assert!(pool.recv().unwrap().outcome.is_done());
            }
        }
    }

    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }

    every_variant(|variant| {
        let ran = Count::new();
        let last = Last(pool(variant, 2, 3), ran.clone());
        thread::spawn(|| LAST.set(Some(last))).join().unwrap();
        assert_eq!(ran.get(), JOBS);
    });
}
