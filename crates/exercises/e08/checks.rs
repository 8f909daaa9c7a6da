//! What is asked of exercise 8.

#![allow(
    clippy::drop_non_drop,
    reason = "a permit of an answer that is not done yet does nothing"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use exercises::sync::Arc;
use exercises::{Check, Gate, Gauge, explore, explore_some, thread};

use super::answer::Semaphore;

pub fn checks() -> Vec<Check> {
    const STUCK: &str = "permits are free, and a thread waits for one";
    vec![
        Check::new(
            "so_many_and_no_more",
            "with 2 permits at most two threads of four are inside at a time",
            STUCK,
            || explore(so_many_and_no_more),
        ),
        Check::new(
            "one_permit_is_for_one",
            "with 1 permit no two threads are inside at a time, also when one \
             comes just as a permit is given back",
            STUCK,
            || explore(one_permit_is_for_one),
        ),
        Check::new(
            "two_are_inside_together",
            "with 2 permits two threads are inside at the same time",
            "the second thread did not get in, though a permit was free",
            || explore(two_are_inside_together),
        ),
        Check::new(
            "a_permit_comes_back",
            "a permit that was dropped can be had again",
            "the permit was dropped, and `acquire` waits for it",
            || explore_some(1, a_permit_comes_back),
        ),
        Check::new(
            "whoever_waits_is_told",
            "each of three threads that share one permit gets it in the end",
            "the permit is free, and a thread sleeps: it was told before the \
             permit was back, or not at all",
            || explore(whoever_waits_is_told),
        ),
        Check::new(
            "try_acquire_does_not_wait",
            "`try_acquire` gives a permit if one is free, else `None`",
            "`try_acquire` waited",
            || explore_some(1, try_acquire_does_not_wait),
        ),
        Check::new(
            "a_panic_gives_the_permit_back",
            "after a panic inside `with` the permit is free again",
            "the permit was not given back by a panic, and all others wait \
             for it",
            || explore_some(1, a_panic_gives_the_permit_back),
        ),
        Check::new(
            "with_returns_what_the_work_returns",
            "`with` holds a permit during the work, and none after it",
            STUCK,
            || explore_some(1, with_returns_what_the_work_returns),
        ),
    ]
}

fn so_many_and_no_more() {
    let semaphore = Arc::new(Semaphore::new(2));
    let gauge = Gauge::new();
    let threads = [(); 4].map(|()| {
        let (semaphore, gauge) = (Arc::clone(&semaphore), gauge.clone());
        thread::spawn(move || {
            let permit = semaphore.acquire();
            gauge.enter();
            thread::yield_now();
            gauge.leave();
            drop(permit);
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
    let most = gauge.most();
    assert!(most <= 2, "{most} threads were inside, with 2 permits");
}

fn one_permit_is_for_one() {
    let semaphore = Arc::new(Semaphore::new(1));
    let gauge = Gauge::new();
    let threads = [(); 3].map(|()| {
        let (semaphore, gauge) = (Arc::clone(&semaphore), gauge.clone());
        thread::spawn(move || {
            for _ in 0..2 {
                let permit = semaphore.acquire();
                gauge.enter();
                thread::yield_now();
                gauge.leave();
                drop(permit);
            }
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
    let most = gauge.most();
    assert!(most <= 1, "{most} threads were inside, with 1 permit");
}

fn two_are_inside_together() {
    let semaphore = Arc::new(Semaphore::new(2));
    let gate = Gate::new(2);
    let threads = [(); 2].map(|()| {
        let (semaphore, gate) = (Arc::clone(&semaphore), gate.clone());
        thread::spawn(move || {
            let _permit = semaphore.acquire();
            gate.meet();
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
}

fn a_permit_comes_back() {
    let semaphore = Semaphore::new(1);
    drop(semaphore.acquire());
    drop(semaphore.acquire());
}

fn whoever_waits_is_told() {
    let semaphore = Arc::new(Semaphore::new(1));
    let threads = [(); 3].map(|()| {
        let semaphore = Arc::clone(&semaphore);
        thread::spawn(move || {
            let _permit = semaphore.acquire();
            thread::yield_now();
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
}

fn try_acquire_does_not_wait() {
    let semaphore = Semaphore::new(1);
    let first = semaphore.try_acquire();
    assert!(first.is_some(), "a permit was free, and there was `None`");
    let second = semaphore.try_acquire();
    assert!(second.is_none(), "1 permit, and two were given");
    drop(first);
    let third = semaphore.try_acquire();
    assert!(third.is_some(), "the permit was dropped, and there is `None`");
}

fn a_panic_gives_the_permit_back() {
    let semaphore = Semaphore::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        semaphore.with(|| panic!("the work panics"))
    }));
    assert!(panicked.is_err(), "the panic of the work was swallowed");
    let free = semaphore.try_acquire();
    assert!(free.is_some(), "a panic inside `with` has kept the permit");
    let second = semaphore.try_acquire();
    assert!(second.is_none(), "after a panic inside `with` 1 permit was two");
}

fn with_returns_what_the_work_returns() {
    let semaphore = Semaphore::new(1);
    let inside = semaphore.with(|| semaphore.try_acquire().is_none());
    assert!(inside, "the only permit was free while the work ran");
    let after = semaphore.try_acquire();
    assert!(after.is_some(), "the work is done, and the permit is not back");
    let second = semaphore.try_acquire();
    assert!(second.is_none(), "the permit of `with` came back twice");
}
