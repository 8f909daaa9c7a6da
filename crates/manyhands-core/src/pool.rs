//! The contract.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use crate::{Closed, Completion, Job, JobId, SubmitAllError, TrySubmitError};

/// A pool that runs jobs `J` on a limited number of workers.
///
/// Seven methods, three that do the same in batches, and two that look. A job
/// goes in through [`submit`](Self::submit), and exactly one [`Completion`]
/// for it comes out of [`recv`](Self::recv). What can be built from these is
/// built from these: see [`WorkerPoolExt`](crate::WorkerPoolExt) and [`Spawn`](crate::Spawn).
///
/// How a pool is made is not part of the trait, since pools differ in what
/// they need; each variant has a [`Builder`](crate::Builder). The trait can
/// be made an object for each job type: `Box<dyn WorkerPool<MyJob>>` is how a
/// program picks a variant by name.
///
/// # The laws
///
/// Every implementation must keep these; each is a named check in the crate
/// `manyhands-conformance`. *Accepted* means that `submit` or `try_submit`
/// returned `Ok`; *refused*, that it returned `Err`.
///
/// ## Jobs
///
/// - *Law 1.* Each accepted id has **exactly one completion**.
/// - *Law 2.* A **refused job comes back** and is never run.
/// - *Law 7.* Never more than [`workers`](Self::workers) jobs run at once, and
///   that many are reached when there is work for them.
/// - *Law 13.* What a job wrote **is visible** to whoever received its
///   completion.
///
/// ## Close and cancel
///
/// - *Law 3.* [`close`](Self::close) may be called any number of times, from
///   any thread, and afterwards nothing is accepted.
/// - *Law 4.* Close **loses nothing** that was accepted: it runs.
/// - *Law 5.* After close, `recv` gives every completion that is still owed,
///   and then `None` for ever.
/// - *Law 10.* After [`cancel`](Self::cancel) no further job starts, and those
///   that had not started come back as [`Outcome::Cancelled`]. A running job
///   is not interrupted; it ends by itself, or by a token of its own. (A
///   worker that had already taken up a job when `cancel` was called may just
///   be starting it.)
/// - *Law 14.* A submitter that waits at the bound is **freed by close or
///   cancel**, with its job handed back.
///
/// [`Outcome::Cancelled`]: crate::Outcome::Cancelled
///
/// ## Backpressure
///
/// - *Law 6.* Only *unfinished* jobs are bounded. Finished ones wait without
///   limit until they are received, so **one thread may submit all its jobs,
///   close, and then read**, at any number of jobs. (Memory grows with what
///   nobody reads; [`run_all`](crate::WorkerPoolExt::run_all) keeps it
///   bounded.)
/// - *Law 8.* At most [`bound`](Self::bound) jobs are accepted and unfinished.
///   That many are reached before anyone waits: `try_submit` says
///   [`Full`](TrySubmitError::Full) at the bound, and only there. A pool that
///   counts them counts them right: [`unfinished`](Self::unfinished).
/// - *Law 17.* `Full` means that a **completion is still owed**: whoever has
///   received every completion finds the pool not full. A place is free before
///   the completion that frees it can be read.
///
/// Law 6 is where the tutorials go wrong. With a bounded channel of results,
/// this program hangs as soon as the jobs outnumber all the buffers; here it
/// must not:
///
/// ```
/// # use manyhands_core::{InlinePool, WorkerPool};
/// # let pool = InlinePool::new();
/// for n in 0..10_000u32 {
///     pool.submit(move || n).unwrap();
/// }
/// pool.close();
/// assert_eq!(std::iter::from_fn(|| pool.recv()).count(), 10_000);
/// ```
///
/// ## Panics
///
/// - *Law 9.* A panic in a job, or in dropping what a job returned, captured
///   or threw, **is contained**: it is one completion like any other, and a
///   pool that saw more panics than it has workers is at full strength. (Two
///   at once, a drop that panics while its job unwinds, end the process: that
///   is Rust's rule. So does the first one in a program that is built with
///   `panic = "abort"`, where nothing can contain it.)
///
/// ## Threads
///
/// - *Law 11.* **Drop is close, then wait**: accepted jobs run, unless
///   `cancel` was called, and no thread outlives its pool. Also when the drop
///   happens while unwinding. (A pool that is dropped by a job of its own
///   cannot wait for that job; each pool says what it waits for then.)
/// - *Law 12.* Any number of threads may submit and receive; each completion
///   goes to exactly one receiver.
/// - *Law 15.* An idle pool **uses no processor time**.
/// - *Law 16.* Threads, memory and file handles are back where they were after
///   drop.
///
/// ## Batches
///
/// - *Law 18.* [`submit_all`](Self::submit_all),
///   [`try_submit_some`](Self::try_submit_some) and
///   [`recv_many`](Self::recv_many) keep laws 1 to 17. `recv_many` waits for
///   one completion, not for `max`. An iterator that panics, or that calls the
///   pool, breaks nothing.
/// - *Law 19.* **No worker sits on jobs while another idles**: a job that
///   waits behind one that runs is taken up by any worker that has nothing to
///   do, and the completion of a job does not wait for the next job, however
///   many of both a worker has taken at once.
///
/// ## Detached jobs
///
/// A job that is [`DETACHED`](Job::DETACHED) answers by another way, as
/// [`Task`](crate::Task) answers its handle. Where these laws speak of its
/// completion, read: its answer there. The pool drops the completion instead
/// of giving it to `recv`, which on such a pool has nothing to give, and
/// returns `None` once the pool is closed and drained. A pool that does not
/// look at the constant only remembers what nobody asks for.
///
/// Law 17 is the exception. Such a job answers while it still has its place, so
/// for a moment after a handle's answer `try_submit` may say `Full`.
///
/// ## Not promised
///
/// The order in which jobs start or finish, also in that the oldest may be
/// the last as long as others come; which thread runs a job; that a
/// `submit` made *from inside a job* of the same pool makes progress at the
/// bound (with every worker waiting for a place, no place becomes free: use
/// `try_submit` there, or the queue of `manyhands-managed`, where such a job
/// never waits). A variant may promise more; its docs say so.
///
/// # For whoever writes a pool
///
/// The open flag and the hand-over must change in one critical section, or a
/// close between "is it open?" and "here is the job" loses the job:
/// [`Intake`](crate::Intake) does that. Results go out through
/// [`results`](crate::results), and jobs run in [`run_one`](crate::run_one).
/// Never drop a job, a result or a payload while a lock is held: its `drop`
/// may call the pool.
pub trait WorkerPool<J: Job>: Send + Sync {
    /// Submits a job. Waits while the pool is at its bound.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the job, not run, once the pool is closed or
    /// cancelled; also when that happens while waiting.
    fn submit(&self, job: J) -> Result<JobId, Closed<J>>;

    /// Submits a job if that needs no waiting.
    ///
    /// # Errors
    ///
    /// The job comes back, not run, when the pool is full or closed.
    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>>;

    /// The next completion, in order of finishing. Waits for one.
    ///
    /// `None` when the pool is closed and every completion was received, and
    /// from then on for ever.
    fn recv(&self) -> Option<Completion<J>>;

    /// Accepts no more jobs; every accepted one still runs. Does not wait.
    fn close(&self);

    /// Closes, and gives back unrun what has not started. Does not wait.
    fn cancel(&self);

    /// Most jobs that run at once.
    fn workers(&self) -> NonZeroUsize;

    /// Most jobs that are accepted and unfinished at once.
    fn bound(&self) -> NonZeroUsize;

    /// How many jobs are accepted and unfinished at the moment; `None` for a
    /// pool that does not count.
    ///
    /// Never more than there are, and exact while nobody submits and no job
    /// ends. Does not wait.
    fn unfinished(&self) -> Option<usize> {
        None
    }

    /// True if a worker has nothing to do, or may soon have nothing: whoever
    /// [holds jobs back](crate::Submitter) should hand them over. A look
    /// without waiting; a pool that does not know says true.
    fn is_hungry(&self) -> bool {
        true
    }

    /// Submits jobs from the front of `jobs`: at least one, and more as far as
    /// that needs no waiting and the pool can take them together. Returns
    /// their ids, which are in a row; none for no jobs.
    ///
    /// What was not accepted is still in `jobs`.
    ///
    /// # Errors
    ///
    /// When none was accepted, since the pool is full or closed.
    fn try_submit_some(
        &self,
        jobs: &mut VecDeque<J>,
    ) -> Result<Range<JobId>, TrySubmitError<()>> {
        let Some(job) = jobs.pop_front() else {
            return Ok(JobId::new(0)..JobId::new(0));
        };
        match self.try_submit(job) {
            Ok(id) => Ok(id..JobId::new(id.get() + 1)),
            Err(TrySubmitError::Full(job)) => {
                jobs.push_front(job);
                Err(TrySubmitError::Full(()))
            }
            Err(TrySubmitError::Closed(job)) => {
                jobs.push_front(job);
                Err(TrySubmitError::Closed(()))
            }
        }
    }

    /// Submits jobs until the iterator ends. Waits at the bound as
    /// [`submit`](Self::submit) does. Returns how many there were.
    ///
    /// The ids of the jobs grow in the iterator's order. The iterator may
    /// take its time: what it has yielded does not wait for what it has not.
    /// If it panics, the jobs it had yielded are accepted, and the panic goes
    /// on at the caller.
    ///
    /// # Errors
    ///
    /// [`SubmitAllError`] when the pool is closed or cancelled on the way,
    /// with what was taken from the iterator and refused.
    fn submit_all(
        &self,
        jobs: &mut dyn Iterator<Item = J>,
    ) -> Result<u64, SubmitAllError<J>> {
        let mut accepted = 0;
        for job in jobs {
            match self.submit(job) {
                Ok(_) => accepted += 1,
                Err(Closed(job)) => {
                    let refused = vec![job];
                    return Err(SubmitAllError { accepted, refused });
                }
            }
        }
        Ok(accepted)
    }

    /// Moves completions to the end of `into`: at least one, and as many more
    /// as are at hand, `max` at most. Waits for the first, never for more.
    ///
    /// Returns how many, which is 0 only when the pool is closed and every
    /// completion was received, or when `max` is 0.
    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        match self.recv() {
            Some(completion) => {
                into.push(completion);
                1
            }
            None => 0,
        }
    }
}

/// A reference or a smart pointer to a pool is a pool.
macro_rules! forward {
    ($(<$($lifetime:lifetime)?> $pointer:ty),*) => {$(
        impl<$($lifetime,)? J, P> WorkerPool<J> for $pointer
        where
            J: Job,
            P: WorkerPool<J> + ?Sized,
        {
            fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
                (**self).submit(job)
            }

            fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
                (**self).try_submit(job)
            }

            fn recv(&self) -> Option<Completion<J>> {
                (**self).recv()
            }

            fn close(&self) {
                (**self).close();
            }

            fn cancel(&self) {
                (**self).cancel();
            }

            fn workers(&self) -> NonZeroUsize {
                (**self).workers()
            }

            fn bound(&self) -> NonZeroUsize {
                (**self).bound()
            }

            fn unfinished(&self) -> Option<usize> {
                (**self).unfinished()
            }

            fn is_hungry(&self) -> bool {
                (**self).is_hungry()
            }

            fn try_submit_some(
                &self,
                jobs: &mut VecDeque<J>,
            ) -> Result<Range<JobId>, TrySubmitError<()>> {
                (**self).try_submit_some(jobs)
            }

            fn submit_all(
                &self,
                jobs: &mut dyn Iterator<Item = J>,
            ) -> Result<u64, SubmitAllError<J>> {
                (**self).submit_all(jobs)
            }

            fn recv_many(
                &self,
                into: &mut Vec<Completion<J>>,
                max: usize,
            ) -> usize {
                (**self).recv_many(into, max)
            }
        }
    )*};
}

forward!(<'a> &'a P, <> Box<P>, <> Arc<P>);
