//! Jobs that submit: to their own pool, and to another.

use std::sync::{Arc, Weak, mpsc};

use manyhands::{Closed, TrySubmitError};

use crate::act::Act;
use crate::kit::{
    Count, Pool, Variant, assert_full_strength, drain, every_variant, pool,
    receive, submit,
};
use crate::os::{self, Tid};
use crate::support::gate::Gate;
use crate::support::hostile::throw;
use crate::support::or_deep;

#[test]
fn on_a_full_pool_a_job_is_told_full_and_close_frees_it_from_its_submit() {
    every_variant(|variant| {
        nested_on_full(
            variant,
            |pool| pool.close(),
            |drained, queued| {
                assert_eq!(drained, [1 + queued, 0, 0]);
            },
        );
    });
}

#[test]
fn on_a_full_pool_cancel_frees_a_job_from_its_submit() {
    every_variant(|variant| {
        nested_on_full(
            variant,
            |pool| pool.cancel(),
            |drained, queued| {
                assert_eq!(drained, [1, 0, queued]);
            },
        );
    });
}

/// One worker, no place free, and its job submits another.
fn nested_on_full(
    variant: &Variant,
    end: fn(&Pool),
    check: fn([usize; 3], usize),
) {
    let ran = Count::new();
    let pool: Arc<Pool> = Arc::new(pool(variant, 1, 2));
    let queued = pool.bound().get() - 1;
    let gate = Gate::new();
    let (tell, told) = mpsc::channel();
    let outer = {
        let (pool, ran) = (Arc::downgrade(&pool), ran.clone());
        move || {
            let pool: Arc<Pool> = pool.upgrade().unwrap();
            let job = match pool.try_submit(ran.job()) {
                Err(TrySubmitError::Full(job)) => job,
                other => panic!("{other:?} on a full pool"),
            };
            tell.send(os::this_thread()).unwrap();
            let Closed(_job) = pool.submit(job).unwrap_err();
        }
    };
    submit(&*pool, Act::new(outer).after(&gate));
    gate.wait_for(1);
    for _ in 0..queued {
        submit(&*pool, Act::new(|| ()));
    }
    gate.open();
    os::asleep(told.recv().expect("the outer job says where it waits"));
    end(&pool);
    check(drain(&*pool), queued);
    assert_eq!(ran.get(), 0, "a refused job was run");
}

#[test]
fn with_room_a_job_that_submits_its_successor_makes_progress() {
    every_variant(|variant| {
        /// Each job submits the next, which has its own place.
        fn next(pool: Weak<Pool>, left: u32, ran: Count) -> Act {
            Act::new(move || {
                ran.add();
                if left > 0 {
                    let own: Arc<Pool> = pool.upgrade().unwrap();
                    submit(&*own, next(pool, left - 1, ran));
                }
            })
        }
        let ran = Count::new();
        // Two places, also for those without a queue.
        let pool: Arc<Pool> = Arc::new(pool(variant, 2, 0));
        let left = or_deep(300, 30_000);
        submit(&*pool, next(Arc::downgrade(&pool), left, ran.clone()));
        for _ in 0..=left {
            assert!(receive(&*pool).outcome.is_done());
        }
        assert_eq!(ran.get(), left as usize + 1);
    });
}

/// Two pools, each known to the jobs of the other.
struct Pair([Pool; 2]);

impl Pair {
    fn new(variant: &Variant, workers: usize, queue: usize) -> Arc<Self> {
        Arc::new(Self([(); 2].map(|()| pool(variant, workers, queue))))
    }
}

#[test]
fn two_pools_with_room_that_submit_to_each_other_make_progress() {
    every_variant(|variant| {
        /// A job of one pool whose successor is one of the other.
        fn next(pair: Weak<Pair>, at: usize, left: usize, ran: Count) -> Act {
            Act::new(move || {
                ran.add();
                if left > 0 {
                    let both = pair.upgrade().unwrap();
                    let other = 1 - at;
                    submit(&both.0[other], next(pair, other, left - 1, ran));
                }
            })
        }
        let ran = Count::new();
        let pair = Pair::new(variant, 1, 0);
        let each = or_deep(150, 15_000);
        let weak = Arc::downgrade(&pair);
        submit(&pair.0[0], next(weak, 0, 2 * each - 1, ran.clone()));
        for pool in &pair.0 {
            for _ in 0..each {
                assert!(receive(pool).outcome.is_done());
            }
        }
        assert_eq!(ran.get(), 2 * each);
    });
}

#[test]
fn two_full_pools_that_submit_to_each_other_are_freed_by_closing_one() {
    every_variant(|variant| {
        let ran = Count::new();
        let pair = Pair::new(variant, 1, 0);
        let gate = Gate::new();
        let (tell, told) = mpsc::channel::<Tid>();
        let submitting_to = |to: usize| {
            let (pair, tell) = (Arc::downgrade(&pair), tell.clone());
            let inner = ran.job();
            let job = move || {
                let both: Arc<Pair> = pair.upgrade().unwrap();
                tell.send(os::this_thread()).unwrap();
                both.0[to].submit(inner).is_ok()
            };
            Act::new(job).after(&gate)
        };
        submit(&pair.0[0], submitting_to(1));
        submit(&pair.0[1], submitting_to(0));
        // Each pool has its one place taken when the other's job asks.
        gate.wait_for(2);
        gate.open();
        for _ in 0..2 {
            os::asleep(told.recv().unwrap());
        }
        pair.0[0].close();
        // The second pool's job gets its own back, and ends; that frees the
        // place which the first pool's job waits for.
        let accepted = |pool: &Pool| {
            let answer = receive(pool).done().unwrap().unwrap();
            *answer.downcast::<bool>().unwrap()
        };
        assert!(!accepted(&pair.0[1]), "accepted by a closed pool");
        assert!(accepted(&pair.0[0]), "refused by an open pool");
        assert!(receive(&pair.0[1]).outcome.is_done());
        assert_eq!(ran.get(), 1);
        assert!(pair.0[0].recv().is_none());
        assert_full_strength(&pair.0[1]);
    });
}

#[test]
fn a_panic_in_one_of_two_pools_leaves_the_other_as_it_was() {
    every_variant(|variant| {
        let pair = Pair::new(variant, 2, 1);
        for _ in 0..10 {
            let both = Arc::downgrade(&pair);
            let job = Act::new(move || {
                let both: Arc<Pair> = both.upgrade().unwrap();
                submit(&both.0[1], Act::new(|| throw("the inner one")));
                drop(both);
                throw("the outer one")
            });
            submit(&pair.0[0], job);
            for pool in &pair.0 {
                assert!(receive(pool).outcome.is_panicked());
            }
        }
        pair.0.iter().for_each(|pool| assert_full_strength(pool));
        pair.0[0].close();
        assert!(pair.0[0].recv().is_none());
        assert_full_strength(&pair.0[1]);
    });
}
