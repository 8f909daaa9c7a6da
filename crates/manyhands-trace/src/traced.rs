//! A job that wraps a job, and tells somebody what becomes of it.

use std::fmt;
use std::sync::Arc;
use std::thread::panicking;

use manyhands_core::{AsyncJob, Job};

/// Somebody who is told what becomes of jobs.
///
/// Called on the thread where it happens, within the time of the job: it
/// should be quick, and must not panic.
///
/// Two of them are told together as a pair.
pub trait Observe: Send + Sync {
    /// What is kept with a job from one call to the next.
    type Job: Send;

    /// A job was made, to be submitted, and is called by that number.
    fn made(&self, number: u64) -> Self::Job;

    /// It starts, on this thread.
    fn started(&self, job: &mut Self::Job);

    /// It has ended so, on this thread, and nothing follows.
    fn ended(&self, job: Self::Job, how: Ended);
}

/// How a job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// It returned.
    Done,
    /// It returned, and what it returned is an error.
    Failed,
    /// It panicked.
    Panicked,
    /// It was not started: cancelled, or refused and dropped.
    Cancelled,
    /// It was started, and dropped before its end: the future of an async
    /// job, as its runtime was shut down.
    Abandoned,
}

impl Ended {
    /// Every one of them.
    pub const ALL: [Self; 5] = [
        Self::Done,
        Self::Failed,
        Self::Panicked,
        Self::Cancelled,
        Self::Abandoned,
    ];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A job whose observer is told when it was made, starts, and ends.
///
/// It goes through any pool in the place of the job, on either face, and
/// nothing in the pool knows.
///
/// ```
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_trace::{Recorder, Traced};
///
/// let recorder = Recorder::new(1000);
/// let jobs = (1..=5).map(|n| Traced::new(n, move || n * n, &recorder));
/// InlinePool::new().run_all(jobs, drop).unwrap();
/// assert_eq!(recorder.trace(1).records().len(), 5);
/// ```
pub struct Traced<J: Job, O: Observe> {
    job: J,
    is_ok: fn(&J::Output) -> bool,
    watch: Watch<O>,
}

impl<J: Job, O: Observe> Traced<J, O> {
    /// Wraps a job, which from now on waits.
    pub fn new(number: u64, job: J, observer: &Arc<O>) -> Self {
        Self::with_check(number, job, observer, |_| true)
    }

    /// [`new`](Self::new), for a job whose output may be one that counts as
    /// [`Ended::Failed`].
    pub fn with_check(
        number: u64,
        job: J,
        observer: &Arc<O>,
        is_ok: fn(&J::Output) -> bool,
    ) -> Self {
        let told = Some(observer.made(number));
        let observer = Arc::clone(observer);
        let watch = Watch { observer, told, how: Ended::Cancelled };
        Self { job, is_ok, watch }
    }

    /// The job, which is then taken for cancelled.
    pub fn into_inner(self) -> J {
        self.job
    }
}

impl<J, O, T, E> Traced<J, O>
where
    J: Job<Output = Result<T, E>>,
    O: Observe,
{
    /// [`new`](Self::new), for a job that may return an error.
    pub fn fallible(number: u64, job: J, observer: &Arc<O>) -> Self {
        Self::with_check(number, job, observer, Result::is_ok)
    }
}

impl<J: Job, O: Observe> Job for Traced<J, O> {
    type Output = J::Output;

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> J::Output {
        let Self { job, is_ok, mut watch } = self;
        watch.start();
        let output = job.run();
        watch.finish(is_ok(&output));
        output
    }
}

impl<J: AsyncJob, O: Observe> AsyncJob for Traced<J, O> {
    async fn run_async(self) -> J::Output {
        let Self { job, is_ok, mut watch } = self;
        watch.start();
        let output = job.run_async().await;
        watch.finish(is_ok(&output));
        output
    }
}

impl<J: Job, O: Observe> fmt::Debug for Traced<J, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traced(..)")
    }
}

/// Tells the observer how it ended, whichever way it did.
struct Watch<O: Observe> {
    observer: Arc<O>,
    /// `None` once it was told the end.
    told: Option<O::Job>,
    /// What to say if it ends here.
    how: Ended,
}

impl<O: Observe> Watch<O> {
    fn start(&mut self) {
        self.how = Ended::Abandoned;
        if let Some(told) = &mut self.told {
            self.observer.started(told);
        }
    }

    fn finish(mut self, is_ok: bool) {
        self.how = if is_ok { Ended::Done } else { Ended::Failed };
    }
}

impl<O: Observe> Drop for Watch<O> {
    fn drop(&mut self) {
        let Some(told) = self.told.take() else { return };
        let unwinding = self.how == Ended::Abandoned && panicking();
        let how = if unwinding { Ended::Panicked } else { self.how };
        self.observer.ended(told, how);
    }
}

impl<A: Observe, B: Observe> Observe for (A, B) {
    type Job = (A::Job, B::Job);

    fn made(&self, number: u64) -> Self::Job {
        (self.0.made(number), self.1.made(number))
    }

    fn started(&self, job: &mut Self::Job) {
        self.0.started(&mut job.0);
        self.1.started(&mut job.1);
    }

    fn ended(&self, job: Self::Job, how: Ended) {
        self.0.ended(job.0, how);
        self.1.ended(job.1, how);
    }
}

impl<O: Observe> Observe for Arc<O> {
    type Job = O::Job;

    fn made(&self, number: u64) -> O::Job {
        O::made(self, number)
    }

    fn started(&self, job: &mut O::Job) {
        O::started(self, job);
    }

    fn ended(&self, job: O::Job, how: Ended) {
        O::ended(self, job, how);
    }
}

/// Nobody is told, if there is nobody.
impl<O: Observe> Observe for Option<O> {
    type Job = Option<O::Job>;

    fn made(&self, number: u64) -> Self::Job {
        self.as_ref().map(|observer| observer.made(number))
    }

    fn started(&self, job: &mut Self::Job) {
        if let (Some(observer), Some(job)) = (self, job) {
            observer.started(job);
        }
    }

    fn ended(&self, job: Self::Job, how: Ended) {
        if let (Some(observer), Some(job)) = (self, job) {
            observer.ended(job, how);
        }
    }
}
