//! What the conveniences do on a pool that others use too.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use manyhands_conformance::watchdog;
use manyhands_core::{
    Closed, Completion, InlinePool, Job, JobId, Outcome, PoolIterator, Task,
    TrySubmitError, WorkerPool, WorkerPoolExt,
};

/// A pool that is full of other people's jobs, until a submit has waited for
/// them to be gone.
struct Crowded<J: Job> {
    crowded: AtomicBool,
    inner: InlinePool<J>,
}

impl<J: Job> Crowded<J> {
    fn new() -> Self {
        let crowded = AtomicBool::new(true);
        Self { crowded, inner: InlinePool::new() }
    }
}

impl<J: Job> WorkerPool<J> for Crowded<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.crowded.store(false, Ordering::SeqCst);
        self.inner.submit(job)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        if self.crowded.load(Ordering::SeqCst) {
            return Err(TrySubmitError::Full(job));
        }
        self.inner.try_submit(job)
    }

    fn recv(&self) -> Option<Completion<J>> {
        let crowded = self.crowded.load(Ordering::SeqCst);
        assert!(!crowded, "waits for a completion that goes to others");
        self.inner.recv()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn cancel(&self) {
        self.inner.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.inner.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.inner.bound()
    }
}

#[test]
fn run_all_waits_for_a_place_while_the_pool_is_full_of_other_jobs() {
    watchdog(|| {
        let pool = Crowded::new();
        let mut seen = Vec::new();
        let jobs = (0..3).map(|n| move || n);
        let fed = pool.run_all(jobs, |c| seen.extend(c.done()));
        assert_eq!(fed.unwrap(), 3);
        assert_eq!(seen, [0, 1, 2]);
    });
}

#[test]
fn map_ordered_waits_for_a_place_while_the_pool_is_full_of_other_jobs() {
    watchdog(|| {
        let pool = Crowded::new();
        let mapped = pool.map_ordered((0..3).map(|n| move || n));
        assert!(mapped.filter_map(Outcome::done).eq(0..3));
    });
}

#[test]
fn pool_map_waits_for_a_place_while_the_pool_is_full_of_other_jobs() {
    watchdog(|| {
        let pool = Crowded::<Task<'_>>::new();
        assert!((0..3).pool_map(&pool, |n| n).eq(0..3));
    });
}

/// Four jobs, 1 to 4, and before each of them a stranger's job.
fn between_strangers<P>(pool: &P) -> impl Iterator<Item = Box<Work>>
where
    P: WorkerPool<Box<Work>>,
{
    (1..=4).map(move |n| {
        pool.submit(Box::new(move || 100 + n)).unwrap();
        Box::new(move || n) as Box<Work>
    })
}

type Work = dyn FnOnce() -> u32 + Send;

#[test]
fn ids_with_gaps_between_them_are_told_apart() {
    watchdog(|| {
        let pool = InlinePool::new();
        let mapped = pool.map_ordered(between_strangers(&pool));
        assert!(mapped.filter_map(Outcome::done).eq(1..=4));

        let mut seen = Vec::new();
        let fed =
            pool.run_all(between_strangers(&pool), |c| seen.extend(c.done()));
        assert_eq!(fed.unwrap(), 4);
        seen.retain(|n| *n < 100);
        assert_eq!(seen, [1, 2, 3, 4]);
    });
}

/// Two jobs, and after them somebody who closes the pool and reads the rest.
fn then_robbed<P>(pool: &P) -> impl Iterator<Item = Box<Work>>
where
    P: WorkerPool<Box<Work>>,
{
    (1..=3u32).map_while(move |n| {
        if n == 3 {
            pool.close();
            assert!(pool.recv().is_some(), "there was nothing to take");
            while pool.recv().is_some() {}
            return None;
        }
        Some(Box::new(move || n) as Box<Work>)
    })
}

#[test]
fn run_all_ends_when_others_have_read_what_was_owed_to_it() {
    watchdog(|| {
        let pool = InlinePool::new();
        let mut seen = Vec::new();
        let fed = pool.run_all(then_robbed(&pool), |c| seen.extend(c.done()));
        assert_eq!(fed.unwrap(), 2);
        assert!(seen.len() < 2, "all came, though one was taken");
    });
}

#[test]
fn map_ordered_ends_when_others_have_read_what_was_owed_to_it() {
    watchdog(|| {
        let pool = InlinePool::new();
        let mapped = pool.map_ordered(then_robbed(&pool));
        let seen: Vec<_> = mapped.filter_map(Outcome::done).collect();
        assert!(seen.len() < 2, "all came, though one was taken");
    });
}
