//! The queue: `start`, `submit`, `stop`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
#[cfg(feature = "sqlite")]
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, mpsc};
use std::time::{Duration, SystemTime};

use manyhands_core::{JobSink, ThreadOptions};

use crate::inside::QueueId;
use crate::memory::Memory;
use crate::store::{NewJob, Schedule, Store, Work};
use crate::workers::Workers;
use crate::{
    Backoff, Counts, DurableJob, Error, Filter, JobId, Rate, Refused, Status,
    Stopped, Submission, attempt, check, cron, watch,
};

/// A queue of jobs of one type, and the workers of this process.
///
/// The verbs are those of the pattern: [`start`](Self::start),
/// [`submit`](Self::submit), [`stop`](Self::stop). Where the jobs are kept is
/// said once, where it is made:
///
/// ```
/// # use manyhands_durable::{Attempt, DurableJob, Failure};
/// # use serde::{Deserialize, Serialize};
/// use manyhands_durable::JobQueue;
///
/// #[derive(Serialize, Deserialize)]
/// struct SendEmail {
///     to: String,
/// }
/// # impl DurableJob for SendEmail {
/// #     const KIND: &'static str = "send-email";
/// #     type Output = ();
/// #     fn run(self, _: &Attempt) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
///
/// let queue = JobQueue::<SendEmail>::in_process(8)?;
/// // or: JobQueue::<SendEmail>::sqlite("jobs.db", 8)?
/// // or: JobQueue::<SendEmail>::postgres("postgres://…", 8)?
/// queue.start()?;
/// queue.submit(SendEmail { to: "ada@example.org".into() })?;
/// queue.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A process that only submits does not start it. Dropping it stops it, as
/// [`stop`](Self::stop) does, which waits for what runs.
///
/// All methods but [`submit_async`](Self::submit_async) block until the store
/// has answered: async code calls them on a thread for that. None panics.
pub struct JobQueue<J: DurableJob> {
    id: QueueId,
    store: Arc<dyn Store>,
    work: Work,
    phase: Mutex<Phase>,
    is_stopped: AtomicBool,
    jobs: PhantomData<fn() -> J>,
}

/// Whether its workers work.
enum Phase {
    Unstarted,
    Working(Workers),
    Stopped,
}

impl<J: DurableJob> JobQueue<J> {
    /// A queue in memory: its jobs end with the process.
    ///
    /// # Errors
    ///
    /// When `workers` is 0 or too many, or the job's kind is no kind.
    pub fn in_process(workers: usize) -> Result<Self, Error> {
        Self::builder().workers(workers).in_process()
    }

    /// A queue in a file, which is made if it is not there. Any number of
    /// processes of one machine may share it; the file must be on a disk of
    /// that machine, for SQLite's locks do not hold over a network.
    ///
    /// # Errors
    ///
    /// As [`in_process`](Self::in_process); and when the file cannot be opened
    /// or is no such store.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(
        path: impl AsRef<Path>,
        workers: usize,
    ) -> Result<Self, Error> {
        Self::builder().workers(workers).sqlite(path)
    }

    /// A queue in a database of a PostgreSQL server, for any number of
    /// processes and machines. Its tables are made if they are not there, in
    /// the schemas `graphile_worker` and `manyhands`.
    ///
    /// # Errors
    ///
    /// As [`in_process`](Self::in_process); and when the server cannot be
    /// reached or refuses. No error shows the password of `url`.
    #[cfg(feature = "postgres")]
    pub fn postgres(url: &str, workers: usize) -> Result<Self, Error> {
        Self::builder().workers(workers).postgres(url)
    }

    /// A queue of which more is to be said.
    pub fn builder() -> Builder<J> {
        Builder::new()
    }

    /// Starts the workers. Does nothing the second time.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] after a stop; and when the store or the system
    /// refuses what workers need.
    pub fn start(&self) -> Result<(), Error> {
        let Some(mut phase) = self.phase() else {
            return Err(Error::Stopped);
        };
        match &*phase {
            Phase::Working(_) => Ok(()),
            Phase::Stopped => Err(Error::Stopped),
            Phase::Unstarted => {
                let store = Arc::clone(&self.store);
                let working = Workers::start(store, self.work.clone())?;
                *phase = Phase::Working(working);
                Ok(())
            }
        }
    }

    /// Stores a job. It is durable when this returns. Blocks for as long as
    /// the store needs.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the job. If its error is [`Error::Unknown`], the job
    /// may be stored all the same.
    pub fn submit(&self, job: J) -> Result<JobId, Refused<J>> {
        self.submit_with(job, Submission::new())
    }

    /// Stores a job, to be run as `how` says.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_with(
        &self,
        job: J,
        how: Submission,
    ) -> Result<JobId, Refused<J>> {
        let stored = self.new_job(&job, how).and_then(|new| {
            let ids = self.store(vec![new])?;
            ids.first().copied().ok_or_else(no_id)
        });
        stored.map_err(|error| Refused { job, error })
    }

    /// Stores all of the jobs or none, and returns their ids in their order:
    /// one transaction, which is much faster than one for each. 10 000 at
    /// most, and 16 MiB as JSON: others wait for a store meanwhile, also to say
    /// that they live.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit), for all of them together; and when they
    /// are too many.
    pub fn submit_all(
        &self,
        jobs: impl IntoIterator<Item = (J, Submission)>,
    ) -> Result<Vec<JobId>, Error> {
        let jobs = jobs.into_iter();
        let jobs: Result<Vec<_>, _> =
            jobs.map(|(job, how)| self.new_job(&job, how)).collect();
        let jobs = jobs?;
        check::together(&jobs)?;
        self.store(jobs)
    }

    /// [`submit_with`](Self::submit_with) for async code: blocks no thread.
    /// The store is asked at once; a future that is dropped takes nothing
    /// back.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_async(
        &self,
        job: J,
        how: Submission,
    ) -> impl Future<Output = Result<JobId, Refused<J>>> + Send + use<J> {
        let (tell, told) = futures_channel::oneshot::channel();
        match self.new_job(&job, how).and_then(|new| self.open(new)) {
            Ok(new) => {
                let then = move |ids| {
                    // Nobody may be listening any more.
                    let _ = tell.send(ids);
                };
                self.store.submit(vec![new], Box::new(then));
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        }
        async move {
            let ids = told.await.unwrap_or_else(|_| Err(unanswered()));
            match ids.and_then(|ids| ids.first().copied().ok_or_else(no_id)) {
                Ok(id) => {
                    watch::submitted(J::KIND, 1);
                    Ok(id)
                }
                Err(error) => Err(Refused { job, error }),
            }
        }
    }

    /// What became of a job; `None` if there is none of this id, or it was
    /// purged.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        self.store.status(id)
    }

    /// What a job gave back, if it is done and gave something.
    ///
    /// # Errors
    ///
    /// When the store does not answer, or what is stored is not a `T`.
    pub fn output<T: serde::de::DeserializeOwned>(
        &self,
        id: JobId,
    ) -> Result<Option<T>, Error> {
        let output = self.status(id)?.and_then(|status| status.output);
        let read = output.map(|output| serde_json::from_str(&output));
        read.transpose().map_err(|error| {
            Error::Invalid(format!("the output of job {id}: {error}"))
        })
    }

    /// How many jobs of this kind are where. They are counted, those of other
    /// kinds too: it takes longer the more are kept.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn counts(&self) -> Result<Counts, Error> {
        let all = self.store.counts()?;
        let mine = all.into_iter().find(|counts| counts.kind == J::KIND);
        Ok(mine.unwrap_or_else(|| Counts {
            kind: J::KIND.into(),
            ..Counts::default()
        }))
    }

    /// The jobs of this kind that match, in order of id. They are looked
    /// through in that order until [`limit`](Filter::limit) are found, so it
    /// takes long where few of many match.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn list(&self, filter: Filter) -> Result<Vec<Status>, Error> {
        self.store.list(&filter.kind(J::KIND))
    }

    /// Drives dead letters of this kind again, those that match: they are
    /// ready, with all their attempts. How many were there? Many are driven
    /// portion by portion; if one fails, those before it are ready.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn retry(&self, filter: Filter) -> Result<u64, Error> {
        self.store.retry(&filter.kind(J::KIND))
    }

    /// Removes a job that does not run and is not done. False if there is none
    /// such.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.store.cancel(id)
    }

    /// Forgets jobs of this kind that are done or dead, those that match, with
    /// their keys. How many were there? As [`retry`](Self::retry), portion by
    /// portion.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn purge(&self, filter: Filter) -> Result<u64, Error> {
        self.store.purge(&filter.kind(J::KIND))
    }

    /// No worker, of any process, begins a job of this kind until
    /// [`resume`](Self::resume). What runs goes on. It is stored, and known
    /// everywhere within a second.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn pause(&self) -> Result<(), Error> {
        self.store.set_paused(J::KIND, true)
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    pub fn resume(&self) -> Result<(), Error> {
        self.store.set_paused(J::KIND, false)
    }

    /// Begins no further job, waits for those that run, and gives back what
    /// was claimed and not begun. What is not begun stays in the store; in
    /// memory, what is ready is run first, and what is scheduled for later is
    /// lost with the queue.
    ///
    /// A job may stop its own queue: it is not waited for, and what it returns
    /// is written when it does.
    pub fn stop(&self) -> Stopped {
        self.end(None)
    }

    /// [`stop`](Self::stop), but waits no longer than `grace` for what runs.
    /// Then its token is cancelled and its job given back, to be run by
    /// another process, or dead if that was its last attempt; what it returns
    /// later is not written.
    ///
    /// Blocks meanwhile, as [`stop`](Self::stop) does; but returns within
    /// `grace` and 3 s more, also when the store does not answer: what could
    /// not be given back by then is another's once its lease is over. It waits
    /// for another stop that is under way.
    pub fn stop_within(&self, grace: Duration) -> Stopped {
        self.end(Some(grace))
    }

    fn end(&self, grace: Option<Duration>) -> Stopped {
        self.is_stopped.store(true, Ordering::SeqCst);
        // Held meanwhile, so that a second stop returns no sooner.
        let Some(mut phase) = self.phase() else {
            return Stopped::default();
        };
        match std::mem::replace(&mut *phase, Phase::Stopped) {
            Phase::Working(working) => working.stop(grace),
            Phase::Unstarted | Phase::Stopped => Stopped::default(),
        }
    }

    /// `None` for a job of this queue while somebody stops it: who stops it
    /// waits for the job.
    fn phase(&self) -> Option<MutexGuard<'_, Phase>> {
        if self.id.is_here() {
            return match self.phase.try_lock() {
                Ok(phase) => Some(phase),
                Err(TryLockError::Poisoned(phase)) => Some(phase.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
        }
        Some(self.phase.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn new_job(&self, job: &J, how: Submission) -> Result<NewJob, Error> {
        check::new_job(job, how)
    }

    fn open<T>(&self, value: T) -> Result<T, Error> {
        if self.is_stopped.load(Ordering::SeqCst) {
            return Err(Error::Stopped);
        }
        Ok(value)
    }

    fn store(&self, jobs: Vec<NewJob>) -> Result<Vec<JobId>, Error> {
        let jobs = self.open(jobs)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let (tell, told) = mpsc::sync_channel(1);
        let then = move |ids| {
            let _ = tell.send(ids);
        };
        self.store.submit(jobs, Box::new(then));
        let ids = told.recv().unwrap_or_else(|_| Err(unanswered()))?;
        watch::submitted(J::KIND, ids.len());
        Ok(ids)
    }
}

fn no_id() -> Error {
    Error::Store("the store gave no id".into())
}

/// The store went away without a word.
fn unanswered() -> Error {
    Error::Unknown("the store has ended".into())
}

impl<J: DurableJob> Drop for JobQueue<J> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<J: DurableJob> fmt::Debug for JobQueue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobQueue")
            .field("kind", &J::KIND)
            .field("workers", &self.work.workers)
            .finish_non_exhaustive()
    }
}

impl<J: DurableJob> JobSink<J> for JobQueue<J> {
    type Id = JobId;
    type Error = Refused<J>;

    fn submit(&self, job: J) -> Result<JobId, Refused<J>> {
        JobQueue::submit(self, job)
    }

    fn stop(&self) {
        JobQueue::stop(self);
    }
}

/// Makes a [`JobQueue`].
///
/// ```
/// # use manyhands_durable::{Attempt, DurableJob, Failure};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct SendEmail;
/// # impl DurableJob for SendEmail {
/// #     const KIND: &'static str = "send-email";
/// #     type Output = ();
/// #     fn run(self, _: &Attempt) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
/// use std::time::Duration;
/// use manyhands_durable::{JobQueue, Rate};
///
/// let queue = JobQueue::<SendEmail>::builder()
///     .workers(8)
///     .limit(2)                       // of all processes together
///     .rate(Rate::new(10, Duration::from_secs(1)).unwrap())
///     .lease(Duration::from_secs(10))
///     .cron("digest", "0 7 * * *", SendEmail)
///     .in_process()?;
/// # Ok::<(), manyhands_durable::Error>(())
/// ```
#[must_use = "a builder makes nothing by itself"]
pub struct Builder<J: DurableJob> {
    workers: usize,
    limit: Option<usize>,
    rate: Option<Rate>,
    lease: Duration,
    poll: Duration,
    retention: Duration,
    backoff: Backoff,
    crons: Vec<(String, String, J)>,
    threads: ThreadOptions,
}

impl<J: DurableJob> Builder<J> {
    fn new() -> Self {
        Self {
            workers: 1,
            limit: None,
            rate: None,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            retention: Duration::from_secs(24 * 3600),
            backoff: Backoff::default(),
            crons: Vec::new(),
            threads: ThreadOptions::new().name(J::KIND),
        }
    }

    /// How many jobs run at once in this process, each on a thread: 1 if
    /// nothing is said.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How many jobs of the kind run at once in all processes together. Each
    /// of them must say the same.
    pub fn limit(mut self, jobs: usize) -> Self {
        self.limit = Some(jobs);
        self
    }

    /// How fast jobs of the kind are begun in all processes together. Each of
    /// them must say the same.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// After how long without a sign of its process a job is another
    /// worker's: 30 s if nothing is said, 3 s to a day.
    ///
    /// A process gives a sign three times in this time, for all its jobs, also
    /// for one that takes much longer. One that vanished is noticed by the
    /// others within four thirds of it, and a [`poll`](Self::poll).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long a job waits at most whose wake-up was lost: a second if
    /// nothing is said, 10 ms to a minute.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// For how long what is done is kept, with its key and its output: a day
    /// if nothing is said. Dead letters are kept until they are purged.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How long a job waits after a failure.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Submits `job` at the times of `expression`: minute, hour, day of month,
    /// month, day of week, in UTC. Once, however many processes say so; and
    /// once for all the times that passed while none worked. `name` is the
    /// schedule's, within the kind: another expression by the same name takes
    /// its place, and one that is not named any more ends.
    pub fn cron(
        mut self,
        name: impl Into<String>,
        expression: impl Into<String>,
        job: J,
    ) -> Self {
        self.crons.push((name.into(), expression.into(), job));
        self
    }

    /// How the threads of the workers are named and sized, and what they do
    /// when they start and stop.
    pub fn threads(mut self, options: ThreadOptions) -> Self {
        self.threads = options;
        self
    }

    /// A queue in memory: its jobs end with the process.
    ///
    /// # Errors
    ///
    /// When something that was said is not allowed.
    pub fn in_process(self) -> Result<JobQueue<J>, Error> {
        let work = self.work()?;
        Ok(JobQueue::new(Arc::new(Memory::new()), work))
    }

    /// A queue in a file: see [`JobQueue::sqlite`].
    ///
    /// # Errors
    ///
    /// When something that was said is not allowed, or the file cannot be
    /// opened.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(self, path: impl AsRef<Path>) -> Result<JobQueue<J>, Error> {
        let work = self.work()?;
        let store = crate::sqlite::Sqlite::open(path.as_ref())?;
        Ok(JobQueue::new(Arc::new(store), work))
    }

    /// A queue in a database: see [`JobQueue::postgres`].
    ///
    /// # Errors
    ///
    /// When something that was said is not allowed, or the server cannot be
    /// reached or refuses.
    #[cfg(feature = "postgres")]
    pub fn postgres(self, url: &str) -> Result<JobQueue<J>, Error> {
        let work = self.work()?;
        let store = crate::postgres::Postgres::connect(url)?;
        Ok(JobQueue::new(Arc::new(store), work))
    }

    fn work(self) -> Result<Work, Error> {
        check::kind(J::KIND)?;
        let workers = check::workers(self.workers)?;
        let limit = self.limit.map(check::limit).transpose()?;
        check::within(
            "lease",
            self.lease,
            Duration::from_secs(3)..=Duration::from_secs(24 * 3600),
        )?;
        check::within(
            "poll",
            self.poll,
            Duration::from_millis(10)..=Duration::from_secs(60),
        )?;
        let checked = self.threads.check();
        checked.map_err(|error| Error::Invalid(error.to_string()))?;
        let mut schedules: Vec<Schedule> = Vec::new();
        for (name, expression, job) in self.crons {
            check::name("schedule", &name)?;
            if schedules.iter().any(|it| it.name == name) {
                return Err(Error::Invalid(format!(
                    "two schedules are named '{name}'"
                )));
            }
            cron::next_after(&expression, SystemTime::now())?;
            let job = check::new_job(&job, Submission::new())?;
            schedules.push(Schedule { name, cron: expression, job });
        }
        Ok(Work {
            kind: J::KIND,
            workers,
            lease: self.lease,
            poll: self.poll,
            retention: self.retention,
            backoff: self.backoff,
            limit,
            rate: self.rate,
            schedules,
            threads: self.threads,
            run: Arc::new(attempt::run::<J>),
        })
    }
}

impl<J: DurableJob> fmt::Debug for Builder<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &J::KIND)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl<J: DurableJob> JobQueue<J> {
    fn new(store: Arc<dyn Store>, mut work: Work) -> Self {
        let id = QueueId::new();
        let run = work.run;
        work.run = Arc::new(move |given, token| id.run(|| run(given, token)));
        let phase = Mutex::new(Phase::Unstarted);
        let is_stopped = AtomicBool::new(false);
        Self { id, store, work, phase, is_stopped, jobs: PhantomData }
    }
}
