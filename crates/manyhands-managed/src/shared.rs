//! What a managed pool, its shifts and its waiters have in common.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Instant;

use manyhands_core::sync::{
    Arc, AtomicUsize, CachePadded, Mutex, MutexGuard, Ordering, lock,
};
use manyhands_core::{
    CancelToken, Closed, Completion, Job, JobId, Outcome, Panic, WorkerPool,
    discard,
};

use crate::entry::Entry;
use crate::inside::is_inside;
use crate::order::{Offer, Order};
use crate::shift::Shift;
use crate::state::{Awaited, End, Next, State, Wanted};
use crate::wait::{Calls, Turn, block_on};
use crate::watch::{Context as JobContext, Meters, Started};

/// The pool that runs the shifts.
pub(crate) type Base<J> = Arc<dyn WorkerPool<Shift<J>>>;

pub(crate) struct Shared<J: Job + 'static> {
    state: CachePadded<Mutex<State<J>>>,
    /// Places that are taken, and completions that are unread: hints that can
    /// be read without the lock.
    taken: CachePadded<AtomicUsize>,
    unread: CachePadded<AtomicUsize>,
    pub(crate) order: Order<J>,
    pub(crate) hooks: Hooks<J>,
    /// Cancelled with the pool.
    pub(crate) token: CancelToken,
    meters: Meters,
    /// The base in use, and its number. Locked before the state where both
    /// are. `None` once the managed pool is gone.
    base: Mutex<Option<(u64, Base<J>)>>,
}

/// What the user wants to be asked or told.
pub(crate) struct Hooks<J: Job> {
    pub(crate) fails_if: Option<FailsIf<J>>,
    pub(crate) on_panic: Option<OnPanic>,
    pub(crate) stop_on_failure: bool,
}

pub(crate) type FailsIf<J> =
    Box<dyn Fn(&<J as Job>::Output) -> bool + Send + Sync>;
pub(crate) type OnPanic = Box<dyn Fn(JobId, &Panic) + Send + Sync>;

impl<J: Job> Default for Hooks<J> {
    fn default() -> Self {
        Self { fails_if: None, on_panic: None, stop_on_failure: false }
    }
}

impl<J: Job> Hooks<J> {
    /// What a job came to. Panics of the user's functions are contained.
    fn judge(&self, completion: &Completion<J>) -> End {
        let asked = match &completion.outcome {
            Outcome::Panicked(panic) => {
                let tell = self.on_panic.as_ref().map(|tell| {
                    catch_unwind(AssertUnwindSafe(|| {
                        tell(completion.id, panic);
                    }))
                });
                discard(tell);
                return End::Panicked;
            }
            Outcome::Done(output) => self
                .fails_if
                .as_ref()
                .map(|fails| catch_unwind(AssertUnwindSafe(|| fails(output)))),
            Outcome::Cancelled(_) => None,
        };
        match asked {
            Some(Ok(true)) => End::Failed,
            Some(Err(payload)) => {
                discard(payload);
                End::Done
            }
            _ => End::Done,
        }
    }
}

impl<J: Job + 'static> Shared<J> {
    pub(crate) fn new(
        state: State<J>,
        order: Order<J>,
        hooks: Hooks<J>,
        token: CancelToken,
        meters: Meters,
        base: Base<J>,
    ) -> Self {
        Self {
            state: CachePadded(Mutex::new(state)),
            taken: CachePadded::default(),
            unread: CachePadded::default(),
            order,
            hooks,
            token,
            meters,
            base: Mutex::new(Some((0, base))),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State<J>> {
        lock(&self.state)
    }

    /// A step of the state; then whoever it concerns is woken.
    pub(crate) fn step<T>(
        &self,
        step: impl FnOnce(&mut State<J>, &mut Calls) -> T,
    ) -> T {
        let mut calls = Calls::default();
        let mut state = self.state();
        let result = step(&mut state, &mut calls);
        self.taken.store(state.taken(), Ordering::Relaxed);
        self.unread.store(state.unread(), Ordering::Relaxed);
        drop(state);
        calls.make();
        result
    }

    /// Accepts a job, if it may be, and starts the shift that it needs. The
    /// outer `None`: not now.
    pub(crate) fn accept(
        self: &Arc<Self>,
        offer: &mut Offer<J>,
        may: impl FnOnce(&mut State<J>, &mut Calls) -> bool,
    ) -> Option<Result<JobId, Closed<J>>> {
        let since = Instant::now();
        let mut context = Some(JobContext::current());
        let accepted = self.step(|state, calls| {
            if !state.is_open() {
                return offer.job.take().map(|job| Err(Closed(job)));
            }
            if !may(state, calls) {
                return None;
            }
            let (job, context) = offer.job.take().zip(context.take())?;
            Some(Ok(state.accept(job, offer.place, since, context)))
        })?;
        Some(accepted.map(|(id, wanted)| {
            self.meters.accepted();
            self.start(wanted);
            id
        }))
    }

    /// Starts shifts.
    pub(crate) fn start(self: &Arc<Self>, wanted: Wanted) {
        for _ in 0..wanted.0 {
            self.start_one();
        }
    }

    fn start_one(self: &Arc<Self>) {
        let mut refused_by = None;
        loop {
            let base = lock(&self.base).clone();
            let Some((number, pool)) = base else { break };
            if refused_by == Some(number) {
                break;
            }
            match pool.submit(Shift::new(Arc::clone(self), number)) {
                Ok(_) => return,
                // Another pool may have come into use meanwhile.
                Err(Closed(shift)) => {
                    shift.give_back();
                    refused_by = Some(number);
                }
            }
        }
        self.lose_shift();
    }

    /// The pool below has ended by itself, as one on somebody's runtime does:
    /// nothing will run any more, so everything comes back.
    pub(crate) fn lose_shift(&self) {
        self.step(|state, calls| state.lose_shift(calls));
        self.cancel();
    }

    pub(crate) fn close(&self) {
        self.step(|state, calls| state.close(calls));
    }

    pub(crate) fn cancel(&self) {
        let (count, unread) = self.step(|state, calls| state.cancel(calls));
        self.meters.cancelled(count);
        self.token.cancel();
        unread.into_iter().for_each(discard);
    }

    /// The pool, or a stream, reads no more.
    pub(crate) fn leave_audience(&self) {
        let unread = self.step(|state, _| state.leave_audience());
        unread.into_iter().for_each(discard);
    }

    /// Waits until no job is left.
    pub(crate) fn wait_until_idle(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> bool {
        let mut waiting = Waiting::new(self, Awaited::End);
        block_on(deadline, || true, |context| waiting.stand(context)).is_some()
    }

    /// Another base is in use from now on. Returns the one before.
    pub(crate) fn move_to(
        self: &Arc<Self>,
        config: manyhands_core::Config,
        base: Base<J>,
    ) -> Option<Base<J>> {
        let mut current = lock(&self.base);
        let (_, old) = current.take()?;
        let (number, wanted) =
            self.step(|state, calls| state.move_to(config, calls));
        *current = Some((number, base));
        drop(current);
        self.start(wanted);
        old.close();
        Some(old)
    }

    pub(crate) fn take_base(&self) -> Option<Base<J>> {
        lock(&self.base).take().map(|(_, base)| base)
    }

    /// What a shift does first.
    pub(crate) fn begin(self: &Arc<Self>, base: u64) -> Option<Entry<J>> {
        let next = self.step(|state, calls| state.begin(base, calls));
        self.follow(next)
    }

    /// A job of a shift is over: what the shift does next.
    pub(crate) fn end(
        self: &Arc<Self>,
        base: u64,
        key: Option<u64>,
        started: Started,
        completion: Completion<J>,
    ) -> Option<Entry<J>> {
        let end = self.judge(&completion);
        self.meters.ended(started, end);
        let (unread, next) = self.step(|state, calls| {
            let unread = state.complete(completion, calls);
            (unread, state.end(base, key, end, calls))
        });
        discard(unread);
        self.follow(next)
    }

    /// A job's future was dropped, and its shift with it.
    pub(crate) fn end_lost(
        self: &Arc<Self>,
        id: JobId,
        key: Option<u64>,
        started: Started,
    ) {
        let lost = "the task that ran the job was dropped";
        let panic = Panic::new(Box::new(lost));
        let completion = Completion { id, outcome: Outcome::Panicked(panic) };
        let end = self.judge(&completion);
        self.meters.ended(started, end);
        let (unread, wanted) = self.step(|state, calls| {
            let unread = state.complete(completion, calls);
            (unread, state.end_lost(key, calls))
        });
        discard(unread);
        self.start(wanted);
    }

    /// A job that ran on the thread of who submitted it is over.
    pub(crate) fn end_borrowed(
        self: &Arc<Self>,
        key: Option<u64>,
        started: Started,
        completion: Completion<J>,
    ) {
        let end = self.judge(&completion);
        self.meters.ended(started, end);
        let (unread, wanted) = self.step(|state, calls| {
            let unread = state.complete(completion, calls);
            (unread, state.end_borrowed(key, end, calls))
        });
        discard(unread);
        self.start(wanted);
    }

    fn judge(&self, completion: &Completion<J>) -> End {
        let end = self.hooks.judge(completion);
        if self.hooks.stop_on_failure && end != End::Done {
            self.cancel();
        }
        end
    }

    /// A job is taken up.
    pub(crate) fn started(&self, since: Option<Instant>) -> Started {
        self.meters.started(since)
    }

    /// A job was given up for want of a place.
    pub(crate) fn dropped(&self, from_queue: bool) {
        self.meters.dropped(from_queue);
    }

    fn follow(self: &Arc<Self>, next: Next<J>) -> Option<Entry<J>> {
        match next {
            Next::Job(entry) => Some(entry),
            Next::Leave(wanted) => {
                self.start(wanted);
                None
            }
        }
    }

    pub(crate) fn is_inside(&self) -> bool {
        is_inside(self)
    }

    /// Whether there may be a place.
    pub(crate) fn room_hint(&self, bound: usize) -> bool {
        self.taken.load(Ordering::Relaxed) < bound
    }

    /// Whether there may be a completion.
    pub(crate) fn unread_hint(&self) -> bool {
        self.unread.load(Ordering::Relaxed) > 0
    }
}

/// One who waits in a line of the state. Dropped, it leaves the line.
pub(crate) struct Waiting<J: Job + 'static> {
    shared: Arc<Shared<J>>,
    awaited: Awaited,
    turn: Turn,
}

impl<J: Job + 'static> Waiting<J> {
    pub(crate) fn new(shared: &Arc<Shared<J>>, awaited: Awaited) -> Self {
        let shared = Arc::clone(shared);
        Self { shared, awaited, turn: Turn::default() }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<J>> {
        &self.shared
    }

    /// Stands in the line, unless what is awaited is there.
    pub(crate) fn stand(&mut self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let (awaited, turn) = (self.awaited, &mut self.turn);
        let (poll, old) = self.shared.step(|state, _| {
            if state.is_there(awaited) {
                return (Poll::Ready(()), Some(waker));
            }
            (Poll::Pending, state.line(awaited).stand(turn, waker))
        });
        drop(old);
        poll
    }

    /// Leaves the line, and hands on a call that it has had for nothing.
    pub(crate) fn leave(&mut self) {
        let (awaited, turn) = (self.awaited, &mut self.turn);
        if turn.is_none() {
            return;
        }
        let waker = self.shared.step(|state, calls| {
            let (called, waker) = state.line(awaited).leave(turn);
            if called && state.is_there(awaited) {
                state.line(awaited).call_one(calls);
            }
            waker
        });
        drop(waker);
    }
}

impl<J: Job + 'static> Drop for Waiting<J> {
    fn drop(&mut self) {
        self.leave();
    }
}
