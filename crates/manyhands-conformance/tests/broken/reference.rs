//! A small pool, right as it stands, with a switch for each way to be wrong.
//!
//! A queue, a lock and three condition variables: nothing of the workspace
//! but the contract. Without the lines that ask for a fault (`has`), this is
//! the whole pool.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::hint::black_box;
use std::mem::forget;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use manyhands_conformance::LawJob;
use manyhands_core::{
    AsyncJob, Closed, Completion, Config, Job, JobId, Outcome, Panic,
    SubmitAllError, Ticket, TrySubmitError, WorkerPool, discard, run_one,
};

use crate::fault::Fault::{self, *};

thread_local! {
    /// The pool whose worker this thread is, as a number.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
    /// Something that is gone before its thread is.
    static LOCAL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// What jobs on this thread have submitted, for a fault that keeps it.
    static OWN: RefCell<VecDeque<Ticket<LawJob>>> =
        const { RefCell::new(VecDeque::new()) };
    /// What has finished on this thread, for a fault that keeps it.
    static KEPT: RefCell<Vec<Completion<LawJob>>> =
        const { RefCell::new(Vec::new()) };
}

/// Threads that take jobs from one queue.
pub(crate) struct ReferencePool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled for workers: a job, or the end.
    work: Condvar,
    /// Signalled for submitters: a place, or the end.
    place: Condvar,
    /// Signalled for readers: a completion, or the end.
    ready: Condvar,
    /// Held by whoever tries, for a fault that goes by it.
    trying: Mutex<()>,
    config: Config,
    fault: Option<Fault>,
}

struct State {
    queue: VecDeque<Ticket<LawJob>>,
    /// What workers have taken beside the job that they run, a lane a worker,
    /// for faults that do.
    lanes: BTreeMap<usize, VecDeque<Ticket<LawJob>>>,
    /// Which of the jobs came from a job, for a fault that goes by it.
    of_jobs: Vec<JobId>,
    /// How many readers wait, for a fault that goes by it.
    readers: usize,
    /// How many submitters wait, for a fault that goes by it.
    waiting: usize,
    /// How many workers there are, for a fault that goes by it.
    workers: usize,
    /// How many are counted beside the unfinished, for a fault that does.
    miscounted: usize,
    finished: VecDeque<Completion<LawJob>>,
    /// How many were accepted: the next id.
    accepted: u64,
    unfinished: usize,
    /// The id to read next, for a fault that goes by it.
    next: JobId,
    closed: bool,
    cancelled: bool,
}

impl ReferencePool {
    /// A pool with a fault, or with none.
    pub(crate) fn new(config: Config, fault: Option<Fault>) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                lanes: BTreeMap::new(),
                of_jobs: Vec::new(),
                readers: 0,
                waiting: 0,
                workers: config.workers().get(),
                miscounted: 0,
                finished: VecDeque::new(),
                accepted: 0,
                unfinished: 0,
                next: JobId::new(0),
                closed: false,
                cancelled: false,
            }),
            work: Condvar::new(),
            place: Condvar::new(),
            ready: Condvar::new(),
            trying: Mutex::new(()),
            config,
            fault,
        });
        let threads = match fault {
            Some(OneWorkerMore) => config.workers().get() + 1,
            Some(OneWorkerLess) => (config.workers().get() - 1).max(1),
            _ => config.workers().get(),
        };
        if fault == Some(LeaksThread) {
            leak_a_thread();
        }
        if fault == Some(LeaksFile) {
            forget(File::open("/dev/null"));
        }
        if fault == Some(LeaksMemory) {
            forget(black_box(vec![1_u8; 1 << 20]));
        }
        if fault == Some(LeaksState) {
            forget(Arc::clone(&shared));
        }
        let worker = |number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                WORKS_FOR.set(Arc::as_ptr(&shared).addr());
                shared.work(number);
            })
        };
        let threads = (0..threads).map(worker).collect();
        // There from now on, and gone before what its thread holds longer.
        LOCAL.with_borrow_mut(|local| local.push(1));
        Self { shared, threads }
    }
}

impl WorkerPool<LawJob> for ReferencePool {
    fn submit(&self, job: LawJob) -> Result<JobId, Closed<LawJob>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        if shared.has(LooksBeforeItLocks) {
            let closed = state.closed;
            drop(state);
            if closed {
                return Err(Closed(job));
            }
            thread::sleep(Duration::from_micros(100));
            return Ok(shared.accept(&mut shared.lock(), job));
        }
        if shared.has(NumbersThenQueues) && !state.closed {
            let id = JobId::new(state.accepted);
            state.accepted += 1;
            drop(state);
            thread::sleep(Duration::from_micros(100));
            let mut state = shared.lock();
            while !shared.has_place(&state) {
                state = wait(&shared.place, state);
            }
            shared.queue(&mut state, Ticket { id, job });
            return Ok(id);
        }
        while !state.closed && !shared.has_place(&state) {
            if shared.has(SpinsForAPlace) {
                drop(state);
                thread::yield_now();
                state = shared.lock();
                continue;
            }
            state.waiting += 1;
            state = wait(&shared.place, state);
            state.waiting -= 1;
            if shared.has(LetsTheWaitingIn) || shared.has(LetsAllIn) {
                break;
            }
        }
        let passes = shared.has(AcceptsFromJobsAfterClose) && shared.inside()
            || shared.lets_in_after_cancel(&state)
            || shared.has(LetsTheWaitingIn)
            || shared.has(SubmitAcceptsAfterClose);
        let refuses = shared.has(RefusesItsJobs) && shared.inside();
        if state.closed && !passes || refuses {
            let mut back = job;
            if shared.has(SubmitRefusesAnother) {
                shared.swap_with_the_last(&mut state, &mut back);
            }
            return Err(Closed(back));
        }
        if shared.has(SubmitChecksThenAccepts) {
            drop(state);
            thread::yield_now();
            state = shared.lock();
        }
        Ok(shared.accept(&mut state, job))
    }

    fn try_submit(
        &self,
        job: LawJob,
    ) -> Result<JobId, TrySubmitError<LawJob>> {
        let shared = &*self.shared;
        let trying = shared.trying.try_lock();
        let mut state = shared.lock();
        if shared.has(FullWhenBusy) && trying.is_err() && !state.closed {
            return Err(TrySubmitError::Full(job));
        }
        let passes = shared.has(AcceptsAfterClose)
            || shared.lets_in_after_cancel(&state);
        if state.closed && !passes {
            if shared.has(FullWhenClosed) && state.unfinished > 0 {
                return Err(TrySubmitError::Full(job));
            }
            return Err(TrySubmitError::Closed(job));
        }
        if shared.has(ChecksThenAccepts) {
            let full = !shared.has_place(&state);
            drop(state);
            if full {
                return Err(TrySubmitError::Full(job));
            }
            thread::yield_now();
            return Ok(shared.accept(&mut shared.lock(), job));
        }
        if shared.has(FullTakesItsTime) && !shared.has_place(&state) {
            drop(state);
            thread::sleep(Duration::from_millis(60));
            state = shared.lock();
        }
        let one_early = shared.has(FullOneEarly)
            && state.unfinished + 1 >= self.bound().get();
        let passes = shared.has(LetsItsJobsIn) && shared.inside()
            || shared.has(TriesPassTheWaiting) && state.waiting > 0;
        if !passes && (one_early || !shared.has_place(&state)) {
            let mut back = job;
            state.accepted += u64::from(shared.has(RefusedTakesAnId));
            if shared.has(RefusesAnother) {
                shared.swap_with_the_last(&mut state, &mut back);
            }
            if shared.has(ClosedWhenFull) {
                return Err(TrySubmitError::Closed(back));
            }
            return Err(TrySubmitError::Full(back));
        }
        Ok(shared.accept(&mut state, job))
    }

    fn recv(&self) -> Option<Completion<LawJob>> {
        let shared = &*self.shared;
        if shared.has(NoneInside) && WORKS_FOR.get() != 0 {
            return None;
        }
        let mut state = shared.lock();
        loop {
            if shared.has(LooksTwice) && !state.finished.is_empty() {
                drop(state);
                thread::yield_now();
                state = shared.lock();
                return state.finished.pop_front();
            }
            let next = if shared.has(ReadsInOrderOfIds) {
                state.finished.iter().position(|it| it.id == state.next)
            } else if shared.has(ReadsWithTheNewest) && state.unfinished > 0 {
                let newest = JobId::new(state.accepted - 1);
                state.finished.iter().any(|it| it.id == newest).then_some(0)
            } else {
                Some(0)
            };
            let next = next.and_then(|index| state.finished.remove(index));
            if let Some(completion) = next {
                if shared.has(LosesOneAmongReaders) && state.readers > 1 {
                    state.readers = 0;
                    continue;
                }
                if shared.has(TwoReadersGetIt) && state.readers > 1 {
                    let outcome =
                        Outcome::Panicked(Panic::new(Box::new("it")));
                    let id = completion.id;
                    let again = Completion { id, outcome };
                    state.finished.push_front(again);
                    state.readers = 0;
                    shared.ready.notify_one();
                }
                state.next = JobId::new(state.next.get() + 1);
                if shared.has(FreedByReading) {
                    state.unfinished -= 1;
                    shared.place.notify_one();
                }
                return Some(completion);
            }
            let drained =
                state.unfinished == 0 || shared.has(NoneBeforeTheLast);
            if state.closed && drained {
                if shared.has(NoneOnlyOnce) {
                    state.unfinished = 1;
                }
                return None;
            }
            if shared.has(SpinsInRecv) {
                drop(state);
                thread::yield_now();
                state = shared.lock();
            } else {
                state.readers += 1;
                state = wait(&shared.ready, state);
                state.readers = state.readers.saturating_sub(1);
            }
        }
    }

    fn close(&self) {
        let shared = &*self.shared;
        let mut state = shared.lock();
        if shared.has(SecondCloseHangs) && state.closed {
            while state.closed {
                state = wait(&shared.work, state);
            }
        }
        state.closed = true;
        if shared.has(CloseLosesTheLast) {
            let last = state.queue.pop_back();
            state.unfinished -= usize::from(last.is_some());
        }
        if shared.has(CloseClearsTheQueue) {
            state.unfinished -= state.queue.len();
            state.queue.clear();
        }
        if shared.has(CloseForgetsJobsOfJobs) {
            let State { queue, of_jobs, unfinished, .. } = &mut *state;
            let before = queue.len();
            queue.retain(|ticket| !of_jobs.contains(&ticket.id));
            *unfinished -= before - queue.len();
        }
        if shared.has(CloseUndoesCancel) {
            state.cancelled = false;
        }
        let forgets_readers = shared.has(CancelForgetsReaders)
            && state.cancelled
            && state.unfinished == 0;
        if shared.has(CloseDawdles) && state.unfinished > 0 {
            drop(state);
            thread::sleep(Duration::from_millis(200));
            state = shared.lock();
        }
        while shared.has(CloseWaits) && state.unfinished > 0 {
            state = wait(&shared.ready, state);
        }
        let cancelled = state.cancelled;
        drop(state);
        shared.work.notify_all();
        if forgets_readers {
            // Nobody is told.
        } else if shared.has(CloseWakesOneReader) {
            shared.ready.notify_one();
        } else {
            shared.ready.notify_all();
        }
        let forgets = if cancelled {
            CancelForgetsTheWaiting
        } else {
            CloseForgetsTheWaiting
        };
        if !shared.has(forgets) {
            shared.place.notify_all();
        }
    }

    fn cancel(&self) {
        let shared = &*self.shared;
        let mut state = shared.lock();
        while shared.has(CancelFromAJobHangs) && shared.inside() {
            state = wait(&shared.work, state);
        }
        // Where that is undone, it is by a close that comes later.
        let undone = shared.has(CloseUndoesCancel);
        if undone {
            state.closed = true;
        }
        state.cancelled = true;
        if shared.has(CancelClearsTheQueue) {
            state.unfinished -= state.queue.len();
            state.queue.clear();
        }
        if shared.has(CancelClearsTheFinished) {
            state.finished.clear();
        }
        if shared.has(CancelSpoilsTheFinished) {
            for Completion { outcome, .. } in &mut state.finished {
                let panic = Panic::new(Box::new("cancelled"));
                *outcome = Outcome::Panicked(panic);
            }
        }
        drop(state);
        if undone {
            shared.work.notify_all();
            shared.ready.notify_all();
            shared.place.notify_all();
        } else {
            self.close();
        }
    }

    fn workers(&self) -> NonZeroUsize {
        self.shared.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.shared.bound()
    }

    fn unfinished(&self) -> Option<usize> {
        let state = self.shared.lock();
        Some(match self.shared.has(CountsTheWaiting) {
            true => state.queue.len(),
            false => state.unfinished + state.miscounted,
        })
    }

    fn is_hungry(&self) -> bool {
        !self.shared.has(NeverHungry)
    }

    fn try_submit_some(
        &self,
        jobs: &mut VecDeque<LawJob>,
    ) -> Result<Range<JobId>, TrySubmitError<()>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        let first = state.accepted;
        if jobs.is_empty() {
            return Ok(JobId::new(first)..JobId::new(first));
        }
        if state.closed && !shared.has(SomeAfterClose) {
            if shared.has(SomeDropTheRefused) {
                jobs.clear();
            }
            return Err(match shared.has(SomeFullWhenClosed) {
                true => TrySubmitError::Full(()),
                false => TrySubmitError::Closed(()),
            });
        }
        if shared.has(SomeTakeTheirTime) && !shared.has_place(&state) {
            drop(state);
            thread::sleep(Duration::from_millis(60));
            state = shared.lock();
        }
        let one_early = shared.has(SomeFullOneEarly)
            && state.unfinished + 1 >= self.bound().get();
        let all = shared.has(SomeNeedOnePlace);
        let mut count = 0;
        while !one_early && (shared.has_place(&state) || all && count > 0) {
            let Some(job) = jobs.pop_front() else { break };
            let wakes_one =
                shared.has(SomeWakeOne) || shared.has(ClaimWakesNobody);
            let id = JobId::new(state.accepted);
            state.accepted += 1;
            state.unfinished += 1;
            state.queue.push_back(Ticket { id, job });
            if count == 0 || !wakes_one {
                shared.work.notify_one();
            }
            count += 1;
        }
        if shared.has(SomeLoseTheRest) {
            jobs.clear();
        }
        if shared.has(SomeTurnTheRest) {
            jobs.make_contiguous().reverse();
        }
        if count == 0 {
            return Err(TrySubmitError::Full(()));
        }
        let end = first + count + u64::from(shared.has(SomeMiscount));
        Ok(JobId::new(first)..JobId::new(end))
    }

    fn submit_all(
        &self,
        jobs: &mut dyn Iterator<Item = LawJob>,
    ) -> Result<u64, SubmitAllError<LawJob>> {
        let shared = &*self.shared;
        let mut accepted = 0;
        if shared.has(LocksAroundTheIterator) {
            let mut state = shared.lock();
            for job in jobs {
                while !shared.has_place(&state) {
                    state = wait(&shared.place, state);
                }
                shared.accept(&mut state, job);
                accepted += 1;
            }
            return Ok(accepted);
        }
        if shared.has(BatchWakesOne) {
            return shared.accept_and_wake_one(jobs);
        }
        let loses =
            shared.has(BatchLosesTheSecond) && shared.config.queue() == 1;
        let mut next = || match shared.has(BatchLosesAPlace) {
            true => shared.with_a_place(|| jobs.next()),
            false => jobs.next(),
        };
        let mut ahead = shared.has(LooksAhead).then(&mut next);
        let mut before = None;
        while let Some(job) = ahead.take().unwrap_or_else(&mut next) {
            ahead = shared.has(LooksAhead).then(&mut next);
            if loses && accepted == 1 {
                discard(job);
                accepted += 1;
                continue;
            }
            match self.submit(job) {
                Ok(id) if shared.has(BatchOvertakes) => {
                    shared.overtake(before.replace(id), id);
                }
                Ok(_) => {}
                Err(Closed(job)) => {
                    let lost = shared.has(BatchDropsTheRefused);
                    let refused = if lost { vec![] } else { vec![job] };
                    return Err(SubmitAllError { accepted, refused });
                }
            }
            accepted += 1;
        }
        Ok(accepted + u64::from(shared.has(BatchMiscounts)))
    }

    fn recv_many(
        &self,
        into: &mut Vec<Completion<LawJob>>,
        max: usize,
    ) -> usize {
        let shared = &*self.shared;
        if max == 0 {
            return 0;
        }
        let max = if shared.has(RecvManyTakesMore) { usize::MAX } else { max };
        if shared.has(RecvManyClears) {
            into.clear();
        }
        let Some(first) = self.recv() else { return 0 };
        into.push(first);
        let mut count = 1;
        loop {
            let next = if count == max {
                None
            } else if shared.has(RecvManyWaitsForMax) {
                self.recv()
            } else if shared.has(RecvManyLooksThenWaits) {
                let some = !shared.lock().finished.is_empty();
                thread::yield_now();
                some.then(|| self.recv()).flatten()
            } else {
                shared.lock().finished.pop_front()
            };
            let Some(completion) = next else { return count };
            into.push(completion);
            count += 1;
        }
    }
}

impl Shared {
    /// What each worker does.
    fn work(&self, worker: usize) {
        while let Some(ticket) = self.take(worker) {
            let two = self.has(TakesTwo);
            let second = two.then(|| self.lock().queue.pop_front()).flatten();
            for ticket in [ticket].into_iter().chain(second) {
                if !self.run(ticket) {
                    return;
                }
            }
            while let Some(own) = OWN.with_borrow_mut(VecDeque::pop_front) {
                self.run(own);
            }
        }
    }

    /// Runs a job; false if that was the end of the worker.
    fn run(&self, ticket: Ticket<LawJob>) -> bool {
        let cancelled = self.lock().cancelled && !self.has(CancelRuns);
        let as_a_task = [
            DropsLate,
            DropsUnderItsLock,
            DropsLateInPanic,
            DropsUnderItsLockInPanic,
            DropKillsWorker,
            RunsTasks,
        ];
        if as_a_task.into_iter().any(|fault| self.has(fault)) && !cancelled {
            self.run_as_a_task(ticket);
            return true;
        }
        if self.has(ThreadEach) {
            let run = || run_one(ticket, cancelled);
            let completion = thread::scope(|scope| scope.spawn(run).join());
            // It contains its panics.
            completion.into_iter().for_each(|it| self.finish(it));
            return true;
        }
        if self.has(TellsBeforeItRuns) {
            let outcome = Outcome::Panicked(Panic::new(Box::new("it may")));
            self.finish(Completion { id: ticket.id, outcome });
            thread::sleep(Duration::from_millis(20));
            discard(run_one(ticket, cancelled));
            return true;
        }
        static ONE_FOR_ALL: Mutex<()> = Mutex::new(());
        let _shared = self.has(SharesALock).then(|| {
            ONE_FOR_ALL.lock().unwrap_or_else(PoisonError::into_inner)
        });
        if self.has(PanicKillsWorker) && !cancelled {
            let Ticket { id, job } = ticket;
            let outcome = Outcome::Done(job.run());
            self.finish(Completion { id, outcome });
            return true;
        }
        let locked = self.has(RunsUnderItsLock).then(|| self.lock());
        let mut completion = run_one(ticket, cancelled);
        drop(locked);
        let panicked = completion.outcome.is_panicked();
        if panicked && self.has(PanicsLoseTheirText) {
            let panic = Panic::new(Box::new("the job panicked"));
            completion.outcome = Outcome::Panicked(panic);
        }
        if panicked && self.has(PanicKeepsPlace) {
            let mut state = self.lock();
            state.finished.push_back(completion);
            self.ready.notify_one();
            return true;
        }
        if panicked && self.has(LeaksThreadInPanic) {
            leak_a_thread();
        }
        let failed = matches!(completion.outcome, Outcome::Done(Err(_)));
        let stops = [StopsOnError, StopsForTheQueue, StopsAndRuns];
        if failed && stops.into_iter().any(|fault| self.has(fault)) {
            self.stop();
        }
        if failed && self.has(ErrorsPanic) {
            let panic = Panic::new(Box::new("an error"));
            completion.outcome = Outcome::Panicked(panic);
        }
        if failed && self.has(ErrorsCancelTheQueue) {
            let queue = std::mem::take(&mut self.lock().queue);
            for Ticket { id, job } in queue {
                let outcome = Outcome::Cancelled(job);
                self.finish(Completion { id, outcome });
            }
        }
        if cancelled && self.has(LeaksCancelled) {
            let panic = Panic::new(Box::new("cancelled"));
            let outcome = Outcome::Panicked(panic);
            forget(std::mem::replace(&mut completion.outcome, outcome));
        }
        self.finish(completion);
        if failed && self.has(StopsLate) {
            thread::sleep(Duration::from_millis(1));
            self.stop();
        }
        if panicked && self.has(PanicEndsWorker) {
            let mut state = self.lock();
            let last = state.workers == 1;
            state.workers -= usize::from(!last);
            return last;
        }
        true
    }

    /// The next job. Waits for one; `None` at the end.
    fn take(&self, worker: usize) -> Option<Ticket<LawJob>> {
        let mut state = self.lock();
        let mut seen = None;
        loop {
            if let Some(mine) = self.take_mine(&mut state, worker) {
                return Some(mine);
            }
            if state.queue.is_empty() {
                let kept = KEPT.take();
                if !kept.is_empty() {
                    drop(state);
                    kept.into_iter().for_each(|it| self.tell(it));
                    state = self.lock();
                    continue;
                }
                if let Some(other) = self.take_others(&mut state, &mut seen) {
                    return Some(other);
                }
            }
            let next = match self.has(TakesTheLast) {
                true => state.queue.pop_back(),
                false => state.queue.pop_front(),
            };
            if next.is_some() {
                return next;
            }
            if state.closed {
                return None;
            }
            if self.has(LooksThenWaits) {
                drop(state);
                thread::sleep(Duration::from_micros(50));
                state = self.lock();
                if !state.closed {
                    state = wait(&self.work, state);
                }
            } else if self.has(SpinsForWork) {
                drop(state);
                thread::yield_now();
                state = self.lock();
            } else if self.has(IdleWorkersLeave) {
                let tick = Duration::from_millis(40);
                let (woken, idle) = self
                    .work
                    .wait_timeout(state, tick)
                    .unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if idle.timed_out() {
                    return None;
                }
            } else if self.has(BurnsNowAndThen) {
                let tick = Duration::from_millis(100);
                let (woken, idle) = self
                    .work
                    .wait_timeout(state, tick)
                    .unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if idle.timed_out() {
                    drop(state);
                    burn(Duration::from_millis(10));
                    state = self.lock();
                }
            } else if let Some(tick) = self.tick() {
                let woken = self.work.wait_timeout(state, tick);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = wait(&self.work, state);
            }
        }
    }

    /// A job that this worker has taken before. Where there is none, and
    /// several in the queue, it takes some.
    fn take_mine(
        &self,
        state: &mut State,
        worker: usize,
    ) -> Option<Ticket<LawJob>> {
        const MOST: usize = 8;
        let takes = match self.fault? {
            ClaimsForItself | ThiefLooksOnce | ClaimWakesNobody => true,
            ClaimsOnceWarm => state.accepted > 10_000,
            _ => false,
        };
        let State { queue, lanes, .. } = state;
        let lane = lanes.entry(worker).or_default();
        if takes && lane.is_empty() {
            let count = queue.len().min(MOST);
            lane.extend(queue.drain(..count));
        }
        lane.pop_front()
    }

    /// A job that another worker has taken before. `seen` is the one that was
    /// found there and left: its worker might be about to run it.
    fn take_others(
        &self,
        state: &mut State,
        seen: &mut Option<JobId>,
    ) -> Option<Ticket<LawJob>> {
        let mut lanes = state.lanes.values_mut();
        let lane = lanes.find(|lane| !lane.is_empty())?;
        let next = lane.front()?.id;
        match self.fault? {
            ClaimWakesNobody => {}
            ThiefLooksOnce if seen.replace(next) == Some(next) => {}
            _ => return None,
        }
        lane.pop_front()
    }

    fn finish(&self, completion: Completion<LawJob>) {
        const MOST: usize = 8;
        if self.has(KeepsResultsBack) && !self.lock().queue.is_empty() {
            let kept = KEPT.with_borrow_mut(|kept| {
                kept.push(completion);
                (kept.len() == MOST).then(|| std::mem::take(kept))
            });
            return kept.into_iter().flatten().for_each(|it| self.tell(it));
        }
        self.tell(completion);
    }

    fn tell(&self, mut completion: Completion<LawJob>) {
        let twice = self.has(CompletesTwice).then_some(completion.id);
        if self.has(MixesUpIds) {
            completion.id = JobId::new(completion.id.get() ^ 1);
        }
        let panicked = completion.outcome.is_panicked();
        let cancelled = completion.outcome.is_cancelled();
        if self.has(PanicsMixUpIds) && panicked && completion.id.get() < 2 {
            completion.id = JobId::new(completion.id.get() ^ 1);
        }
        let mut state = self.lock();
        let loses = self.has(CancelLosesPanics) && state.cancelled && panicked
            || self.has(LosesEveryTenThousandth)
                && completion.id.get() % 10_000 == 9_999;
        if loses {
            state.unfinished -= 1;
            self.place.notify_one();
            self.ready.notify_all();
            drop(state);
            return discard(completion);
        }
        let miscounts = self.has(CountsPanics) && panicked
            || self.has(CountsTheCancelled) && cancelled;
        state.miscounted += usize::from(miscounts);
        while self.has(BoundsResults)
            && state.finished.len() >= self.config.bound().get()
        {
            state = wait(&self.ready, state);
        }
        state.finished.push_back(completion);
        if let Some(id) = twice {
            let outcome = Outcome::Panicked(Panic::new(Box::new("again")));
            state.finished.push_back(Completion { id, outcome });
        }
        if self.has(FreedLate) {
            self.ready.notify_one();
            drop(state);
            thread::yield_now();
            state = self.lock();
        }
        if !self.has(FreedByReading) {
            state.unfinished -= 1;
        }
        self.place.notify_one();
        if self.has(LetsAllIn) {
            self.place.notify_all();
        }
        self.ready.notify_one();
        let last = state.closed && state.unfinished == 0;
        if self.has(BoundsResults) || last && !self.has(LastWakesOneReader) {
            self.ready.notify_all();
        }
    }

    /// What cancel does, for the pool that stops by itself.
    fn stop(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.cancelled = !self.has(StopsAndRuns);
        self.work.notify_all();
        self.ready.notify_all();
        if !self.has(StopsForTheQueue) {
            self.place.notify_all();
        }
    }

    /// Takes the job's async face, whose captured values live as long as its
    /// future, and drops that after, or while, the completion goes out.
    fn run_as_a_task(&self, Ticket { id, job }: Ticket<LawJob>) {
        let mut future = Box::pin(job.run_async());
        let ended =
            catch_unwind(AssertUnwindSafe(|| block_on(future.as_mut())));
        let panicked = ended.is_err();
        let outcome = match ended {
            Ok(output) => Outcome::Done(output),
            Err(payload) => Outcome::Panicked(Panic::new(payload)),
        };
        let in_panic =
            self.has(DropsLateInPanic) || self.has(DropsUnderItsLockInPanic);
        if self.has(RunsTasks) {
            discard(future);
            self.finish(Completion { id, outcome });
        } else if in_panic && !panicked || self.has(DropKillsWorker) {
            drop(future);
            self.finish(Completion { id, outcome });
        } else if self.has(DropsLate) || self.has(DropsLateInPanic) {
            self.finish(Completion { id, outcome });
            thread::sleep(Duration::from_micros(100));
            drop(future);
        } else {
            let state = self.lock();
            drop(future);
            drop(state);
            self.finish(Completion { id, outcome });
        }
    }

    /// What `submit_all` does where one worker is told of a batch, and all
    /// are only where it has to wait.
    fn accept_and_wake_one(
        &self,
        jobs: &mut dyn Iterator<Item = LawJob>,
    ) -> Result<u64, SubmitAllError<LawJob>> {
        let mut accepted = 0;
        for job in jobs {
            let mut state = self.lock();
            while !state.closed && !self.has_place(&state) {
                self.work.notify_all();
                state = wait(&self.place, state);
            }
            if state.closed {
                return Err(SubmitAllError { accepted, refused: vec![job] });
            }
            accepted += 1;
            let first = state.queue.is_empty();
            let id = JobId::new(state.accepted);
            state.accepted += 1;
            state.unfinished += 1;
            state.queue.push_back(Ticket { id, job });
            if first {
                self.work.notify_one();
            }
        }
        Ok(accepted)
    }

    fn swap_with_the_last(&self, state: &mut State, job: &mut LawJob) {
        if let Some(last) = state.queue.back_mut() {
            std::mem::swap(job, &mut last.job);
        }
    }

    /// Lets a job run in place of the one before it, if both still wait.
    fn overtake(&self, before: Option<JobId>, id: JobId) {
        let mut state = self.lock();
        if let [.., first, second] = state.queue.make_contiguous() {
            if before == Some(first.id) && second.id == id {
                std::mem::swap(&mut first.job, &mut second.job);
            }
        }
    }

    /// Asks an iterator, and a panic leaves with the place it was asked for.
    fn with_a_place<T>(&self, ask: impl FnOnce() -> T) -> T {
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(answer) => answer,
            Err(payload) => {
                self.lock().unfinished += 1;
                resume_unwind(payload)
            }
        }
    }

    /// Whether this thread is one of the pool's workers.
    fn inside(&self) -> bool {
        WORKS_FOR.get() == (&raw const *self).addr()
    }

    fn bound(&self) -> NonZeroUsize {
        match self.fault {
            Some(HasNoQueue) => self.config.workers(),
            Some(BoundOfOne) => NonZeroUsize::MIN,
            _ => self.config.bound(),
        }
    }

    fn has_place(&self, state: &State) -> bool {
        let bound = self.bound().get();
        let two = self.config.workers().get() == 2 && bound == 2;
        let one_more = self.has(OnePlaceMore)
            || self.has(OnePlaceMoreForTwo) && two
            || self.has(OnePlaceMoreLater) && state.accepted > bound as u64;
        state.unfinished < bound + usize::from(one_more)
            || self.has(IgnoresBound)
    }

    fn accept(&self, state: &mut State, job: LawJob) -> JobId {
        let id = JobId::new(state.accepted);
        state.accepted += if self.has(SkipsIds) { 2 } else { 1 };
        self.queue(state, Ticket { id, job });
        id
    }

    fn queue(&self, state: &mut State, ticket: Ticket<LawJob>) {
        if self.has(CloseForgetsJobsOfJobs) && self.inside() {
            state.of_jobs.push(ticket.id);
        }
        state.unfinished += 1;
        if self.has(KeepsJobsOfJobs) && self.inside() {
            OWN.with_borrow_mut(|own| own.push_back(ticket));
            return;
        }
        let lost = self.has(PollsForLostJobs) && ticket.id.get() % 50 == 49
            || self.has(WakesNobodyForOne)
                && self.config.queue() > 0
                && state.unfinished > 1
                && state.queue.is_empty();
        state.queue.push_back(ticket);
        if !lost {
            self.work.notify_one();
        }
    }

    /// Whether a closed pool takes a job all the same.
    fn lets_in_after_cancel(&self, state: &State) -> bool {
        let lets_in = self.has(AcceptsFromJobsAfterCancel) && self.inside();
        lets_in && state.cancelled
    }

    /// How often a worker looks for jobs.
    fn tick(&self) -> Option<Duration> {
        match self.fault? {
            PollsForWork => Some(Duration::from_millis(15)),
            PollsSlowly | PollsForLostJobs => Some(Duration::from_millis(100)),
            _ => None,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReferencePool {
    fn drop(&mut self) {
        let shared = &*self.shared;
        let gone = LOCAL.try_with(|_| ()).is_err();
        if shared.has(DropCancels) && !gone {
            self.cancel();
        }
        while shared.has(DropHangs) {
            thread::park();
        }
        if shared.has(UnwindingLeavesThreads) && thread::panicking() {
            let mut state = shared.lock();
            while state.unfinished > 0 {
                state = wait(&shared.ready, state);
            }
            let unread = std::mem::take(&mut state.finished);
            drop(state);
            unread.into_iter().for_each(discard);
            return;
        }
        self.close();
        let leaves = shared.has(DropDoesNotWait)
            || shared.has(LeavesAtThreadEnd) && gone
            || shared.has(UnwindingDoesNotWait) && thread::panicking();
        if leaves {
            return;
        }
        let this = thread::current().id();
        for worker in self.threads.drain(..) {
            if worker.thread().id() != this || shared.has(DropJoinsItself) {
                // A worker that died of its job has nothing more to say.
                let _ = worker.join();
            }
        }
        if shared.has(DropWantsALocal) {
            LOCAL.with_borrow_mut(Vec::clear);
        }
        if shared.has(DropPanics) {
            resume_unwind(Box::new("a drop that panics"));
        }
        let throws = shared.has(DropThrows)
            || shared.has(DropThrowsOnceRead) && shared.lock().next.get() > 0;
        if throws || shared.has(LeaksState) {
            return;
        }
        let unread = std::mem::take(&mut shared.lock().finished);
        if shared.has(LeaksUnread) {
            forget(unread);
            return;
        }
        if shared.has(DropCatchesTwice) {
            for completion in unread {
                let caught = |what: Box<dyn Any + Send>| {
                    catch_unwind(AssertUnwindSafe(|| drop(what)))
                };
                let value = match completion.outcome {
                    Outcome::Panicked(panic) => panic.into_payload(),
                    other => Box::new(other) as Box<dyn Any + Send>,
                };
                if let Err(Err(again)) = caught(value).map_err(caught) {
                    drop(again);
                }
            }
            return;
        }
        for Completion { outcome, .. } in unread {
            match outcome {
                Outcome::Cancelled(job) if shared.has(DropThrowsCancelled) => {
                    drop(job);
                }
                other => discard(other),
            }
        }
    }
}

fn burn(time: Duration) {
    let since = Instant::now();
    while since.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn leak_a_thread() {
    thread::spawn(|| {
        loop {
            thread::park();
        }
    });
}

fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
