//! What every pool can do because it keeps the contract.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::iter::Fuse;
use std::marker::PhantomData;
use std::mem::take;
use std::time::Duration;

use crate::ahead::Ahead;
use crate::owed::Owed;
use crate::shutdown::shutdown;
use crate::{
    Closed, Completion, Job, JobId, Outcome, Shutdown, SubmitAllError,
    Submitter, TrySubmitError, WorkerPool, discard,
};

/// Conveniences over [`WorkerPool`], for every implementation of it.
///
/// `run_all` and `map_ordered` read completions until they have those of their
/// own jobs, so they want to be the pool's only reader while they run. The
/// pool stays open and can be used again afterwards. A completion of somebody
/// else's job that they come upon is passed on by `run_all`, and dropped by
/// `map_ordered`.
pub trait WorkerPoolExt<J: Job>: WorkerPool<J> {
    /// The completions as an iterator: waits for each as
    /// [`recv`](WorkerPool::recv) does, and ends when the pool is closed and
    /// drained.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, WorkerPool, WorkerPoolExt};
    ///
    /// let pool = InlinePool::new();
    /// for n in 1..=3u32 {
    ///     pool.submit(move || n * 10).unwrap();
    /// }
    /// pool.close();
    /// let sum: u32 = pool.completions().filter_map(|c| c.done()).sum();
    /// assert_eq!(sum, 60);
    /// ```
    fn completions(&self) -> Completions<'_, J, Self> {
        Completions { pool: self, job: PhantomData }
    }

    /// Feeds all jobs to the pool and every completion to `sink`, in order of
    /// finishing. Returns how many jobs there were, after the last one's
    /// completion.
    ///
    /// Works from one thread, for any number of jobs, in bounded memory: it
    /// reads whenever the pool is full, and never lets more than twice the
    /// bound of jobs and unread results come together.
    ///
    /// Hands jobs over several at a time where the pool can take them so. For
    /// that it takes them from the iterator ahead, 256 at most, as long as the
    /// iterator [knows](Iterator::size_hint) that it has so many and yields
    /// them within microseconds. From one that does not know, such as the
    /// lines of a file or what others send, each job goes its way at once.
    ///
    /// For [detached](Job::DETACHED) jobs, which have no completions, this
    /// does not compile.
    ///
    /// # Errors
    ///
    /// [`SubmitAllError`] when the pool is closed or cancelled on the way,
    /// after `sink` got the completions of all that was accepted.
    ///
    /// # Panics
    ///
    /// If `sink` or the iterator does. The pool is left with completions to
    /// be read. When the iterator panics, all that it had yielded was
    /// accepted. When the sink does, the completions that had been read
    /// together with the one it panicked on are dropped, and so are the jobs
    /// that had been taken from the iterator ahead.
    fn run_all(
        &self,
        jobs: impl IntoIterator<Item = J>,
        mut sink: impl FnMut(Completion<J>),
    ) -> Result<u64, SubmitAllError<J>> {
        const { assert!(!J::DETACHED, "detached jobs have no completions") };
        let most = self.bound().get().saturating_mul(2);
        let mut ahead = Ahead::new(jobs.into_iter());
        let mut accepted = 0;
        let mut owed = Owed::default();
        let mut batch = Vec::new();
        // Hands on what is finished; waits for one completion if none is.
        let mut read = |owed: &mut Owed| {
            if self.recv_many(&mut batch, usize::MAX) == 0 {
                // Somebody else closed the pool and read what was owed to us.
                owed.clear();
            }
            owed.settle_all(batch.iter().map(|completion| completion.id));
            Contained(batch.drain(..)).for_each(&mut sink);
        };
        let mut closed = false;
        while !closed && ahead.fill(most.saturating_sub(owed.len()).max(1)) {
            if owed.len() >= most {
                read(&mut owed);
                continue;
            }
            match self.try_submit_some(&mut ahead.jobs) {
                Ok(ids) => {
                    accepted += ids.end.get() - ids.start.get();
                    owed.add(ids);
                }
                Err(TrySubmitError::Full(())) if !owed.is_empty() => {
                    read(&mut owed);
                }
                // Full of other people's jobs: wait as they do.
                Err(TrySubmitError::Full(())) => {
                    let Some(job) = ahead.jobs.pop_front() else { break };
                    match self.submit(job) {
                        Ok(id) => {
                            accepted += 1;
                            owed.add(id..JobId::new(id.get() + 1));
                        }
                        Err(Closed(job)) => {
                            ahead.jobs.push_front(job);
                            closed = true;
                        }
                    }
                }
                Err(TrySubmitError::Closed(())) => closed = true,
            }
        }
        while !owed.is_empty() {
            read(&mut owed);
        }
        if closed {
            let refused = ahead.jobs.drain(..).collect();
            return Err(SubmitAllError { accepted, refused });
        }
        Ok(accepted)
    }

    /// A submitter of its own that keeps jobs back and hands them over
    /// together: for jobs so small that handing over is what they cost.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, WorkerPool, WorkerPoolExt};
    ///
    /// let pool = InlinePool::new();
    /// let mut submitter = pool.submitter();
    /// for n in 1..=1000u32 {
    ///     submitter.submit(move || n).unwrap();
    /// }
    /// drop(submitter); // hands over the last ones
    /// pool.close();
    /// assert_eq!(pool.completions().count(), 1000);
    /// ```
    fn submitter(&self) -> Submitter<'_, J, Self> {
        Submitter::new(self)
    }

    /// Runs the jobs and yields what became of each **in the order of the
    /// jobs**, while later ones are still running.
    ///
    /// Exactly one outcome a job. Jobs are taken from the iterator only as
    /// the pool has room, and never more than twice the bound ahead of what
    /// was yielded, so a job that takes long holds up a bounded number of
    /// finished ones. If the pool is closed on the way, the remaining jobs
    /// come back as [`Outcome::Cancelled`].
    ///
    /// On a pool of tasks that others use at the same time, take
    /// [`pool_map`](crate::PoolIterator::pool_map); it says what differs.
    ///
    /// Dropped early, it waits for the jobs that are under way and drops
    /// their results, so that none turns up at the pool's next user.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, WorkerPoolExt};
    ///
    /// let pool = InlinePool::new();
    /// let jobs = ["a", "b", "c"].map(|word| move || word.to_uppercase());
    /// let words: Vec<String> =
    ///     pool.map_ordered(jobs).filter_map(|outcome| outcome.done()).collect();
    /// assert_eq!(words, ["A", "B", "C"]);
    /// ```
    fn map_ordered<I>(&self, jobs: I) -> MapOrdered<'_, J, Self, I::IntoIter>
    where
        I: IntoIterator<Item = J>,
    {
        const { assert!(!J::DETACHED, "detached jobs have no completions") };
        MapOrdered {
            pool: self,
            jobs: jobs.into_iter().fuse(),
            most: self.bound().get().saturating_mul(2),
            waiting: VecDeque::new(),
            finished: BTreeMap::new(),
            owed: Owed::default(),
            refused: None,
        }
    }

    /// Closes the pool and waits for its jobs, for `patience` at most; then
    /// cancels, and leaves behind what is still running. Every completion
    /// that comes in time goes to `sink`, on this thread.
    ///
    /// Dropping a pool waits for its jobs, and a job may never end. This does
    /// not wait for it: no more than `patience`, a tenth of a second for what
    /// the cancel brings back, and the call of `sink` that is under way when
    /// either is over. What was [abandoned](Shutdown::abandoned) runs on, and
    /// keeps its thread and what it borrowed from the pool; what was queued
    /// never starts.
    ///
    /// Not for a pool that others go on reading from: what they receive is
    /// not counted here.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_core::{InlinePool, WorkerPool, WorkerPoolExt};
    ///
    /// let pool = InlinePool::new();
    /// pool.submit(|| 6 * 7)?;
    /// let end = pool.shutdown(Duration::from_secs(5), |completion| {
    ///     assert_eq!(completion.done(), Some(42));
    /// })?;
    /// assert!(end.is_complete());
    /// assert_eq!(end.done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the system refuses the thread that reads meanwhile. The pool was
    /// then dropped, which waits for every job.
    ///
    /// # Panics
    ///
    /// If `sink` does. The pool is closed by then, and its jobs run on.
    fn shutdown(
        self,
        patience: Duration,
        sink: impl FnMut(Completion<J>),
    ) -> io::Result<Shutdown>
    where
        J: 'static,
        Self: Sized + 'static,
    {
        shutdown(self, patience, sink)
    }
}

impl<J: Job, P: WorkerPool<J> + ?Sized> WorkerPoolExt<J> for P {}

/// What is left of an iterator when it is dropped is dropped with panics
/// contained, as when the loop over it panics.
struct Contained<I: Iterator>(I);

impl<I: Iterator> Iterator for Contained<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

impl<I: Iterator> Drop for Contained<I> {
    fn drop(&mut self) {
        self.by_ref().for_each(discard);
    }
}

/// The completions of a pool; see [`WorkerPoolExt::completions`].
#[must_use = "an iterator does nothing until it is asked"]
pub struct Completions<'a, J: Job, P: WorkerPool<J> + ?Sized> {
    pool: &'a P,
    job: PhantomData<fn() -> J>,
}

impl<J: Job, P: WorkerPool<J> + ?Sized> Iterator for Completions<'_, J, P> {
    type Item = Completion<J>;

    fn next(&mut self) -> Option<Completion<J>> {
        self.pool.recv()
    }
}

/// Outcomes in the order of their jobs; see [`WorkerPoolExt::map_ordered`].
#[must_use = "an iterator does nothing until it is asked"]
pub struct MapOrdered<'a, J, P, I>
where
    J: Job,
    P: WorkerPool<J> + ?Sized,
    I: Iterator<Item = J>,
{
    pool: &'a P,
    jobs: Fuse<I>,
    /// Most jobs that were submitted and whose outcome was not yielded.
    most: usize,
    /// Their ids, in the order of the jobs.
    waiting: VecDeque<JobId>,
    /// What came out of order.
    finished: BTreeMap<JobId, Outcome<J>>,
    /// Those of them whose completion is still to be received.
    owed: Owed,
    /// The job that found the pool full, or closed.
    refused: Option<TrySubmitError<J>>,
}

impl<J, P, I> MapOrdered<'_, J, P, I>
where
    J: Job,
    P: WorkerPool<J> + ?Sized,
    I: Iterator<Item = J>,
{
    /// Submits what the pool has room for.
    fn feed(&mut self) {
        while self.waiting.len() < self.most {
            let job = match self.refused.take() {
                Some(TrySubmitError::Full(job)) => Some(job),
                Some(TrySubmitError::Closed(job)) => {
                    self.refused = Some(TrySubmitError::Closed(job));
                    return;
                }
                None => self.jobs.next(),
            };
            let Some(job) = job else { return };
            let submitted = match self.pool.try_submit(job) {
                // Full of other people's jobs: wait as they do.
                Err(TrySubmitError::Full(job)) if self.waiting.is_empty() => {
                    self.pool.submit(job).map_err(TrySubmitError::from)
                }
                submitted => submitted,
            };
            match submitted {
                Ok(id) => {
                    self.waiting.push_back(id);
                    self.owed.add(id..JobId::new(id.get() + 1));
                }
                Err(refused) => {
                    self.refused = Some(refused);
                    return;
                }
            }
        }
    }

    fn receive(&mut self) {
        match self.pool.recv() {
            Some(Completion { id, outcome }) => {
                if self.owed.settle(id) {
                    self.finished.insert(id, outcome);
                } else {
                    discard(outcome);
                }
            }
            // Somebody else read what was owed to us.
            None => {
                self.owed.clear();
                self.waiting.retain(|id| self.finished.contains_key(id));
            }
        }
    }
}

impl<J, P, I> Iterator for MapOrdered<'_, J, P, I>
where
    J: Job,
    P: WorkerPool<J> + ?Sized,
    I: Iterator<Item = J>,
{
    type Item = Outcome<J>;

    fn next(&mut self) -> Option<Outcome<J>> {
        loop {
            self.feed();
            match self.waiting.front() {
                None => break,
                Some(id) => match self.finished.remove(id) {
                    Some(outcome) => {
                        self.waiting.pop_front();
                        return Some(outcome);
                    }
                    None => self.receive(),
                },
            }
        }
        // Nothing under way: the end, or a closed pool that runs no more.
        let job = self.refused.take().map(TrySubmitError::into_inner);
        job.or_else(|| self.jobs.next()).map(Outcome::Cancelled)
    }
}

impl<J, P, I> Drop for MapOrdered<'_, J, P, I>
where
    J: Job,
    P: WorkerPool<J> + ?Sized,
    I: Iterator<Item = J>,
{
    fn drop(&mut self) {
        while !self.owed.is_empty() {
            self.receive();
        }
        let finished = take(&mut self.finished);
        finished.into_values().for_each(discard);
    }
}

impl<J: Job, P: WorkerPool<J> + ?Sized> fmt::Debug for Completions<'_, J, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").finish_non_exhaustive()
    }
}

impl<J, P, I> fmt::Debug for MapOrdered<'_, J, P, I>
where
    J: Job,
    P: WorkerPool<J> + ?Sized,
    I: Iterator<Item = J>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapOrdered")
            .field("owed", &self.owed.len())
            .finish_non_exhaustive()
    }
}
