use std::cell::Cell;
use std::mem::forget;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use manyhands_conformance::watchdog;
use manyhands_core::{
    Closed, Completion, InlinePool, Job, JobId, Outcome, TrySubmitError,
    WorkerPool, WorkerPoolExt,
};

use self::lazy::Lazy;
use crate::often;

/// A pool that runs nothing until it is asked for a completion, and then the
/// job that came in last: the worst that order and bounds allow.
mod lazy {
    use std::sync::Mutex;

    use super::*;
    use manyhands_core::{Ticket, run_one};

    pub(crate) struct Lazy<J> {
        pub(crate) bound: usize,
        inside: Mutex<Inside<J>>,
    }

    pub(crate) struct Inside<J> {
        waiting: Vec<Ticket<J>>,
        accepted: u64,
        closed: bool,
        pub(crate) peak: usize,
    }

    impl<J: Job> Lazy<J> {
        pub(crate) fn new(bound: usize) -> Self {
            let inside = Inside {
                waiting: Vec::new(),
                accepted: 0,
                closed: false,
                peak: 0,
            };
            Self { bound, inside: Mutex::new(inside) }
        }

        pub(crate) fn peak(&self) -> usize {
            self.inside.lock().unwrap().peak
        }
    }

    impl<J: Job> WorkerPool<J> for Lazy<J> {
        fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
            self.try_submit(job).map_err(|refused| match refused {
                TrySubmitError::Closed(job) => Closed(job),
                TrySubmitError::Full(_) => panic!("this would hang"),
            })
        }

        fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
            let mut inside = self.inside.lock().unwrap();
            if inside.closed {
                return Err(TrySubmitError::Closed(job));
            }
            if inside.waiting.len() == self.bound {
                return Err(TrySubmitError::Full(job));
            }
            let id = JobId::new(inside.accepted);
            inside.accepted += 1;
            inside.waiting.push(Ticket { id, job });
            inside.peak = inside.peak.max(inside.waiting.len());
            Ok(id)
        }

        fn recv(&self) -> Option<Completion<J>> {
            let ticket = self.inside.lock().unwrap().waiting.pop()?;
            Some(run_one(ticket, false))
        }

        fn close(&self) {
            self.inside.lock().unwrap().closed = true;
        }

        fn cancel(&self) {
            self.close();
        }

        fn workers(&self) -> NonZeroUsize {
            NonZeroUsize::MIN
        }

        fn bound(&self) -> NonZeroUsize {
            NonZeroUsize::new(self.bound).unwrap()
        }
    }
}

#[test]
fn run_all_gives_every_completion_to_the_sink_in_bounded_memory() {
    watchdog(|| {
        let pool = Lazy::new(3);
        let mut seen = Vec::new();
        let jobs = |count: u64| (0..count).map(|n| move || n);
        let fed =
            pool.run_all(jobs(100), |c| seen.push((c.id.get(), c.done())));
        assert_eq!(fed.unwrap(), 100);
        seen.sort_unstable();
        assert!(seen.into_iter().eq((0..100).map(|n| (n, Some(n)))));
        assert_eq!(pool.peak(), 3);
        // The pool is open still.
        assert_eq!(pool.run_all(jobs(1), |_| ()).unwrap(), 1);
    });
}

#[test]
fn run_all_reads_before_results_pile_up() {
    watchdog(|| {
        // Inline, every submit has a result at once: unread, they would all wait.
        let pool = InlinePool::new();
        let unread = Cell::new(0u32);
        let most = Cell::new(0);
        let jobs = (0..often(1000)).map(|n| {
            unread.set(unread.get() + 1);
            most.set(most.get().max(unread.get()));
            move || n
        });
        pool.run_all(jobs, |_| unread.set(unread.get() - 1)).unwrap();
        assert_eq!(unread.get(), 0);
        assert!(most.get() <= 3, "{} results waited", most.get());
    });
}

#[test]
fn run_all_contains_what_goes_with_a_sink_that_panics() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    watchdog(|| {
        let pool = InlinePool::new();
        let all = AssertUnwindSafe(|| {
            pool.run_all((0..3).map(|_| || Hostile), |completion| {
                forget(completion);
                resume_unwind(Box::new("sunk"))
            })
        });
        let payload = catch_unwind(all).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"sunk"));
    });
}

#[test]
fn run_all_of_nothing_returns_at_once() {
    watchdog(|| {
        let pool = Lazy::new(1);
        assert_eq!(pool.run_all(Vec::<fn()>::new(), |_| ()).unwrap(), 0);
    });
}

#[test]
fn run_all_on_a_pool_that_closes_tells_what_was_accepted() {
    watchdog(|| {
        let pool = Lazy::new(2);
        let mut numbers = 0..10u64;
        // It does not know how many there are, so each job goes its way.
        let mut rest = std::iter::from_fn(|| {
            let n = numbers.next()?;
            if n == 4 {
                pool.close();
            }
            Some(move || n)
        });
        let mut received = 0;
        let error = pool.run_all(&mut rest, |_| received += 1).unwrap_err();
        assert_eq!(error.accepted, 4);
        assert_eq!(received, 4);
        assert_eq!(error.refused.len(), 1);
        assert_eq!((error.refused[0])(), 4);
        assert_eq!(rest.count(), 5, "what was not taken is still there");
    });
}

#[test]
fn run_all_gives_back_what_it_had_taken_ahead() {
    watchdog(|| {
        let pool = Lazy::new(2);
        let mut rest = (0..10u64).map(|n| {
            if n == 4 {
                pool.close();
            }
            move || n
        });
        let mut received = 0u64;
        let error = pool.run_all(&mut rest, |_| received += 1).unwrap_err();
        assert_eq!(received, error.accepted);
        // Taken before the fifth, and not handed over yet, at most.
        assert!((1..=4).contains(&received));
        let taken = received + error.refused.len() as u64;
        let refused = error.refused.iter().map(|job| job());
        assert!(refused.eq(received..taken));
        assert!(rest.map(|job| job()).eq(taken..10), "they are still there");
    });
}

#[test]
fn map_ordered_yields_in_the_order_of_the_jobs() {
    watchdog(|| {
        let pool = Lazy::new(4);
        let jobs = (0..50u32).map(|n| move || n);
        let mapped = pool.map_ordered(jobs).filter_map(Outcome::done);
        assert!(mapped.eq(0..50));
    });
}

#[test]
fn map_ordered_takes_no_more_jobs_than_twice_the_bound_ahead() {
    watchdog(|| {
        let pool = Lazy::new(4);
        let taken = Cell::new(0usize);
        let jobs = (0..50).map(|_| {
            taken.set(taken.get() + 1);
            || ()
        });
        let mut yielded = 0;
        for _ in pool.map_ordered(jobs) {
            yielded += 1;
            assert!(taken.get() < yielded + 2 * 4);
        }
        assert_eq!(yielded, 50);
    });
}

#[test]
fn map_ordered_on_a_pool_that_closes_gives_the_rest_back_unrun() {
    watchdog(|| {
        let pool = Lazy::new(2);
        let jobs = (0..6).map(|n| {
            if n == 3 {
                pool.close();
            }
            move || n
        });
        let outcomes: Vec<_> = pool
            .map_ordered(jobs)
            .map(|outcome| match outcome {
                Outcome::Done(n) => (n, true),
                Outcome::Cancelled(job) => (job(), false),
                Outcome::Panicked(panic) => panic.resume(),
            })
            .collect();
        let expected = (0..6).map(|n| (n, n < 3)).collect::<Vec<_>>();
        assert_eq!(outcomes, expected);
    });
}

#[test]
fn map_ordered_dropped_early_leaves_nothing_for_the_next_user() {
    watchdog(|| {
        // Inline, the second job is finished when the first one is read.
        let pool = InlinePool::new();
        let mut mapped = pool.map_ordered((0..10).map(|n| move || n));
        assert_eq!(mapped.next().and_then(Outcome::done), Some(0));
        drop(mapped);
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[test]
fn submit_all_of_the_trait_tells_how_many() {
    watchdog(|| {
        let pool = Lazy::new(5);
        let jobs = || (0..5).map(|n| move || n);
        assert_eq!(pool.submit_all(&mut jobs()).unwrap(), 5);
        pool.close();
        // The pool is closed, which comes before full.
        let error = pool.submit_all(&mut jobs()).unwrap_err();
        assert_eq!((error.accepted, error.refused.len()), (0, 1));
    });
}

#[test]
fn pools_work_through_references_boxes_and_arcs() {
    watchdog(|| {
        fn total<P: WorkerPool<fn() -> u32>>(pool: P) -> u32 {
            let mut sum = 0;
            let jobs = [(|| 1) as fn() -> u32, || 2];
            pool.run_all(jobs, |c| sum += c.done().unwrap()).unwrap();
            sum
        }
        let pool = InlinePool::new();
        assert_eq!(total(&pool), 3);
        assert_eq!(total(pool), 3);
        assert_eq!(total(Box::new(InlinePool::new())), 3);
        assert_eq!(total(std::sync::Arc::new(InlinePool::new())), 3);
        let object: Box<dyn WorkerPool<fn() -> u32>> =
            Box::new(InlinePool::new());
        assert_eq!(total(object), 3);
    });
}

#[test]
fn completions_of_others_are_not_taken_for_ones_own() {
    watchdog(|| {
        let pool = InlinePool::new();
        let jobs = |numbers: &[u32]| {
            let numbers = numbers.to_vec();
            numbers.into_iter().map(|n| move || n)
        };
        // Left behind by somebody.
        pool.submit_all(&mut jobs(&[100, 101])).unwrap();
        let mapped = pool.map_ordered(jobs(&[1, 2, 3]));
        assert!(mapped.filter_map(Outcome::done).eq([1, 2, 3]));

        pool.submit_all(&mut jobs(&[102, 103])).unwrap();
        let mut seen = Vec::new();
        let fed = pool.run_all(jobs(&[4, 5]), |c| seen.extend(c.done()));
        assert_eq!(fed.unwrap(), 2);
        assert_eq!(seen, [102, 103, 4, 5]);
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[test]
fn ids_with_gaps_are_told_apart_also_when_many_are_owed() {
    watchdog(|| {
        type Work = Box<dyn FnOnce() -> u32 + Send>;
        // Nothing runs before all are in: four jobs, and before each of them
        // a stranger's.
        let pool = Lazy::<Work>::new(8);
        let jobs = (1..=4).map(|n| {
            pool.submit(Box::new(move || 100 + n)).unwrap();
            Box::new(move || n) as Work
        });
        let mapped = pool.map_ordered(jobs).filter_map(Outcome::done);
        assert!(mapped.eq(1..=4));
    });
}

#[test]
fn a_pool_counts_its_unfinished_jobs_only_if_it_says_so() {
    watchdog(|| {
        let pool = Lazy::<fn()>::new(2);
        pool.submit(|| ()).unwrap();
        assert_eq!(pool.unfinished(), None);
        let counts: Box<dyn WorkerPool<fn()>> = Box::new(InlinePool::new());
        assert_eq!(counts.unfinished(), Some(0));
    });
}

#[test]
fn run_all_waits_for_its_own_last_job_when_others_finish_first() {
    watchdog(|| {
        // The last job in is the first to run, so the stranger comes last.
        let pool = Lazy::new(3);
        let jobs =
            |numbers: std::ops::Range<u32>| numbers.map(|n| move || n);
        pool.submit_all(&mut jobs(100..101)).unwrap();
        let mut seen = Vec::new();
        pool.run_all(jobs(0..5), |c| seen.extend(c.done())).unwrap();
        seen.retain(|n| *n < 100);
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    });
}
