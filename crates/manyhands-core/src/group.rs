//! Jobs that belong together, on a pool that others use too.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::run::discard;
use crate::sync::{Arc, Condvar, Instant, Mutex, lock, wait, wait_at_most};
use crate::task::Run;
use crate::{
    CancelToken, Closed, Job, JobId, OnCancel, Panic, Task, TrySubmitError,
    WorkerPool,
};

/// Jobs that belong together, on a pool of [`Task`]s that others use too.
///
/// A pool is made once, and shared. What a request or a build step wants is
/// its own jobs on it: their results and nobody else's, an end when all of
/// them have ended, and a stop when one has failed. Any number of groups work
/// on one pool at a time.
///
/// ```
/// use manyhands_core::{GroupError, InlinePool, Task, TaskGroup};
///
/// let pool = InlinePool::<Task<'static>>::new();
///
/// let mut group = TaskGroup::new(&pool);
/// for text in ["1", "2", "3"] {
///     group.spawn(|| text.parse::<u32>()).unwrap();
/// }
/// assert_eq!(group.wait_first_error()?, [1, 2, 3]);
///
/// let mut group = TaskGroup::new(&pool);
/// for text in ["1", "two", "3"] {
///     group.spawn(|| text.parse::<u32>()).unwrap();
/// }
/// let error = group.wait_first_error().unwrap_err();
/// assert_eq!(error.to_string(), "job 1 failed: invalid digit found in string");
/// # Ok::<(), GroupError<std::num::ParseIntError>>(())
/// ```
///
/// There are three ways to the results: [all or the first
/// error](Self::wait_first_error), [all, whatever they
/// are](Self::wait_all), and one by one as the jobs end, since a group is an
/// iterator. Jobs are numbered from 0 in the order in which they were
/// spawned. A job that cannot fail returns `Ok::<_, Infallible>(..)`.
///
/// The pool may be given as a reference, an `Arc` or a box.
///
/// A job that waits for another one, of its group or not, holds a worker
/// meanwhile. With every worker waiting so, nothing runs any more.
///
/// # Cancel
///
/// A group has a [token](Self::token). It is cancelled by
/// [`cancel`](Self::cancel), by the first error that `wait_first_error` finds,
/// at the end of the group, and, of a group [under another
/// token](Self::under), by that one, which may have a deadline. Jobs that run
/// and are to end early look at it. Jobs that have not started then never do,
/// and whoever waits for the group does not wait for them.
///
/// # Drop
///
/// Dropping a group cancels it, and waits for the jobs that run: after the
/// group, nothing of it is at work. (What a job captures lives as long as the
/// pool's jobs may, so that is not for safety; it is what one wants to rely
/// on.) A job that holds its own group, and drops it, waits for itself.
///
/// # Cost
///
/// One allocation a job and an entry in a map; the group's lock is taken
/// briefly, once to spawn and twice to run it. Results wait in the group until
/// they are taken, one for each job spawned at most.
pub struct TaskGroup<'a, T, E, P, J = Task<'a>> {
    pool: P,
    shared: Arc<Shared<'a, T, E>>,
    /// How many jobs were accepted: the number of the next.
    spawned: usize,
    /// The token rings the bell.
    _on_cancel: OnCancel,
    job: PhantomData<fn() -> J>,
}

/// A job's number, and how it ended.
type Numbered<T, E> = (usize, Result<T, GroupError<E>>);

/// What the group shares with its jobs.
struct Shared<'a, T, E> {
    state: Mutex<State<'a, T, E>>,
    /// Rung when a job has ended while the group's owner waits, and when the
    /// token is cancelled.
    bell: Arc<Bell>,
    token: CancelToken,
}

struct State<'a, T, E> {
    /// The jobs that have not started, for who cancels.
    queued: BTreeMap<usize, Arc<dyn Run + 'a>>,
    unfinished: usize,
    /// What was not taken yet, in order of finishing.
    finished: VecDeque<Numbered<T, E>>,
    /// The owner waits, or is about to.
    waiting: bool,
}

/// What the owner sleeps by. It borrows nothing, so a token can ring it.
struct Bell {
    /// Since the owner last woke up.
    rung: Mutex<bool>,
    ring: Condvar,
}

impl<'a, T, E, P, J> TaskGroup<'a, T, E, P, J>
where
    T: Send + 'a,
    E: Send + 'a,
    P: WorkerPool<J>,
    J: Job + From<Task<'a>>,
{
    /// A group without jobs, on this pool.
    pub fn new(pool: P) -> Self {
        Self::with_token(pool, CancelToken::new())
    }

    /// A group that is cancelled when this token is, at the latest: a request
    /// of a service that shuts down, or with a deadline.
    ///
    /// The end of the group cancels its own token, and not this one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_core::{CancelToken, InlinePool, Task, TaskGroup};
    ///
    /// let service = CancelToken::new();
    /// let request = service.child_for(Duration::from_secs(5));
    /// let pool = InlinePool::<Task<'static>>::new();
    /// let mut group = TaskGroup::under(&request, &pool);
    /// let token = group.token().clone();
    /// group.spawn(move || token.check()).unwrap();
    /// assert!(group.wait_first_error().is_ok());
    /// ```
    pub fn under(token: &CancelToken, pool: P) -> Self {
        Self::with_token(pool, token.child())
    }

    fn with_token(pool: P, token: CancelToken) -> Self {
        let state = State {
            queued: BTreeMap::new(),
            unfinished: 0,
            finished: VecDeque::new(),
            waiting: false,
        };
        let bell =
            Arc::new(Bell { rung: Mutex::new(false), ring: Condvar::new() });
        let on_cancel = {
            let bell = Arc::clone(&bell);
            token.on_cancel(move || bell.ring())
        };
        Self {
            pool,
            shared: Arc::new(Shared { state: Mutex::new(state), bell, token }),
            spawned: 0,
            _on_cancel: on_cancel,
            job: PhantomData,
        }
    }

    /// Adds a job. Waits while the pool is at its bound. Returns the job's
    /// number.
    ///
    /// A job that is added to a group that was cancelled is accepted, and
    /// comes out as [`GroupError::Cancelled`].
    ///
    /// # Errors
    ///
    /// [`Closed`] with the closure, not run, when the pool is closed.
    pub fn spawn<F>(&mut self, work: F) -> Result<usize, Closed<F>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'a,
    {
        self.submit(work, |pool, job| pool.submit(job))
            .map_err(|(work, _)| Closed(work))
    }

    /// Adds a job, if that needs no waiting. Returns the job's number.
    ///
    /// # Errors
    ///
    /// The closure comes back, not run, when the pool is full or closed.
    pub fn try_spawn<F>(&mut self, work: F) -> Result<usize, TrySubmitError<F>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'a,
    {
        self.submit(work, |pool, job| pool.try_submit(job)).map_err(
            |(work, refused)| match refused {
                TrySubmitError::Full(_) => TrySubmitError::Full(work),
                TrySubmitError::Closed(_) => TrySubmitError::Closed(work),
            },
        )
    }

    fn submit<F, R>(
        &mut self,
        work: F,
        submit: impl FnOnce(&P, J) -> Result<JobId, R>,
    ) -> Result<usize, (F, R)>
    where
        F: FnOnce() -> Result<T, E> + Send + 'a,
    {
        let shared = &self.shared;
        let number = self.spawned;
        let member = Arc::new(Member {
            number,
            work: Mutex::new(Some(work)),
            shared: Arc::clone(shared),
        });
        let run = Arc::clone(&member) as Arc<dyn Run + 'a>;
        let mut state = lock(&shared.state);
        state.unfinished += 1;
        state.queued.insert(number, Arc::clone(&run));
        drop(state);
        self.spawned += 1;
        if shared.token.is_cancelled() {
            run.abandon();
            return Ok(number);
        }
        match submit(&self.pool, Task::shared(run).into()) {
            Ok(_) => Ok(number),
            Err(refused) => match member.take() {
                Some(work) => {
                    lock(&shared.state).unfinished -= 1;
                    self.spawned -= 1;
                    Err((work, refused))
                }
                // A pool that refuses a job and drops it all the same.
                None => {
                    drop(refused);
                    Ok(number)
                }
            },
        }
    }

    /// Waits for the jobs, and returns what they answered, in the order in
    /// which they were spawned.
    ///
    /// Called from inside a job of the pool, this holds a worker while it
    /// waits.
    ///
    /// # Errors
    ///
    /// The first error or panic, in order of finishing. It cancels the group;
    /// this returns when the jobs that were running have ended. What they
    /// answer, and further errors, are dropped. [`GroupError::Cancelled`] is
    /// returned only when no job failed: when the group, what it is under or
    /// the pool was cancelled.
    pub fn wait_first_error(mut self) -> Result<Vec<T>, GroupError<E>> {
        let mut answers = Vec::new();
        let mut first = None;
        while let Some((number, result)) = self.next() {
            match (result, &first) {
                (Ok(answer), None) => answers.push((number, answer)),
                (Err(error), None) => {
                    first = Some(error);
                    self.cancel();
                }
                // Cancelled by others, and then there was a failure.
                (Err(error), Some(GroupError::Cancelled { .. })) => {
                    first = Some(error);
                }
                (result, Some(_)) => discard(result),
            }
        }
        match first {
            None => Ok(in_order(answers)),
            Some(error) => {
                discard(answers);
                Err(error)
            }
        }
    }

    /// Waits for the jobs, and returns how each ended, in the order in which
    /// they were spawned. Cancels nothing.
    ///
    /// Called from inside a job of the pool, this holds a worker while it
    /// waits.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, Task, TaskGroup};
    ///
    /// let pool = InlinePool::<Task<'static>>::new();
    /// let mut group = TaskGroup::new(&pool);
    /// for text in ["1", "two", "3"] {
    ///     group.spawn(|| text.parse::<u32>()).unwrap();
    /// }
    /// let good: Vec<u32> = group.wait_all().into_iter().flatten().collect();
    /// assert_eq!(good, [1, 3]);
    /// ```
    pub fn wait_all(mut self) -> Vec<Result<T, GroupError<E>>> {
        in_order(self.by_ref().collect())
    }
}

impl<T, E, P, J> TaskGroup<'_, T, E, P, J> {
    /// Cancels the group: its [token](Self::token), which what runs may look
    /// at, and the jobs that have not started. What these captured is dropped
    /// here and now, with panics contained. Does not wait.
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// The group's token: for its jobs to look at, and for whoever is to stop
    /// them and does not have the group.
    ///
    /// What is queued when it is cancelled is dropped by whoever waits for
    /// the group, at once; else by the worker that comes to it.
    pub fn token(&self) -> &CancelToken {
        &self.shared.token
    }

    /// How many jobs were spawned whose results were not taken.
    pub fn len(&self) -> usize {
        let state = lock(&self.shared.state);
        state.unfinished + state.finished.len()
    }

    /// True if every result was taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many jobs have not ended.
    pub fn unfinished(&self) -> usize {
        lock(&self.shared.state).unfinished
    }
}

fn in_order<T>(mut numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.sort_unstable_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, answer)| answer).collect()
}

/// The results in order of finishing, each with its job's number: waits for
/// the next one, and ends when all were taken. There may be more when more is
/// spawned.
///
/// ```
/// use manyhands_core::{InlinePool, Task, TaskGroup};
///
/// let pool = InlinePool::<Task<'static>>::new();
/// let mut group = TaskGroup::new(&pool);
/// group.spawn(|| "7".parse::<u32>()).unwrap();
/// while let Some((number, result)) = group.next() {
///     assert_eq!(number, 0);
///     assert_eq!(result?, 7);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T, E, P, J> Iterator for TaskGroup<'_, T, E, P, J> {
    type Item = (usize, Result<T, GroupError<E>>);

    fn next(&mut self) -> Option<Self::Item> {
        self.shared.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T, E, P, J> Drop for TaskGroup<'_, T, E, P, J> {
    fn drop(&mut self) {
        self.cancel();
        self.by_ref().for_each(discard);
    }
}

impl<T, E> Shared<'_, T, E> {
    fn next(&self) -> Option<Numbered<T, E>> {
        loop {
            let mut state = lock(&self.state);
            let next = state.finished.pop_front();
            state.waiting = next.is_none() && state.unfinished > 0;
            if !state.waiting {
                return next;
            }
            drop(state);
            let until = if self.token.is_cancelled() {
                self.drop_queued();
                None
            } else {
                self.token.deadline()
            };
            self.bell.wait(until);
        }
    }

    fn cancel(&self) {
        self.token.cancel();
        self.drop_queued();
    }

    fn drop_queued(&self) {
        let queued = take(&mut lock(&self.state).queued);
        queued.into_values().for_each(|job| job.abandon());
    }

    fn finish(&self, number: usize, result: Result<T, GroupError<E>>) {
        let mut state = lock(&self.state);
        state.unfinished -= 1;
        state.finished.push_back((number, result));
        let waiting = state.waiting;
        drop(state);
        if waiting {
            self.bell.ring();
        }
    }
}

impl Bell {
    fn ring(&self) {
        *lock(&self.rung) = true;
        self.ring.notify_one();
    }

    /// Waits for a ring, or until then; also for one that was before.
    fn wait(&self, until: Option<Instant>) {
        let mut rung = lock(&self.rung);
        while !*rung {
            let Some(until) = until else {
                rung = wait(&self.ring, rung);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            rung = wait_at_most(&self.rung, &self.ring, rung, left);
        }
        *rung = false;
    }
}

/// One job of a group, as it goes through the pool.
struct Member<'a, F, T, E> {
    number: usize,
    /// `None` once it was taken up, or back.
    work: Mutex<Option<F>>,
    shared: Arc<Shared<'a, T, E>>,
}

impl<F, T, E> Member<'_, F, T, E> {
    /// The closure, if nobody has taken it.
    fn take(&self) -> Option<F> {
        let work = lock(&self.work).take()?;
        let entry = lock(&self.shared.state).queued.remove(&self.number);
        drop(entry);
        Some(work)
    }

    fn cancel(&self, work: F) {
        discard(work);
        let job = self.number;
        self.shared.finish(job, Err(GroupError::Cancelled { job }));
    }
}

impl<F, T, E> Run for Member<'_, F, T, E>
where
    F: FnOnce() -> Result<T, E> + Send,
    T: Send,
    E: Send,
{
    fn run(&self) {
        let Some(work) = self.take() else { return };
        if self.shared.token.is_cancelled() {
            return self.cancel(work);
        }
        let job = self.number;
        let result = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(GroupError::Failed { job, error }),
            Err(payload) => {
                let panic = Panic::new(payload);
                Err(GroupError::Panicked { job, panic })
            }
        };
        self.shared.finish(job, result);
    }

    fn abandon(&self) {
        if let Some(work) = self.take() {
            self.cancel(work);
        }
    }
}

/// Why a job of a [`TaskGroup`] has no answer, and which one.
#[derive(Debug)]
#[non_exhaustive]
pub enum GroupError<E> {
    /// The job returned an error.
    Failed {
        /// The job's number in the group.
        job: usize,
        /// What it returned.
        error: E,
    },
    /// The job panicked.
    Panicked {
        /// The job's number in the group.
        job: usize,
        /// With what, and on which thread.
        panic: Panic,
    },
    /// The job was not run.
    Cancelled {
        /// The job's number in the group.
        job: usize,
    },
}

impl<E> GroupError<E> {
    /// The job's number in the group: how many were spawned before it.
    pub fn job(&self) -> usize {
        match self {
            Self::Failed { job, .. }
            | Self::Panicked { job, .. }
            | Self::Cancelled { job } => *job,
        }
    }

    /// What the job returned, if it returned an error.
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Panicked { .. } | Self::Cancelled { .. } => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { job, error } => {
                write!(f, "job {job} failed: {error}")
            }
            Self::Panicked { job, panic } => {
                write!(f, "job {job} panicked")?;
                if let Some(thread) = panic.thread() {
                    write!(f, " on the thread {thread:?}")?;
                }
                write!(f, ": {}", panic.message())
            }
            Self::Cancelled { job } => {
                write!(f, "job {job} was cancelled, not run")
            }
        }
    }
}

/// The job's error is in the message; its source is the source.
impl<E: std::error::Error> std::error::Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed { error, .. } => error.source(),
            Self::Panicked { .. } | Self::Cancelled { .. } => None,
        }
    }
}

impl<T, E, P, J> fmt::Debug for TaskGroup<'_, T, E, P, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.shared.state);
        f.debug_struct("TaskGroup")
            .field("spawned", &self.spawned)
            .field("queued", &state.queued.len())
            .field("unfinished", &state.unfinished)
            .finish_non_exhaustive()
    }
}
