//! What is run: jobs, their ids, and the two together.

use std::fmt;

/// A piece of work with an answer.
///
/// Every `FnOnce() -> T + Send` is a job, so a closure will do. Write a type
/// of your own when a pool is to hold jobs of one kind without boxing them,
/// or when you want a job that comes back unrun to say what it was.
///
/// ```
/// use manyhands_core::Job;
///
/// struct Square(u64);
///
/// impl Job for Square {
///     type Output = u64;
///     fn run(self) -> u64 {
///         self.0 * self.0
///     }
/// }
///
/// assert_eq!(Square(7).run(), 49);
/// assert_eq!((|| 7 * 7).run(), 49);
/// ```
///
/// A job may panic: the pool contains it and reports it as
/// [`Outcome::Panicked`](crate::Outcome::Panicked).
///
/// A job goes to another thread, and its answer comes from there: what may
/// not cross over is refused when it is compiled, as what a closure captures,
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// use manyhands_core::{InlinePool, WorkerPool};
///
/// let pool = InlinePool::new();
/// let count = Rc::new(1);
/// pool.submit(move || *count);
/// ```
///
/// and as what it returns:
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// use manyhands_core::{InlinePool, WorkerPool};
///
/// let pool = InlinePool::new();
/// pool.submit(|| Rc::new(1));
/// ```
pub trait Job: Send {
    /// What the job answers.
    type Output: Send;

    /// True for a job whose answer takes another way than the pool's stream
    /// of completions, as [`Task`](crate::Task) answers its handle. Nobody
    /// reads the completion of such a job, so the pool drops it at once
    /// instead of keeping it for [`recv`](crate::WorkerPool::recv).
    ///
    /// A job that wraps a job passes this on:
    /// `const DETACHED: bool = J::DETACHED`.
    const DETACHED: bool = false;

    /// Does the work.
    fn run(self) -> Self::Output;
}

impl<F, T> Job for F
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    type Output = T;

    fn run(self) -> T {
        self()
    }
}

/// A job with a second face, for pools whose workers are async tasks.
///
/// Both faces do the same work and give the same answer: [`Job::run`] may
/// block its thread, [`run_async`](Self::run_async) awaits instead. A pool of
/// threads takes the first, a pool of tasks the second, so that the same job
/// can be compared on both and neither has to pretend.
///
/// ```
/// use manyhands_core::{AsyncJob, Job};
///
/// struct Double(u64);
///
/// impl Job for Double {
///     type Output = u64;
///     fn run(self) -> u64 {
///         self.0 * 2
///     }
/// }
///
/// impl AsyncJob for Double {
///     async fn run_async(self) -> u64 {
///         self.0 * 2
///     }
/// }
/// ```
pub trait AsyncJob: Job {
    /// Does the work without blocking the thread that polls it.
    fn run_async(self) -> impl Future<Output = Self::Output> + Send;
}

/// Names one accepted job within its pool.
///
/// Ids are unique within a pool, start at 0 and grow in the order in which
/// the pool accepted the jobs: of two jobs that one thread submitted, the
/// later has the greater id. A refused job has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl JobId {
    /// The id with this number. For whoever writes a pool.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number: how many jobs the pool had accepted before this one.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}", self.0)
    }
}

/// An accepted job on its way to a worker: the job and its id.
///
/// What a pool hands over internally; its user sees only the id.
pub struct Ticket<J> {
    /// The name under which the job was accepted.
    pub id: JobId,
    /// The job itself.
    pub job: J,
}

impl<J> fmt::Debug for Ticket<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("id", &self.id).finish_non_exhaustive()
    }
}
