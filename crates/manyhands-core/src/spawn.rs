//! Closures of any kind, on one pool.

use crate::{Closed, Job, JobHandle, JobId, Task, TrySubmitError, WorkerPool};

/// Submitting closures to a pool of [`Task`]s: with a handle to the answer, or
/// without one.
///
/// ```
/// use manyhands_core::{InlinePool, Spawn, Task};
///
/// let pool = InlinePool::<Task<'static>>::new();
/// let answer = pool.spawn(|| 6 * 7).unwrap();
/// assert_eq!(answer.join().unwrap(), 42);
///
/// pool.execute(|| log("nobody waits for this")).unwrap();
/// # fn log(_: &str) {}
/// ```
///
/// The answer goes to the handle and not through
/// [`recv`](WorkerPool::recv), so nothing has to be read from the pool, and
/// nothing piles up in it. Cost: one allocation a closure.
///
/// `J` is [`Task`], or a wrapper that a pool wants around its jobs.
pub trait Spawn<'a, J: Job + From<Task<'a>>>: WorkerPool<J> {
    /// Submits a closure. Waits while the pool is at its bound.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the closure, not run, when the pool is closed.
    fn spawn<F, T>(&self, work: F) -> Result<JobHandle<'a, T>, Closed<F>>
    where
        F: FnOnce() -> T + Send + 'a,
        T: Send + 'a,
    {
        JobHandle::submit(work, |job| self.submit(job))
            .map_err(|(work, _)| Closed(work))
    }

    /// Submits a closure if that needs no waiting.
    ///
    /// # Errors
    ///
    /// The closure comes back, not run, when the pool is full or closed.
    fn try_spawn<F, T>(
        &self,
        work: F,
    ) -> Result<JobHandle<'a, T>, TrySubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'a,
        T: Send + 'a,
    {
        JobHandle::submit(work, |job| self.try_submit(job)).map_err(
            |(work, refused)| match refused {
                TrySubmitError::Full(_) => TrySubmitError::Full(work),
                TrySubmitError::Closed(_) => TrySubmitError::Closed(work),
            },
        )
    }

    /// Submits a closure that nobody waits for. Waits while the pool is at
    /// its bound.
    ///
    /// There is no handle that would say how it ends. If it panics, the pool
    /// knows, as of every job ([`Outcome::Panicked`](crate::Outcome)), and so
    /// does what stands around its jobs and counts or logs what becomes of
    /// them. A panic of a closure that was spawned is its handle's alone.
    ///
    /// Cost: the closure in a box, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the closure, not run, as the job that was made of it,
    /// when the pool is closed.
    fn execute<F>(&self, work: F) -> Result<JobId, Closed<J>>
    where
        F: FnOnce() + Send + 'a,
    {
        self.submit(Task::alone(work).into())
    }

    /// [`execute`](Self::execute), if that needs no waiting.
    ///
    /// # Errors
    ///
    /// The job that was made of the closure comes back, not run, when the
    /// pool is full or closed. [`try_submit`](WorkerPool::try_submit) takes
    /// it the next time.
    fn try_execute<F>(&self, work: F) -> Result<JobId, TrySubmitError<J>>
    where
        F: FnOnce() + Send + 'a,
    {
        self.try_submit(Task::alone(work).into())
    }
}

impl<'a, J, P> Spawn<'a, J> for P
where
    J: Job + From<Task<'a>>,
    P: WorkerPool<J> + ?Sized,
{
}
