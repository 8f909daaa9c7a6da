//! The answer of one job, to whoever submitted it.

use std::fmt;
use std::mem::replace;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::run::discard;
use crate::sync::{
    Arc, AtomicBool, Condvar, Duration, Instant, Mutex, MutexGuard, Ordering,
    lock, spin_until, wait, wait_at_most,
};
use crate::task::Run;
use crate::{Job, JobId, Panic, Task};

/// The answer of one closure, which may still be running.
///
/// [`join`](Self::join) blocks for it; as a `Future`, it is awaited instead,
/// on any runtime. Dropping the handle lets the closure go on by itself;
/// [`abort`](Self::abort) keeps it from starting.
///
/// ```
/// use std::time::Duration;
/// use manyhands_core::{InlinePool, Spawn, Task};
///
/// let pool = InlinePool::<Task<'static>>::new();
/// let mut answer = pool.spawn(|| 6 * 7).unwrap();
/// loop {
///     match answer.join_timeout(Duration::from_millis(100)) {
///         Some(answer) => break assert_eq!(answer?, 42),
///         None => { /* say that it is still at it */ }
///     }
/// }
/// # Ok::<(), manyhands_core::JobError>(())
/// ```
#[must_use = "drop the handle on purpose, if nobody wants the answer"]
pub struct JobHandle<'a, T> {
    packet: Arc<dyn Answer<T> + 'a>,
}

impl<'a, T> JobHandle<'a, T> {
    /// Makes a task of the work and submits it; gives the work back with the
    /// refusal, if there is one.
    pub(crate) fn submit<W, J, R>(
        work: W,
        submit: impl FnOnce(J) -> Result<JobId, R>,
    ) -> Result<Self, (W, R)>
    where
        W: Job<Output = T> + 'a,
        J: From<Task<'a>>,
        T: 'a,
    {
        let packet = Arc::new(Packet::new(work));
        let task = Task::shared(Arc::clone(&packet) as Arc<dyn Run + 'a>);
        let Err(refused) = submit(task.into()) else {
            return Ok(Self { packet });
        };
        match packet.take_back() {
            Some(work) => Err((work, refused)),
            // A pool that refuses a job and drops it all the same.
            None => {
                drop(refused);
                Ok(Self { packet })
            }
        }
    }

    /// Waits for the answer.
    ///
    /// Called from inside a job, this holds a worker while it waits: with
    /// every worker waiting so, nothing runs any more. The job's place in the
    /// pool may become free a moment after the answer.
    ///
    /// # Errors
    ///
    /// [`JobError::Panicked`] when the closure panicked,
    /// [`JobError::Cancelled`] when it never ran: the pool was cancelled
    /// before it started, or gave it up, being full.
    ///
    /// # Panics
    ///
    /// When the answer was taken before: the handle was polled, or asked.
    pub fn join(self) -> Result<T, JobError> {
        loop {
            // Without a limit, there is an answer at its end.
            if let Some(answer) = self.packet.wait(None) {
                return answer;
            }
        }
    }

    /// [`join`](Self::join), for this time at most; `None` when the closure
    /// is still queued or running then.
    ///
    /// # Errors
    ///
    /// Those of `join`.
    ///
    /// # Panics
    ///
    /// When the answer was taken before.
    pub fn join_timeout(
        &mut self,
        limit: Duration,
    ) -> Option<Result<T, JobError>> {
        match Instant::now().checked_add(limit) {
            None => self.packet.wait(None),
            until => self.packet.wait(until),
        }
    }

    /// The answer, if it is there. Does not wait.
    ///
    /// # Errors
    ///
    /// Those of [`join`](Self::join).
    ///
    /// # Panics
    ///
    /// When the answer was taken before.
    pub fn try_join(&mut self) -> Option<Result<T, JobError>> {
        self.packet.take()
    }

    /// Keeps the closure from running, if it has not started: what it
    /// captured is dropped here and now, with panics contained, and the
    /// answer is [`JobError::Cancelled`]. Returns whether that was so: false
    /// when it runs, has ended or was aborted before.
    ///
    /// A closure that runs is not interrupted; give it a
    /// [`CancelToken`](crate::CancelToken) for that. The job of one that was
    /// aborted keeps its place in the pool until a worker comes to it, and
    /// finds nothing to do.
    ///
    /// ```
    /// use manyhands_core::{InlinePool, Spawn, Task};
    ///
    /// let pool = InlinePool::<Task<'static>>::new();
    /// let answer = pool.spawn(|| 6 * 7).unwrap();
    /// assert!(!answer.abort(), "it ran before `spawn` returned");
    /// ```
    pub fn abort(&self) -> bool {
        self.packet.abort()
    }

    /// Lets the closure go on by itself. The same as dropping the handle, in
    /// a word.
    pub fn detach(self) {}

    /// True once [`join`](Self::join) would not wait.
    pub fn is_finished(&self) -> bool {
        self.packet.is_finished()
    }
}

/// # Panics
///
/// When polled again after it was ready.
impl<T> Future for JobHandle<'_, T> {
    type Output = Result<T, JobError>;

    fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Self::Output> {
        self.packet.poll(context)
    }
}

impl<T> fmt::Debug for JobHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").finish_non_exhaustive()
    }
}

/// Why a handle has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum JobError {
    /// The closure panicked.
    Panicked(Panic),
    /// The closure was not run.
    Cancelled,
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Cancelled => f.write_str("the job was cancelled, not run"),
        }
    }
}

impl std::error::Error for JobError {}

/// The one allocation that a task and its handle share: the closure on its
/// way in, the answer on its way back.
struct Packet<W: Job> {
    state: Mutex<State<W>>,
    /// The step is `Finished`: a look without the lock, before waiting.
    ready: AtomicBool,
    /// Signalled when the step becomes `Finished`.
    finished: Condvar,
}

struct State<W: Job> {
    step: Step<W>,
    /// Who polled the handle last.
    waker: Option<Waker>,
    /// A thread waits in `join`.
    joining: bool,
}

enum Step<W: Job> {
    Ready(W),
    Running,
    Finished(Result<W::Output, JobError>),
    Taken,
}

/// The handle's view of a packet: it does not know the closure. (The task's
/// view, [`Run`], knows neither closure nor answer.)
trait Answer<T>: Send + Sync {
    fn wait(&self, until: Option<Instant>) -> Option<Result<T, JobError>>;
    fn take(&self) -> Option<Result<T, JobError>>;
    fn abort(&self) -> bool;
    fn is_finished(&self) -> bool;
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T, JobError>>;
}

impl<W: Job> Packet<W> {
    fn new(work: W) -> Self {
        let state =
            State { step: Step::Ready(work), waker: None, joining: false };
        Self {
            state: Mutex::new(state),
            ready: AtomicBool::new(false),
            finished: Condvar::new(),
        }
    }

    /// The closure, if nobody has run it.
    fn take_back(&self) -> Option<W> {
        let mut state = lock(&self.state);
        match replace(&mut state.step, Step::Running) {
            Step::Ready(work) => Some(work),
            step => {
                state.step = step;
                None
            }
        }
    }

    fn finish(&self, answer: Result<W::Output, JobError>) {
        let mut state = lock(&self.state);
        state.step = Step::Finished(answer);
        let (waker, joining) = (state.waker.take(), state.joining);
        self.ready.store(true, Ordering::Relaxed);
        drop(state);
        if joining {
            self.finished.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The closure is dropped, if nobody has run it.
    fn cancel(&self) -> bool {
        let work = self.take_back();
        let waited = work.is_some();
        if let Some(work) = work {
            discard(work);
            self.finish(Err(JobError::Cancelled));
        }
        waited
    }

    /// Panics when it was taken before.
    fn take_answer(
        mut state: MutexGuard<'_, State<W>>,
    ) -> Result<Result<W::Output, JobError>, MutexGuard<'_, State<W>>> {
        match replace(&mut state.step, Step::Taken) {
            Step::Finished(answer) => Ok(answer),
            Step::Taken => {
                drop(state);
                panic!("the answer of a JobHandle was taken before");
            }
            step => {
                state.step = step;
                Err(state)
            }
        }
    }
}

impl<W: Job> Run for Packet<W> {
    fn run(&self) {
        let Some(work) = self.take_back() else { return };
        // Caught here and not by the pool, which would keep it from the
        // handle.
        let answer = catch_unwind(AssertUnwindSafe(|| work.run()));
        self.finish(
            answer.map_err(|payload| JobError::Panicked(Panic::new(payload))),
        );
    }

    fn abandon(&self) {
        self.cancel();
    }
}

impl<W: Job> Answer<W::Output> for Packet<W> {
    fn wait(
        &self,
        until: Option<Instant>,
    ) -> Option<Result<W::Output, JobError>> {
        spin_until(|| self.ready.load(Ordering::Relaxed));
        let mut state = lock(&self.state);
        loop {
            state = match Self::take_answer(state) {
                Ok(answer) => return Some(answer),
                Err(state) => state,
            };
            state.joining = true;
            let Some(until) = until else {
                state = wait(&self.finished, state);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = wait_at_most(&self.state, &self.finished, state, left);
        }
    }

    fn take(&self) -> Option<Result<W::Output, JobError>> {
        Self::take_answer(lock(&self.state)).ok()
    }

    fn abort(&self) -> bool {
        self.cancel()
    }

    fn is_finished(&self) -> bool {
        matches!(lock(&self.state).step, Step::Finished(_) | Step::Taken)
    }

    fn poll(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<W::Output, JobError>> {
        // Cloned and dropped outside of the lock: a waker is the user's code.
        let mut waker = Some(context.waker().clone());
        let mut state = match Self::take_answer(lock(&self.state)) {
            Ok(answer) => return Poll::Ready(answer),
            Err(state) => state,
        };
        std::mem::swap(&mut state.waker, &mut waker);
        drop(state);
        Poll::Pending
    }
}
