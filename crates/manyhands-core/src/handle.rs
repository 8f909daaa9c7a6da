//! One closure, one handle: jobs that answer whoever submitted them.

use std::fmt;
use std::mem::replace;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::run::discard;
use crate::sync::{
    Arc, AtomicBool, Condvar, Mutex, Ordering, lock, spin_until, wait,
};
use crate::{AsyncJob, Closed, Job, Panic, TrySubmitError, WorkerPool};

/// Spawning closures on a pool of [`Task`]s, each with a handle to its
/// answer.
///
/// ```
/// use manyhands_core::{InlinePool, Spawn, Task};
///
/// let pool = InlinePool::<Task<'static>>::new();
/// let answer = pool.spawn(|| 6 * 7).unwrap();
/// assert_eq!(answer.join().unwrap(), 42);
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
        let (task, packet) = Task::new(work);
        let Err(refused) = self.submit(task.into()) else {
            return Ok(JobHandle { packet });
        };
        match packet.take_back() {
            Some(work) => Err(Closed(work)),
            // A pool that refuses a job and drops it all the same.
            None => {
                drop(refused);
                Ok(JobHandle { packet })
            }
        }
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
        let (task, packet) = Task::new(work);
        let Err(refused) = self.try_submit(task.into()) else {
            return Ok(JobHandle { packet });
        };
        match packet.take_back() {
            Some(work) if refused.is_full() => Err(TrySubmitError::Full(work)),
            Some(work) => Err(TrySubmitError::Closed(work)),
            None => {
                drop(refused);
                Ok(JobHandle { packet })
            }
        }
    }
}

impl<'a, J, P> Spawn<'a, J> for P
where
    J: Job + From<Task<'a>>,
    P: WorkerPool<J> + ?Sized,
{
}

/// A closure with a handle, as a job: what [`Spawn::spawn`] submits.
///
/// A task that is dropped without having been run, because its pool was
/// cancelled, tells its handle so: no handle waits for ever.
#[must_use = "a task that is dropped is a task that was cancelled"]
pub struct Task<'a> {
    /// `None` once it runs.
    packet: Option<Arc<dyn Run + 'a>>,
}

impl<'a> Task<'a> {
    fn new<F, T>(work: F) -> (Self, Arc<Packet<F, T>>)
    where
        F: FnOnce() -> T + Send + 'a,
        T: Send + 'a,
    {
        let packet = Arc::new(Packet {
            state: Mutex::new(State {
                step: Step::Ready(work),
                waker: None,
                joining: false,
            }),
            ready: AtomicBool::new(false),
            finished: Condvar::new(),
        });
        let run = Arc::clone(&packet) as Arc<dyn Run + 'a>;
        (Self { packet: Some(run) }, packet)
    }

    fn start(mut self) {
        if let Some(packet) = self.packet.take() {
            packet.run();
        }
    }
}

impl Job for Task<'_> {
    type Output = ();

    const DETACHED: bool = true;

    fn run(self) {
        self.start();
    }
}

/// Runs the closure where the task is polled: for closures that do not block.
/// A pool of async tasks has a wrapper for those that do.
impl AsyncJob for Task<'_> {
    async fn run_async(self) {
        self.start();
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if let Some(packet) = &self.packet {
            packet.abandon();
        }
    }
}

impl fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// The answer of one closure, which may still be running.
///
/// [`join`](Self::join) blocks for it; as a `Future`, it is awaited instead,
/// on any runtime. Dropping the handle lets the closure go on by itself.
#[must_use = "drop the handle on purpose, if nobody wants the answer"]
pub struct JobHandle<'a, T> {
    packet: Arc<dyn Answer<T> + 'a>,
}

impl<T: Send> JobHandle<'_, T> {
    /// Waits for the answer.
    ///
    /// Called from inside a job, this holds a worker while it waits: with
    /// every worker waiting so, nothing runs any more.
    ///
    /// # Errors
    ///
    /// [`JobError::Panicked`] when the closure panicked,
    /// [`JobError::Cancelled`] when the pool was cancelled before it started.
    ///
    /// # Panics
    ///
    /// When the answer was taken before, by polling the handle.
    pub fn join(self) -> Result<T, JobError> {
        self.packet.wait()
    }

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
struct Packet<F, T> {
    state: Mutex<State<F, T>>,
    /// The step is `Finished`: a look without the lock, before waiting.
    ready: AtomicBool,
    /// Signalled when the step becomes `Finished`.
    finished: Condvar,
}

struct State<F, T> {
    step: Step<F, T>,
    /// Who polled the handle last.
    waker: Option<Waker>,
    /// A thread waits in `join`.
    joining: bool,
}

enum Step<F, T> {
    Ready(F),
    Running,
    Finished(Result<T, JobError>),
    Taken,
}

/// The pool's view of a packet: it knows neither closure nor answer.
trait Run: Send + Sync {
    fn run(&self);
    fn abandon(&self);
}

/// The handle's view of a packet: it does not know the closure.
trait Answer<T>: Send + Sync {
    fn wait(&self) -> Result<T, JobError>;
    fn is_finished(&self) -> bool;
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T, JobError>>;
}

impl<F, T> Packet<F, T> {
    /// The closure, if nobody has run it.
    fn take_back(&self) -> Option<F> {
        let mut state = lock(&self.state);
        match replace(&mut state.step, Step::Running) {
            Step::Ready(work) => Some(work),
            step => {
                state.step = step;
                None
            }
        }
    }

    fn finish(&self, answer: Result<T, JobError>) {
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

    fn take_answer(state: &mut State<F, T>) -> Option<Result<T, JobError>> {
        match replace(&mut state.step, Step::Taken) {
            Step::Finished(answer) => Some(answer),
            step => {
                state.step = step;
                None
            }
        }
    }
}

impl<F, T> Run for Packet<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(&self) {
        let Some(work) = self.take_back() else { return };
        // Caught here and not by the pool, which would keep it from the
        // handle.
        let answer = catch_unwind(AssertUnwindSafe(work));
        self.finish(
            answer.map_err(|payload| JobError::Panicked(Panic::new(payload))),
        );
    }

    fn abandon(&self) {
        if let Some(work) = self.take_back() {
            discard(work);
            self.finish(Err(JobError::Cancelled));
        }
    }
}

impl<F: Send, T: Send> Answer<T> for Packet<F, T> {
    fn wait(&self) -> Result<T, JobError> {
        spin_until(|| self.ready.load(Ordering::Relaxed));
        let mut state = lock(&self.state);
        loop {
            match Self::take_answer(&mut state) {
                Some(answer) => return answer,
                None if matches!(state.step, Step::Taken) => {
                    drop(state);
                    panic!("a JobHandle was joined after it was ready");
                }
                None => {
                    state.joining = true;
                    state = wait(&self.finished, state);
                }
            }
        }
    }

    fn is_finished(&self) -> bool {
        matches!(lock(&self.state).step, Step::Finished(_) | Step::Taken)
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T, JobError>> {
        // Cloned and dropped outside of the lock: a waker is the user's code.
        let mut waker = Some(context.waker().clone());
        let mut state = lock(&self.state);
        match Self::take_answer(&mut state) {
            Some(answer) => return Poll::Ready(answer),
            None if matches!(state.step, Step::Taken) => {
                drop(state);
                panic!("a JobHandle was polled after it was ready");
            }
            None => {
                std::mem::swap(&mut state.waker, &mut waker);
            }
        }
        drop(state);
        Poll::Pending
    }
}
