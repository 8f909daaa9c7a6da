//! Close, while many wait to get in.

use std::sync::Arc;

use crate::act::Act;
use crate::kit::{
    Count, Pool, Variant, Waiter, drain, every_variant, pool, submit,
};
use crate::support::gate::Gate;

const SUBMITTERS: usize = 64;

#[test]
fn close_hands_64_waiting_submitters_their_jobs_and_runs_the_accepted() {
    every_variant(|variant| {
        frees_all(
            variant,
            |pool| pool.close(),
            |drained, bound| {
                assert_eq!(drained, [bound, 0, 0]);
            },
        );
    });
}

#[test]
fn cancel_hands_64_waiting_submitters_their_jobs_and_gives_back_the_queue() {
    every_variant(|variant| {
        frees_all(
            variant,
            |pool| pool.cancel(),
            |drained, bound| {
                assert_eq!(drained, [1, 0, bound - 1]);
            },
        );
    });
}

fn frees_all(variant: &Variant, end: fn(&Pool), check: fn([usize; 3], usize)) {
    let refused_ran = Count::new();
    let pool: Arc<Pool> = Arc::new(pool(variant, 1, 2));
    let bound = pool.bound().get();
    let gate = Gate::new();
    for _ in 0..bound {
        submit(&*pool, Act::new(|| ()).after(&gate));
    }
    gate.wait_for(1);
    let submitters: Vec<_> = (0..SUBMITTERS)
        .map(|_| {
            let (pool, job) = (Arc::clone(&pool), refused_ran.job());
            Waiter::start(move || pool.submit(job).unwrap_err().into_inner())
        })
        .collect();
    submitters.iter().for_each(Waiter::asleep);
    end(&pool);
    let refused: Vec<Act> = submitters.into_iter().map(Waiter::join).collect();
    gate.open();
    check(drain(&*pool), bound);
    assert_eq!(refused_ran.get(), 0);
    assert_eq!(refused.len(), SUBMITTERS);
}
