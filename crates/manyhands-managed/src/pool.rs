//! The managed pool.

use std::fmt;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use manyhands_core::sync::{Arc, AtomicBool, Mutex, Ordering, lock, thread};
use manyhands_core::{
    BuildError, CancelToken, Closed, Completion, Job, JobId, OnCancel, Ticket,
    TrySubmitError, WorkerPool, discard, run_one,
};

use crate::builder::{ManagedBuilder, Plan};
use crate::inside::Inside;
use crate::order::Offer;
use crate::shared::{Base, Shared, Waiting};
use crate::snapshot::{Snapshot, Stopped};
use crate::state::{Awaited, State};
use crate::wait::block_on;
use crate::watch::Context;

/// A queue with all that a service asks for, in front of a pool of any
/// pattern.
///
/// It is a [`WorkerPool`] itself and keeps the laws. Beyond them:
///
/// - **Submitting**: with a [deadline](Self::submit_timeout), as a
///   [future](Self::submit_async), with a [policy](Self::offer) for when it is
///   full, and on a [place](Self::reserve_async) that was reserved.
/// - **From inside**: a job that submits to its own pool never waits; at the
///   bound its job is queued beyond it. (`try_submit` says `Full` there too.)
///   The same holds for the pool's hooks, such as
///   [`on_panic`](ManagedBuilder::on_panic).
/// - **Waiting**: those who wait for a place are called in the order in which
///   they came; whoever comes just then, and need not wait, may be quicker.
/// - **Order**: first in, first out, or as [`Order`](crate::Order) says.
/// - **Size**: [`resize`](Self::resize) while it runs.
/// - **Pause**: [`pause`](Self::pause) and [`resume`](Self::resume).
/// - **Watching**: a [`snapshot`](Self::snapshot) of its counters.
/// - **Cancel**: jobs that are queued come back at once.
/// - **Stop**: [`stop`](Self::stop) drains it, aborts it, or drains until a
///   deadline and then aborts, and reports.
/// - **Drop**: closes, resumes, waits for accepted jobs, joins the threads.
///   Dropped by a job of its own, or after a stop that left jobs behind, it
///   waits for nothing.
///
/// ```
/// use manyhands_channel::ChannelPool;
/// use manyhands_core::{WorkerPool, WorkerPoolExt};
/// use manyhands_managed::{ManagedPool, Stop};
///
/// let pool = ManagedPool::builder().workers(2).queue(8).over(ChannelPool::new)?;
/// for n in 1..=5u32 {
///     pool.submit(move || n * 2).unwrap();
/// }
/// pool.resize(4)?;
/// let end = pool.stop(Stop::Drain);
/// assert_eq!((end.done, end.abandoned), (5, 0));
/// assert_eq!(pool.completions().filter_map(|c| c.done()).sum::<u32>(), 30);
/// # Ok::<(), manyhands_core::BuildError>(())
/// ```
///
/// # Cost
///
/// A lock for each step of a job: accepted, taken up (the same as the end of
/// the job before, where there is one), received. A job that finds a worker
/// idle costs a hand-over of the pool below besides.
pub struct ManagedPool<J: Job + 'static> {
    shared: Arc<Shared<J>>,
    plan: Plan<J>,
    /// Pools that were in use before, until their last jobs are done. Locked
    /// while another one is made.
    retired: Mutex<Vec<Base<J>>>,
    /// A stop has left jobs behind: nobody waits for them.
    left_behind: AtomicBool,
    /// Cancels the pool with its token.
    _cancels: OnCancel,
}

/// What becomes of a job for which there is no place: see
/// [`ManagedPool::offer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits for a place, as with `submit`.
    #[default]
    Wait,
    /// It comes back to the caller at once, as with `try_submit`.
    Refuse,
    /// It is accepted and run right here, on the caller's thread. That slows
    /// down whoever submits too fast. While it runs there is one more job at
    /// work than there are workers.
    ///
    /// A job that may not run now, since the pool is paused or its key is
    /// [in use](crate::Order::one_at_a_time), waits for a place instead.
    CallerRuns,
    /// It is accepted, and given up at once: its completion says `Cancelled`.
    DropNewest,
    /// The job that was accepted first of those queued is given up for it,
    /// and its completion says `Cancelled`. With nothing queued, which is so
    /// in a pool with a queue of 0, it is this one itself.
    DropOldest,
}

/// How a pool is brought to its end: see [`ManagedPool::stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Every accepted job runs, however long that takes.
    Drain,
    /// Jobs run for so long; then [`Abort`](Self::Abort).
    DrainFor(Duration),
    /// What is queued comes back, and what runs has a tenth of a second.
    Abort,
}

/// Why there is no completion: see [`ManagedPool::try_recv`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is none yet.
    Empty,
    /// There will be none: the pool is closed, and every completion was
    /// received.
    Ended,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no completion is there yet",
            Self::Ended => "the pool is closed and drained",
        })
    }
}

impl std::error::Error for TryRecvError {}

impl<J: Job + 'static> ManagedPool<J> {
    /// Sets the pool's size, order and hooks, and builds it over a pattern.
    pub fn builder() -> ManagedBuilder<J> {
        ManagedBuilder::new()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<J>> {
        &self.shared
    }

    pub(crate) fn with(shared: Shared<J>, plan: Plan<J>) -> Self {
        let shared = Arc::new(shared);
        let pool = Arc::downgrade(&shared);
        let cancel = move || {
            if let Some(pool) = pool.upgrade() {
                pool.cancel();
            }
        };
        Self {
            plan,
            retired: Mutex::default(),
            left_behind: AtomicBool::new(false),
            _cancels: shared.token.on_cancel(cancel),
            shared,
        }
    }

    /// Submits a job, and waits for a place until `deadline` at most.
    ///
    /// # Errors
    ///
    /// The job comes back, not run: as `Full` when there was no place in
    /// time, as `Closed` when the pool is closed or cancelled.
    pub fn submit_until(
        &self,
        job: J,
        deadline: Instant,
    ) -> Result<JobId, TrySubmitError<J>> {
        self.wait_to_submit(self.shared.order.offer(job), Some(deadline))
    }

    /// [`submit_until`](Self::submit_until) so long from now.
    ///
    /// # Errors
    ///
    /// As [`submit_until`](Self::submit_until).
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_managed::ManagedPool;
    ///
    /// let pool = ManagedPool::builder().workers(1).over(ChannelPool::new)?;
    /// let limit = Duration::from_millis(50);
    /// let id = pool.submit_timeout(|| 6 * 7, limit)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_timeout(
        &self,
        job: J,
        limit: Duration,
    ) -> Result<JobId, TrySubmitError<J>> {
        let deadline = Instant::now().checked_add(limit);
        self.wait_to_submit(self.shared.order.offer(job), deadline)
    }

    /// Submits a job. Waits, as a task of any runtime, while the pool is at
    /// its bound.
    ///
    /// A future that is dropped before it is ready has taken no place, and
    /// its job was not accepted: it is dropped with the future.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the job, not run, once the pool is closed or
    /// cancelled; also when that happens while waiting.
    pub async fn submit_async(&self, job: J) -> Result<JobId, Closed<J>> {
        let mut offer = self.shared.order.offer(job);
        let mut waiting = Waiting::new(&self.shared, Awaited::Place);
        poll_fn(|context| poll_submit(&mut waiting, &mut offer, context)).await
    }

    /// Submits a job, and does what `when_full` says if there is no place.
    ///
    /// ```
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::WorkerPool;
    /// use manyhands_managed::{ManagedPool, WhenFull};
    ///
    /// let pool = ManagedPool::<fn() -> u32>::builder()
    ///     .workers(1)
    ///     .queue(1)
    ///     .over(ChannelPool::new)?;
    /// pool.pause();
    /// let old = pool.submit(|| 1).unwrap();
    /// pool.submit(|| 2).unwrap();
    /// pool.offer(|| 3, WhenFull::DropOldest).unwrap();
    ///
    /// let completion = pool.recv().unwrap();
    /// assert!(completion.id == old && completion.outcome.is_cancelled());
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The job comes back, not run, when the pool is closed; and when it is
    /// full, with [`WhenFull::Refuse`].
    pub fn offer(
        &self,
        job: J,
        when_full: WhenFull,
    ) -> Result<JobId, TrySubmitError<J>> {
        let mut offer = self.shared.order.offer(job);
        let has_room = |state: &mut State<J>, _: &mut _| state.has_room();
        if let Some(done) = self.shared.accept(&mut offer, has_room) {
            return Ok(done?);
        }
        match when_full {
            WhenFull::Wait => self.wait_to_submit(offer, None),
            WhenFull::Refuse => Err(TrySubmitError::Full(refused(offer))),
            WhenFull::CallerRuns => self.run_here(offer),
            WhenFull::DropNewest => Ok(self.give_up(refused(offer))?),
            WhenFull::DropOldest => Ok(self.replace_oldest(offer)?),
        }
    }

    /// Waits for the next completion, for `limit` at most.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] when none came in time.
    pub fn recv_timeout(
        &self,
        limit: Duration,
    ) -> Result<Completion<J>, TryRecvError> {
        match self.wait_to_read(Instant::now().checked_add(limit)) {
            None => Err(TryRecvError::Empty),
            Some(None) => Err(TryRecvError::Ended),
            Some(Some(completion)) => Ok(completion),
        }
    }

    /// The next completion, if there is one.
    ///
    /// # Errors
    ///
    /// When there is none, yet or for ever.
    pub fn try_recv(&self) -> Result<Completion<J>, TryRecvError> {
        match self.shared.step(|state, _| take(state)) {
            Poll::Ready(Some(completion)) => Ok(completion),
            Poll::Ready(None) => Err(TryRecvError::Ended),
            Poll::Pending => Err(TryRecvError::Empty),
        }
    }

    /// The next completion, in order of finishing. Waits for one, as a task
    /// of any runtime.
    ///
    /// `None` when the pool is closed and every completion was received, and
    /// from then on for ever. Dropping the future takes no completion.
    pub async fn recv_async(&self) -> Option<Completion<J>> {
        let mut waiting = Waiting::new(&self.shared, Awaited::Completion);
        poll_fn(|context| poll_recv(&mut waiting, context)).await
    }

    /// Changes the number of workers, while jobs run. The queue's length
    /// stays; the bound is workers + queue, as before.
    ///
    /// A new pool of that size takes over from now on; the workers of the old
    /// one end as their jobs do. Nothing is lost, and never more jobs are
    /// taken up than the new size allows. Waits for the threads to start, and
    /// for no job.
    ///
    /// # Errors
    ///
    /// When the size is not allowed, or the system refuses a thread; then all
    /// is as it was. (What makes the pools is called with other changes of the
    /// size kept out, and must not ask for one.)
    pub fn resize(&self, workers: usize) -> Result<(), BuildError> {
        let mut retired = lock(&self.retired);
        let queue = self.shared.state().config().queue();
        let config = self.plan.config(workers, queue)?;
        if self.shared.state().config() == config {
            return Ok(());
        }
        let base = self.plan.base(config)?;
        // Those that have ended, and have nothing to be waited for.
        let (ended, still): (Vec<_>, Vec<_>) =
            retired.drain(..).partition(|old| old.unfinished() == Some(0));
        *retired = still;
        retired.extend(self.shared.move_to(config, base));
        drop(retired);
        drop(ended);
        Ok(())
    }

    /// No further job is taken up; those that run go on to their end. Jobs
    /// are accepted as before, up to the bound.
    ///
    /// A pool that is closed and paused stays so until somebody resumes it;
    /// `stop` and drop do.
    pub fn pause(&self) {
        self.shared.step(|state, _| state.pause());
    }

    /// Jobs are taken up again.
    pub fn resume(&self) {
        let wanted = self.shared.step(|state, _| state.resume());
        self.shared.start(wanted);
    }

    /// Is cancelled with the pool: for jobs that are to end early then. A job
    /// takes a clone along and [looks](CancelToken::is_cancelled) at it, or
    /// [waits](CancelToken::wait_timeout) by it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::WorkerPool;
    /// use manyhands_managed::{ManagedPool, Stop};
    ///
    /// let pool = ManagedPool::builder().workers(1).over(ChannelPool::new)?;
    /// let token = pool.token().clone();
    /// pool.submit(move || token.wait_timeout(Duration::from_secs(3600))).unwrap();
    /// assert!(pool.stop(Stop::Abort).is_complete());
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    pub fn token(&self) -> &CancelToken {
        &self.shared.token
    }

    /// The pool's counters, all at this moment. Takes the pool's lock, for
    /// as long as some numbers take to be copied.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.state().snapshot(Instant::now())
    }

    /// Brings the pool to its end, and reports. What was received so far is
    /// counted too; what is unread can still be received.
    ///
    /// A job that was left behind goes on by itself. The pool does not wait
    /// for it any more, also when it is dropped: then it keeps its thread
    /// until it ends.
    ///
    /// Called by a job of the pool, it does not wait, and reports what is.
    /// Blocks its thread: in async code, [`drain_async`](Self::drain_async)
    /// waits as a task.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::WorkerPool;
    /// use manyhands_managed::{ManagedPool, Stop};
    ///
    /// let pool = ManagedPool::builder().workers(1).over(ChannelPool::new)?;
    /// for n in 0..10u32 {
    ///     pool.submit(move || n).unwrap();
    /// }
    /// let end = pool.stop(Stop::DrainFor(Duration::from_secs(5)));
    /// assert!(end.is_complete() && end.done == 10 && end.unread == 10);
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    pub fn stop(&self, how: Stop) -> Stopped {
        /// For what is about to end, or sees that it is to.
        const LAST_CALL: Duration = Duration::from_millis(100);
        let now = Instant::now();
        let patience = match how {
            Stop::Drain => Some(None),
            // For ever, if that is beyond the clock.
            Stop::DrainFor(patience) => Some(now.checked_add(patience)),
            Stop::Abort => None,
        };
        self.shared.close();
        let mut idle = false;
        if let Some(deadline) = patience {
            self.resume();
            idle = self.wait_until_idle(deadline);
        }
        if !idle && how != Stop::Drain {
            self.shared.cancel();
            let deadline = Instant::now().checked_add(LAST_CALL);
            idle = self.wait_until_idle(deadline);
        }
        let end = Stopped::from(self.snapshot());
        if !idle && !self.shared.is_inside() {
            self.left_behind.store(true, Ordering::SeqCst);
        }
        end
    }

    /// [`stop`](Self::stop) with [`Stop::Drain`], as a task of any runtime.
    ///
    /// A future that is dropped leaves a pool that is closed, and whose jobs
    /// go on. So a runtime's own timeout around it is a deadline, after which
    /// `stop(Stop::Abort)` gives back what is queued.
    ///
    /// Dropping the pool blocks its thread, as long as there are jobs. On a
    /// runtime with one thread that runs these jobs itself, they would never
    /// end: drain it first.
    pub async fn drain_async(&self) -> Stopped {
        self.shared.close();
        self.resume();
        if !self.shared.is_inside() {
            let mut waiting = Waiting::new(&self.shared, Awaited::End);
            poll_fn(|context| waiting.stand(context)).await;
        }
        self.snapshot().into()
    }

    /// Waits until no job is left, unless a job of the pool asks.
    fn wait_until_idle(&self, deadline: Option<Instant>) -> bool {
        if self.shared.is_inside() {
            return false;
        }
        self.shared.wait_until_idle(deadline)
    }

    fn wait_to_submit(
        &self,
        mut offer: Offer<J>,
        deadline: Option<Instant>,
    ) -> Result<JobId, TrySubmitError<J>> {
        if let Some(done) = accept(&self.shared, &mut offer) {
            return Ok(done?);
        }
        let bound = self.bound().get();
        let submitted = {
            let mut waiting = Waiting::new(&self.shared, Awaited::Place);
            let hint = || self.shared.room_hint(bound);
            block_on(deadline, hint, |context| {
                poll_submit(&mut waiting, &mut offer, context)
            })
        };
        match submitted {
            Some(done) => Ok(done?),
            None => Err(TrySubmitError::Full(refused(offer))),
        }
    }

    fn wait_to_read(
        &self,
        deadline: Option<Instant>,
    ) -> Option<Option<Completion<J>>> {
        if let Poll::Ready(taken) = self.shared.step(|state, _| take(state)) {
            return Some(taken);
        }
        let mut waiting = Waiting::new(&self.shared, Awaited::Completion);
        let hint = || self.shared.unread_hint();
        block_on(deadline, hint, |context| poll_recv(&mut waiting, context))
    }

    /// Accepts a job beyond the bound, and runs it on this thread. If it may
    /// not run now, it waits for a place.
    fn run_here(&self, offer: Offer<J>) -> Result<JobId, TrySubmitError<J>> {
        let key = offer.place.key;
        let context = Context::current();
        let borrowed = self
            .shared
            .step(|state, _| state.is_open().then(|| state.borrow(key)));
        let id = match borrowed {
            Some(Some(id)) => id,
            Some(None) => return self.wait_to_submit(offer, None),
            None => return Err(TrySubmitError::Closed(refused(offer))),
        };
        let job = refused(offer);
        let started = self.shared.started(None);
        let scope = context.job(id);
        let _inside = Inside::of(&*self.shared);
        let completion = scope.run(|| run_one(Ticket { id, job }, false));
        scope.end();
        self.shared.end_borrowed(key, started, completion);
        Ok(id)
    }

    /// Accepts a job, and gives it up.
    fn give_up(&self, job: J) -> Result<JobId, Closed<J>> {
        let (id, unread) = self.shared.step(|state, calls| {
            if state.is_open() {
                Ok(state.give_up(job, calls))
            } else {
                Err(Closed(job))
            }
        })?;
        self.shared.dropped(false);
        discard(unread);
        Ok(id)
    }

    /// Gives up the oldest job for this one, in one step.
    fn replace_oldest(&self, mut offer: Offer<J>) -> Result<JobId, Closed<J>> {
        let mut given_up = None;
        let accepted = self.shared.accept(&mut offer, |state, calls| {
            // There may be room by now.
            state.has_room() || {
                given_up = state.give_up_oldest(calls);
                given_up.is_some()
            }
        });
        if let Some(unread) = given_up {
            self.shared.dropped(true);
            discard(unread);
        }
        accepted.unwrap_or_else(|| self.give_up(refused(offer)))
    }
}

/// The job of an offer that was neither accepted nor answered.
fn refused<J>(offer: Offer<J>) -> J {
    match offer.job {
        Some(job) => job,
        // Not reached: a job is taken only by an answer.
        None => unreachable!("the job is with whoever offers it"),
    }
}

/// Accepts the job if it need not wait. From inside it never does: the place
/// that it would wait for may be its own.
fn accept<J: Job + 'static>(
    shared: &Arc<Shared<J>>,
    offer: &mut Offer<J>,
) -> Option<Result<JobId, Closed<J>>> {
    let inside = shared.is_inside();
    shared.accept(offer, |state, _| inside || state.has_room())
}

/// Accepts the job if there is a place, and waits for one else.
fn poll_submit<J: Job + 'static>(
    waiting: &mut Waiting<J>,
    offer: &mut Offer<J>,
    context: &mut TaskContext<'_>,
) -> Poll<Result<JobId, Closed<J>>> {
    loop {
        if let Some(done) = accept(waiting.shared(), offer) {
            return Poll::Ready(done);
        }
        if waiting.stand(context).is_pending() {
            return Poll::Pending;
        }
    }
}

pub(crate) fn poll_recv<J: Job + 'static>(
    waiting: &mut Waiting<J>,
    context: &mut TaskContext<'_>,
) -> Poll<Option<Completion<J>>> {
    loop {
        let taken = waiting.shared().step(|state, _| take(state));
        if taken.is_ready() {
            return taken;
        }
        if waiting.stand(context).is_pending() {
            return Poll::Pending;
        }
    }
}

fn take<J: Job>(state: &mut State<J>) -> Poll<Option<Completion<J>>> {
    match state.take_completion() {
        Some(completion) => Poll::Ready(Some(completion)),
        None if state.has_ended() => Poll::Ready(None),
        None => Poll::Pending,
    }
}

impl<J: Job + 'static> WorkerPool<J> for ManagedPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.wait_to_submit(self.shared.order.offer(job), None)
            .map_err(|refused| Closed(refused.into_inner()))
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.offer(job, WhenFull::Refuse)
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.wait_to_read(None).flatten()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        let Some(first) = self.recv() else { return 0 };
        into.push(first);
        let more =
            self.shared.step(|state, _| state.take_completions(max - 1));
        let count = 1 + more.len();
        into.extend(more);
        count
    }

    fn close(&self) {
        self.shared.close();
    }

    fn cancel(&self) {
        self.shared.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.shared.state().config().workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.shared.state().config().bound()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.shared.state().unfinished())
    }

    fn is_hungry(&self) -> bool {
        self.shared.state().is_hungry()
    }
}

impl<J: Job + 'static> Drop for ManagedPool<J> {
    fn drop(&mut self) {
        self.shared.close();
        self.resume();
        let retired = std::mem::take(&mut *lock(&self.retired));
        let shared = Arc::clone(&self.shared);
        // The pools below are kept as long as jobs may need them.
        let end = move || {
            shared.wait_until_idle(None);
            drop((retired, shared.take_base()));
        };
        if self.shared.is_inside() || self.left_behind.load(Ordering::SeqCst) {
            // Not waited for, neither here nor by a pool below.
            let waiter = thread::Builder::new().name("left behind".into());
            if waiter.spawn(end).is_err() {
                drop(self.shared.take_base());
            }
        } else {
            end();
        }
        self.shared.leave_audience();
    }
}

impl<J: Job + 'static> fmt::Debug for ManagedPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedPool")
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}
