//! One side of the pool goes away: the reader, or the producer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use manyhands::{WorkerPoolExt, discard};

use crate::act::Act;
use crate::kit::{
    Count, Dropped, assert_full_strength, drain, every_variant, pool, receive,
    submit,
};
use crate::support::hostile::throw;

#[test]
fn when_the_reader_goes_after_one_result_every_job_runs_and_nothing_leaks() {
    every_variant(|variant| {
        let (ran, dropped) = (Count::new(), Count::new());
        let pool: Arc<_> = pool(variant, 2, 2).into();
        let job = || {
            let (ran, dropped) = (ran.clone(), Dropped(dropped.clone()));
            Act::new(move || {
                ran.add();
                dropped
            })
        };
        let reader = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || drop(receive(&*pool)))
        };
        const JOBS: usize = 500;
        for _ in 0..JOBS {
            submit(&*pool, job());
        }
        reader.join().unwrap();
        drop(pool);
        assert_eq!(ran.get(), JOBS);
        assert_eq!(dropped.get(), JOBS);
    });
}

/// Jobs until the producer dies.
fn dying(jobs: usize, ran: &Count) -> impl Iterator<Item = Act> {
    (0..=jobs).map(move |n| if n < jobs { ran.job() } else { throw("dies") })
}

const HALF: usize = 50;

#[test]
fn when_a_producer_dies_in_submit_all_what_it_yielded_runs() {
    every_variant(|variant| {
        let ran = Count::new();
        let pool = pool(variant, 2, 2);
        let died = catch_unwind(AssertUnwindSafe(|| {
            pool.submit_all(&mut dying(HALF, &ran))
        }));
        assert_eq!(died.unwrap_err().downcast_ref(), Some(&"dies"));
        for _ in 0..HALF {
            assert!(receive(&pool).outcome.is_done());
        }
        assert_eq!(ran.get(), HALF);
        assert_full_strength(&pool);
    });
}

#[test]
fn when_a_producer_dies_in_run_all_the_rest_can_be_read_by_others() {
    every_variant(|variant| {
        let ran = Count::new();
        let pool = pool(variant, 2, 2);
        let mut sunk = 0;
        let died = catch_unwind(AssertUnwindSafe(|| {
            pool.run_all(dying(HALF, &ran), |_| sunk += 1)
        }));
        assert_eq!(died.unwrap_err().downcast_ref(), Some(&"dies"));
        for _ in sunk..HALF {
            assert!(receive(&pool).outcome.is_done());
        }
        assert_eq!(ran.get(), HALF);
        assert_full_strength(&pool);
    });
}

#[test]
fn when_a_sink_dies_in_run_all_what_it_was_about_to_get_goes_with_it() {
    every_variant(|variant| {
        let ran = Count::new();
        let pool = pool(variant, 2, 2);
        let mut sunk = 0;
        let died = catch_unwind(AssertUnwindSafe(|| {
            let jobs = (0..HALF).map(|_| ran.job());
            pool.run_all(jobs, |completion| {
                discard(completion);
                sunk += 1;
                if sunk == HALF / 2 {
                    throw("dies");
                }
            })
        }));
        assert_eq!(died.unwrap_err().downcast_ref(), Some(&"dies"));
        let accepted = pool.submit_all(&mut (0..HALF).map(|_| ran.job()));
        assert_eq!(accepted.unwrap(), HALF as u64);
        pool.close();
        // And no more than that: what was not at hand is still to be read.
        let [done, panicked, cancelled] = drain(&pool);
        assert!(done >= HALF && sunk + done <= ran.get());
        assert_eq!(panicked + cancelled, 0);
    });
}

#[test]
fn when_one_of_two_producers_dies_the_other_ones_jobs_are_not_touched() {
    every_variant(|variant| {
        let ran = Count::new();
        let pool: Arc<_> = pool(variant, 2, 2).into();
        let [one, two] = [HALF, 3 * HALF].map(|jobs| {
            let (pool, ran) = (Arc::clone(&pool), ran.clone());
            thread::spawn(move || {
                for job in dying(jobs, &ran) {
                    submit(&*pool, job);
                }
            })
        });
        assert!(one.join().is_err() && two.join().is_err());
        pool.close();
        assert_eq!(drain(&*pool), [4 * HALF, 0, 0]);
        assert_eq!(ran.get(), 4 * HALF);
    });
}
