//! A smaller contract: jobs go in, and nothing comes back.

use crate::{Closed, Job, JobId, WorkerPool};

/// Takes jobs whose submitter may be gone when they end.
///
/// What can be kept when a job outlives the process that submitted it: no
/// completion comes back, since there may be nobody for it to come back to.
/// The queues of `manyhands-durable` are sinks and no pools; any
/// pool is one as a [`PoolSink`].
///
/// # The laws
///
/// - *Sink law 1.* An accepted job **runs at least once**. (A pool runs it
///   exactly once, a store until an attempt succeeds or none is left.)
/// - *Sink law 2.* A **refused job is not run**, unless the error says that it
///   is not known whether it was accepted.
/// - *Sink law 3.* Each accepted job has **an id of its own**.
/// - *Sink law 4.* [`stop`](Self::stop) may be called any number of times, from
///   any thread, and afterwards nothing is accepted.
/// - *Sink law 5.* When `stop` has returned, **no job runs** here. What was
///   accepted has run, or is where a later process finds it.
/// - *Sink law 6.* A panic in a job **is contained**, and the next job runs.
///
/// ```
/// use manyhands_core::{InlinePool, JobSink, PoolSink};
///
/// fn greet<S: JobSink<fn()>>(sink: &S) -> Result<(), S::Error> {
///     sink.submit(|| println!("hello"))?;
///     sink.stop();
///     Ok(())
/// }
///
/// greet(&PoolSink(InlinePool::new())).unwrap();
/// ```
pub trait JobSink<J>: Send + Sync {
    /// What an accepted job is called.
    type Id;

    /// Why a job was refused.
    type Error;

    /// Hands a job over. May wait.
    ///
    /// # Errors
    ///
    /// When it was refused.
    fn submit(&self, job: J) -> Result<Self::Id, Self::Error>;

    /// Accepts no more jobs, and waits for those that run.
    fn stop(&self);
}

/// A pool as a sink.
///
/// It remembers what became of each job until [`stop`](JobSink::stop), which
/// forgets it; unless the jobs are [`DETACHED`](Job::DETACHED).
#[derive(Clone, Debug, Default)]
pub struct PoolSink<P>(pub P);

impl<J: Job, P: WorkerPool<J>> JobSink<J> for PoolSink<P> {
    type Id = JobId;
    type Error = Closed<J>;

    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.0.submit(job)
    }

    /// Runs what was accepted.
    fn stop(&self) {
        self.0.close();
        while self.0.recv().is_some() {}
    }
}
