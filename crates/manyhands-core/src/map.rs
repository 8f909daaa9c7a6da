//! An iterator's `map`, on a pool.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Fuse;
use std::marker::PhantomData;

use crate::run::discard;
use crate::sync::Arc;
use crate::{Job, JobError, JobHandle, Task, WorkerPool};

/// An iterator's items through a function, on a pool.
pub trait PoolIterator: Iterator + Sized {
    /// [`map`](Iterator::map), with the calls of `f` on the workers of a pool
    /// of [`Task`]s: the results in the order of the items, while later ones
    /// are at work.
    ///
    /// Lazy, as `map` is: nothing happens before the first result is asked
    /// for. Then items are taken as the pool has room for them, and never more
    /// than twice the [bound](WorkerPool::bound) ahead of what was yielded, so
    /// an endless iterator will do. An item that takes long holds up a bounded
    /// number of results; an *iterator* that takes long, the results that are
    /// ready.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, PoolIterator, Task};
    ///
    /// let pool = InlinePool::<Task<'_>>::new();
    /// let lengths = ["many", "hands"].iter().pool_map(&pool, |word| word.len());
    /// assert!(lengths.eq([4, 5]));
    /// ```
    ///
    /// Any number of such iterators, and others' jobs, may be on one pool.
    /// That is the difference to
    /// [`map_ordered`](crate::WorkerPoolExt::map_ordered), which reads the
    /// pool's completions and so wants to be its only reader. In return it
    /// allocates nothing for an item, takes jobs of one's own type, and gives
    /// back as outcomes what panicked and what a pool that closes did not run.
    /// Here a panic goes on, and that is a panic.
    ///
    /// Dropped early, it [aborts](JobHandle::abort) what has not started, and
    /// does not wait for what runs.
    ///
    /// Cost: one allocation an item.
    ///
    /// # Panics
    ///
    /// The iterator panics, when it comes to that item, with what `f` panicked
    /// with; it can be asked for the next one. It also panics when the pool was
    /// closed before it took an item, or cancelled before it ran it.
    ///
    /// Asked from inside a job of the pool, the iterator holds a worker while
    /// it waits.
    fn pool_map<'a, P, J, F, T>(
        self,
        pool: P,
        f: F,
    ) -> PoolMap<'a, Self, P, J, F, T>
    where
        P: WorkerPool<J>,
        J: Job + From<Task<'a>>,
        F: Fn(Self::Item) -> T + Send + Sync + 'a,
        Self::Item: Send + 'a,
        T: Send + 'a,
    {
        PoolMap {
            window: pool.bound().get().saturating_mul(2),
            items: self.fuse(),
            pool,
            f: Arc::new(f),
            refused: None,
            under_way: VecDeque::new(),
            job: PhantomData,
        }
    }
}

impl<I: Iterator> PoolIterator for I {}

/// Results in the order of their items; see [`PoolIterator::pool_map`].
#[must_use = "an iterator does nothing until it is asked"]
pub struct PoolMap<'a, I: Iterator, P, J, F, T> {
    items: Fuse<I>,
    pool: P,
    f: Arc<F>,
    /// The call that found the pool full, or closed.
    refused: Option<Call<F, I::Item>>,
    /// What was submitted and not yielded, in the order of the items.
    under_way: VecDeque<JobHandle<'a, T>>,
    /// How many these may be.
    window: usize,
    job: PhantomData<fn() -> J>,
}

/// One item, and what is to be done with it.
struct Call<F, X> {
    f: Arc<F>,
    item: X,
}

impl<F, X, T> Job for Call<F, X>
where
    F: Fn(X) -> T + Send + Sync,
    X: Send,
    T: Send,
{
    type Output = T;

    fn run(self) -> T {
        (self.f)(self.item)
    }
}

impl<'a, I, P, J, F, T> PoolMap<'a, I, P, J, F, T>
where
    I: Iterator,
    P: WorkerPool<J>,
    J: Job + From<Task<'a>>,
    F: Fn(I::Item) -> T + Send + Sync + 'a,
    I::Item: Send + 'a,
    T: Send + 'a,
{
    /// Submits as many calls as there may be. Waits for a place only as long
    /// as there is no result to be had instead.
    fn feed(&mut self) {
        while self.under_way.len() < self.window {
            let Some(call) = self.next_call() else { return };
            let ready =
                self.under_way.front().is_some_and(JobHandle::is_finished);
            let submitted = JobHandle::submit(call, |job| match ready {
                true => self.pool.try_submit(job),
                false => Ok(self.pool.submit(job)?),
            });
            match submitted {
                Ok(handle) => self.under_way.push_back(handle),
                Err((call, _)) => {
                    self.refused = Some(call);
                    return;
                }
            }
        }
    }

    fn next_call(&mut self) -> Option<Call<F, I::Item>> {
        self.refused.take().or_else(|| {
            let item = self.items.next()?;
            Some(Call { f: Arc::clone(&self.f), item })
        })
    }
}

impl<'a, I, P, J, F, T> Iterator for PoolMap<'a, I, P, J, F, T>
where
    I: Iterator,
    P: WorkerPool<J>,
    J: Job + From<Task<'a>>,
    F: Fn(I::Item) -> T + Send + Sync + 'a,
    I::Item: Send + 'a,
    T: Send + 'a,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.feed();
        let Some(handle) = self.under_way.pop_front() else {
            // Nothing under way: the end, or a pool that takes no more.
            let call = self.refused.take()?;
            discard(call);
            panic!("pool_map: the pool was closed before it took the item");
        };
        match handle.join() {
            Ok(result) => Some(result),
            Err(JobError::Panicked(panic)) => panic.resume(),
            Err(JobError::Cancelled) => {
                panic!(
                    "pool_map: the pool was cancelled before the item's turn"
                );
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let taken = self.under_way.len() + usize::from(self.refused.is_some());
        let (least, most) = self.items.size_hint();
        let most = most.and_then(|most| most.checked_add(taken));
        (least.saturating_add(taken), most)
    }
}

impl<I: Iterator, P, J, F, T> Drop for PoolMap<'_, I, P, J, F, T> {
    fn drop(&mut self) {
        for handle in self.under_way.drain(..) {
            handle.abort();
            discard(handle);
        }
        discard(self.refused.take());
    }
}

impl<I: Iterator, P, J, F, T> fmt::Debug for PoolMap<'_, I, P, J, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolMap")
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}
