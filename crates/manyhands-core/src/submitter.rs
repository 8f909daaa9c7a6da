//! Jobs that are handed over together.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;

use crate::{
    Closed, Job, SubmitAllError, TrySubmitError, WorkerPool, discard,
};

/// Keeps jobs back and hands them over together, as a
/// [`BufWriter`](std::io::BufWriter) does with bytes; see
/// [`submitter`](crate::WorkerPoolExt::submitter).
///
/// It hands over when it holds 64, before it waits for anything, when it is
/// [flushed](Self::flush), when it is dropped, and as soon as it is given a
/// job while the pool [is hungry](WorkerPool::is_hungry). So no worker goes
/// without while jobs come in; but after the last one, flush.
///
/// A job that is kept back was not accepted: it has no id, and the pool knows
/// nothing of it.
#[must_use = "a submitter hands over what it is given"]
pub struct Submitter<'a, J: Job, P: WorkerPool<J> + ?Sized> {
    pool: &'a P,
    jobs: VecDeque<J>,
}

impl<'a, J: Job, P: WorkerPool<J> + ?Sized> Submitter<'a, J, P> {
    /// How many it holds at most.
    const MOST: usize = 64;

    pub(crate) fn new(pool: &'a P) -> Self {
        Self { pool, jobs: VecDeque::with_capacity(Self::MOST) }
    }

    /// Takes a job, and hands over all it has if it is time to. Waits then
    /// while the pool is at its bound.
    ///
    /// # Errors
    ///
    /// When the pool is closed, with all jobs that are refused.
    pub fn submit(&mut self, job: J) -> Result<(), SubmitAllError<J>> {
        self.jobs.push_back(job);
        if self.jobs.len() >= Self::MOST || self.pool.is_hungry() {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands over all it has. Waits while the pool is at its bound. Returns
    /// how many there were.
    ///
    /// # Errors
    ///
    /// When the pool is closed, with all jobs that are refused.
    pub fn flush(&mut self) -> Result<u64, SubmitAllError<J>> {
        let mut accepted = 0;
        while !self.jobs.is_empty() {
            match self.pool.try_submit_some(&mut self.jobs) {
                Ok(ids) => accepted += ids.end.get() - ids.start.get(),
                Err(TrySubmitError::Full(())) => {
                    let Some(job) = self.jobs.pop_front() else { break };
                    match self.pool.submit(job) {
                        Ok(_) => accepted += 1,
                        Err(Closed(job)) => self.jobs.push_front(job),
                    }
                }
                Err(TrySubmitError::Closed(())) => {
                    let refused = take(&mut self.jobs).into();
                    return Err(SubmitAllError { accepted, refused });
                }
            }
        }
        Ok(accepted)
    }

    /// How many jobs it holds.
    pub fn held(&self) -> usize {
        self.jobs.len()
    }
}

/// Flushes. What the pool refuses is dropped, with panics contained; flush
/// before to have it back. While a panic unwinds, nothing is handed over, since
/// that might wait: what is held is dropped.
impl<J: Job, P: WorkerPool<J> + ?Sized> Drop for Submitter<'_, J, P> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            if let Err(error) = self.flush() {
                error.refused.into_iter().for_each(discard);
            }
        }
        self.jobs.drain(..).for_each(discard);
    }
}

impl<J: Job, P: WorkerPool<J> + ?Sized> fmt::Debug for Submitter<'_, J, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter")
            .field("held", &self.jobs.len())
            .finish_non_exhaustive()
    }
}
