//! Jobs that panic, and values whose drop does.

use manyhands::{Outcome, WorkerPoolExt, discard};

use crate::act::Act;
use crate::kit::{
    Count, Dropped, assert_full_strength, drain, every_variant, pool, receive,
    submit,
};
use crate::support::gate::Gate;
use crate::support::hostile::{Hostile, throw};
use crate::support::or_deep;

#[test]
fn when_every_job_panics_each_is_reported_and_the_pool_lives_on() {
    every_variant(|variant| {
        let pool = pool(variant, 3, 8);
        let jobs = or_deep(2_000, 100_000);
        let mut panicked = 0;
        let all = (0..jobs).map(|n| Act::new(move || throw(format!("{n}"))));
        let fed = pool.run_all(all, |completion| match completion.outcome {
            Outcome::Panicked(panic) => {
                assert_eq!(panic.message(), completion.id.get().to_string());
                panicked += 1;
            }
            other => panic!("{}: {other:?}", completion.id),
        });
        assert_eq!(fed.unwrap(), jobs);
        assert_eq!(panicked, jobs);
        assert_full_strength(&pool);
    });
}

/// Up to eight panics within panics each value is dropped; beyond, the last
/// one is leaked.
const DEPTHS: [u32; 5] = [1, 2, 3, 8, 20];

#[test]
fn a_payload_whose_drop_panics_is_contained_read_or_unread() {
    every_variant(|variant| {
        for depth in DEPTHS {
            let read = pool(variant, 2, 2);
            for _ in 0..5 {
                submit(&read, Act::new(move || throw(Hostile(depth))));
                let completion = receive(&read);
                assert!(completion.outcome.is_panicked());
                discard(completion);
            }
            assert_full_strength(&read);

            let unread = pool(variant, 2, 2);
            for _ in 0..5 {
                submit(&unread, Act::new(move || throw(Hostile(depth))));
            }
            drop(unread);
        }
    });
}

#[test]
fn a_result_whose_drop_panics_is_contained_read_or_unread() {
    every_variant(|variant| {
        for depth in DEPTHS {
            let read = pool(variant, 2, 2);
            for _ in 0..5 {
                submit(&read, Act::new(move || Hostile(depth)));
                let completion = receive(&read);
                assert!(completion.outcome.is_done());
                discard(completion);
            }
            assert_full_strength(&read);

            let unread = pool(variant, 2, 2);
            for _ in 0..5 {
                submit(&unread, Act::new(move || Hostile(depth)));
            }
            drop(unread);
        }
    });
}

#[test]
fn a_captured_value_whose_drop_panics_makes_its_job_one_that_panicked() {
    every_variant(|variant| {
        for depth in DEPTHS {
            let pool = pool(variant, 2, 2);
            for _ in 0..5 {
                let captured = Hostile(depth);
                submit(&pool, Act::new(move || drop(captured)));
                let completion = receive(&pool);
                assert!(completion.outcome.is_panicked());
                discard(completion);
            }
            assert_full_strength(&pool);
        }
    });
}

#[test]
fn a_cancelled_job_whose_drop_panics_is_contained_read_or_unread() {
    every_variant(|variant| {
        for is_read in [true, false] {
            let (ran, dropped) = (Count::new(), Count::new());
            let pool = pool(variant, 1, 4);
            let queue = pool.bound().get() - 1;
            let gate = Gate::new();
            submit(&pool, Act::new(|| ()).after(&gate));
            gate.wait_for(1);
            for _ in 0..queue {
                // Dropped in this order.
                let captured = (Dropped(dropped.clone()), Hostile(2));
                let ran = ran.clone();
                submit(
                    &pool,
                    Act::new(move || {
                        let _captured = captured;
                        ran.add();
                    }),
                );
            }
            pool.cancel();
            gate.open();
            if is_read {
                assert_eq!(drain(&pool), [1, 0, queue]);
            }
            drop(pool);
            assert_eq!(ran.get(), 0);
            assert_eq!(dropped.get(), queue);
        }
    });
}
