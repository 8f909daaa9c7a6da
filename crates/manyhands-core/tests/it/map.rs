use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use manyhands_conformance::watchdog;
use manyhands_core::{
    InlinePool, Panic, PoolIterator, Spawn, Task, WorkerPool,
};

use crate::often;
use crate::small::Small;

type Pool = Small<Task<'static>>;

/// What a call panics with.
fn panic_of<T>(call: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => panic!("it does not panic"),
        Err(payload) => Panic::new(payload).message().to_owned(),
    }
}

#[test]
fn results_are_in_the_order_of_the_items_while_later_ones_run() {
    watchdog(|| {
        for _ in 0..often(50) {
            // Less room than items, so it is fed while it waits.
            let pool = Pool::new(2, 1);
            let (tell, told) = channel();
            let (tell, told) = (Mutex::new(tell), Mutex::new(told));
            // The first item ends after the last one has begun.
            let mapped = (0..6).pool_map(&pool, move |n| {
                match n {
                    0 => told.lock().unwrap().recv().unwrap(),
                    5 => tell.lock().unwrap().send(()).unwrap(),
                    _ => {}
                }
                n * 10
            });
            assert!(mapped.eq([0, 10, 20, 30, 40, 50]));
        }
    });
}

#[test]
fn nothing_happens_before_it_is_asked_for_and_then_a_window_of_it() {
    watchdog(|| {
        for bound in [1, 4] {
            let pool = Pool::new(1, bound - 1);
            let taken = Cell::new(0);
            let items = (0..).inspect(|_| taken.set(taken.get() + 1));
            let mut mapped = items.pool_map(&pool, |n: usize| n);
            assert_eq!(taken.get(), 0);
            for n in 0..often(200) {
                assert_eq!(mapped.next(), Some(n));
                let ahead = taken.get() - (n + 1);
                // One that found the pool full is beside them.
                assert!(ahead <= 2 * bound, "{ahead} with {bound}");
            }
        }
    });
}

#[test]
fn several_maps_and_other_jobs_share_a_pool() {
    watchdog(|| {
        let pool = Pool::new(2, 1);
        let squares = (0..100u64).pool_map(&pool, |n| n * n);
        let doubles = (0..100u64).pool_map(&pool, |n| n + n);
        for (n, (square, double)) in (0..).zip(squares.zip(doubles)) {
            assert_eq!((square, double), (n * n, n + n));
            assert_eq!(pool.spawn(move || n).unwrap().join().unwrap(), n);
        }
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[test]
fn items_and_results_may_borrow_as_long_as_the_pool_lives() {
    watchdog(|| {
        let text = String::from("many hands");
        let pool = InlinePool::<Task<'_>>::new();
        let words = text.split(' ').pool_map(&pool, |word| &word[1..]);
        assert_eq!(words.collect::<Vec<_>>(), ["any", "ands"]);
    });
}

#[test]
fn a_panic_goes_on_where_its_result_was_to_be() {
    watchdog(|| {
        let pool = Pool::new(2, 2);
        let mut mapped = (0..4).pool_map(&pool, |n| match n {
            1 => resume_unwind(Box::new("boom")),
            n => n,
        });
        assert_eq!(mapped.next(), Some(0));
        assert_eq!(panic_of(|| mapped.next()), "boom");
        assert!(mapped.eq([2, 3]), "the others are there");
    });
}

#[test]
fn a_map_that_is_dropped_starts_no_more_and_keeps_nothing() {
    watchdog(|| {
        let pool = Pool::new(1, 5);
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let started = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&started);
        let items: Vec<_> = (0..20).map(Arc::new).collect();
        let mut mapped = items.clone().into_iter().pool_map(&pool, {
            move |n: Arc<i32>| {
                counted.fetch_add(1, Ordering::SeqCst);
                if *n == 1 {
                    let _ = gate.lock().unwrap().recv();
                }
            }
        });
        // The second item holds the only worker, and keeps others from it.
        assert_eq!(mapped.next(), Some(()));
        drop(mapped);
        let kept = items.iter().filter(|item| Arc::strong_count(item) > 1);
        assert!(kept.count() <= 1, "more than the one that runs");
        drop(release);
        pool.close();
        assert!(pool.recv().is_none());
        assert!(started.load(Ordering::SeqCst) <= 2);
    });
}

#[test]
fn results_that_nobody_takes_are_dropped_contained() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    watchdog(|| {
        let pool = InlinePool::<Task<'_>>::new();
        let mut mapped = (0..5).pool_map(&pool, |_| Hostile);
        std::mem::forget(mapped.next());
        drop(mapped);

        // Items, too: one is taken before it is known that the pool is closed.
        let items = (0..2).map(|n| {
            if n == 1 {
                pool.close();
            }
            Hostile
        });
        let mut mapped = items.pool_map(&pool, std::mem::forget);
        assert!(mapped.next().is_some());
        drop(mapped);
        let items = [Hostile].into_iter();
        let mut mapped = items.pool_map(&pool, std::mem::forget);
        assert!(panic_of(|| mapped.next()).contains("closed"));
    });
}

#[test]
fn a_pool_that_closes_is_no_end_of_the_items() {
    watchdog(|| {
        let pool = InlinePool::<Task<'_>>::new();
        let items = (0..6).inspect(|n| {
            if *n == 3 {
                pool.close();
            }
        });
        let mut mapped = items.pool_map(&pool, |n| n);
        assert!(mapped.by_ref().take(3).eq(0..3));
        assert_eq!(mapped.size_hint(), (3, Some(3)));
        assert!(panic_of(|| mapped.next()).contains("closed"));
        assert!(panic_of(|| mapped.next()).contains("closed"));
    });
}

#[test]
fn a_pool_that_is_cancelled_is_no_end_of_the_items() {
    watchdog(|| {
        let pool = Arc::new(Pool::new(1, 5));
        let (tell, told) = channel();
        let told = Mutex::new(told);
        let cancelled = Arc::clone(&pool);
        // The first cancels the pool when the second is queued.
        let items = (0..3).inspect(|n| {
            if *n == 2 {
                tell.send(()).unwrap();
            }
        });
        let mut mapped = items.pool_map(&*pool, move |n| {
            if n == 0 {
                told.lock().unwrap().recv().unwrap();
                cancelled.cancel();
            }
            n
        });
        assert_eq!(mapped.next(), Some(0));
        assert!(panic_of(|| mapped.next()).contains("cancelled"));
    });
}

#[test]
fn a_map_knows_how_many_there_are_if_the_items_do() {
    watchdog(|| {
        let pool = InlinePool::<Task<'_>>::new();
        let mut mapped = (0..10).pool_map(&pool, |n| n);
        for left in (0..10).rev() {
            assert_eq!(mapped.size_hint(), (left + 1, Some(left + 1)));
            assert!(mapped.next().is_some());
        }
        assert_eq!((mapped.next(), mapped.next()), (None, None));
        assert_eq!((0..).pool_map(&pool, |n: u64| n).size_hint().1, None);
    });
}
