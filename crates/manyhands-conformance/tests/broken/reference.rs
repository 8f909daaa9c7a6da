//! A small pool, right as it stands, with a switch for each way to be wrong.
//!
//! A queue, a lock and three condition variables: nothing of the workspace
//! but the contract. Without the lines that ask for a fault (`has`), this is
//! the whole pool.

use std::collections::VecDeque;
use std::fs::File;
use std::hint::black_box;
use std::mem::forget;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use manyhands_conformance::LawJob;
use manyhands_core::{
    AsyncJob, Closed, Completion, Config, Job, JobId, Outcome, Panic,
    SubmitAllError, Ticket, TrySubmitError, WorkerPool, discard, run_one,
};

use crate::fault::Fault::{self, *};

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
    config: Config,
    fault: Option<Fault>,
}

struct State {
    queue: VecDeque<Ticket<LawJob>>,
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
            config,
            fault,
        });
        let threads = match fault {
            Some(OneWorkerMore) => config.workers().get() + 1,
            Some(OneWorkerLess) => (config.workers().get() - 1).max(1),
            _ => config.workers().get(),
        };
        if fault == Some(LeaksThread) {
            thread::spawn(|| {
                loop {
                    thread::park();
                }
            });
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
        let worker = |_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        };
        let threads = (0..threads).map(worker).collect();
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
        while !state.closed && !shared.has_place(&state) {
            state = wait(&shared.place, state);
            if shared.has(LetsTheWaitingIn) {
                break;
            }
        }
        if state.closed && !shared.has(LetsTheWaitingIn) {
            return Err(Closed(job));
        }
        Ok(shared.accept(&mut state, job))
    }

    fn try_submit(
        &self,
        job: LawJob,
    ) -> Result<JobId, TrySubmitError<LawJob>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        if state.closed && !shared.has(AcceptsAfterClose) {
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
        let one_early = shared.has(FullOneEarly)
            && state.unfinished + 1 >= self.bound().get();
        if one_early || !shared.has_place(&state) {
            let mut back = job;
            state.accepted += u64::from(shared.has(RefusedTakesAnId));
            if shared.has(RefusesAnother) {
                if let Some(last) = state.queue.back_mut() {
                    std::mem::swap(&mut back, &mut last.job);
                }
            }
            return Err(TrySubmitError::Full(back));
        }
        Ok(shared.accept(&mut state, job))
    }

    fn recv(&self) -> Option<Completion<LawJob>> {
        let shared = &*self.shared;
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
            } else {
                Some(0)
            };
            let next = next.and_then(|index| state.finished.remove(index));
            if let Some(completion) = next {
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
                state = wait(&shared.ready, state);
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
        while shared.has(CloseWaits) && state.unfinished > 0 {
            state = wait(&shared.ready, state);
        }
        let cancelled = state.cancelled;
        drop(state);
        shared.work.notify_all();
        if shared.has(CloseWakesOneReader) {
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
        state.cancelled = true;
        if shared.has(CancelClearsTheQueue) {
            state.unfinished -= state.queue.len();
            state.queue.clear();
        }
        if shared.has(CancelClearsTheFinished) {
            state.finished.clear();
        }
        drop(state);
        self.close();
    }

    fn workers(&self) -> NonZeroUsize {
        self.shared.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.shared.config.bound()
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
        let ahead = shared.has(LooksAhead);
        let mut next = if ahead { jobs.next() } else { None };
        while let Some(job) = next.take().or_else(|| jobs.next()) {
            if ahead {
                next = jobs.next();
            }
            if let Err(Closed(job)) = self.submit(job) {
                let lost = shared.has(BatchDropsTheRefused);
                let refused = if lost { vec![] } else { vec![job] };
                return Err(SubmitAllError { accepted, refused });
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
    fn work(&self) {
        while let Some(ticket) = self.take() {
            let two = self.has(TakesTwo);
            let second = two.then(|| self.lock().queue.pop_front()).flatten();
            for ticket in [ticket].into_iter().chain(second) {
                if !self.run(ticket) {
                    return;
                }
            }
        }
    }

    /// Runs a job; false if that was the end of the worker.
    fn run(&self, ticket: Ticket<LawJob>) -> bool {
        let cancelled = self.lock().cancelled && !self.has(CancelRuns);
        if self.has(DropsLate) || self.has(DropsUnderItsLock) {
            self.run_as_a_task(ticket);
            return true;
        }
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
        self.finish(completion);
        if panicked && self.has(PanicEndsWorker) {
            return false;
        }
        true
    }

    /// The next job. Waits for one; `None` at the end.
    fn take(&self) -> Option<Ticket<LawJob>> {
        let mut state = self.lock();
        loop {
            if let Some(ticket) = state.queue.pop_front() {
                return Some(ticket);
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
            } else if self.has(PollsForWork) {
                let tick = Duration::from_millis(5);
                let woken = self.work.wait_timeout(state, tick);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = wait(&self.work, state);
            }
        }
    }

    fn finish(&self, mut completion: Completion<LawJob>) {
        let twice = self.has(CompletesTwice).then_some(completion.id);
        if self.has(MixesUpIds) {
            completion.id = JobId::new(completion.id.get() ^ 1);
        }
        let mut state = self.lock();
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
        self.ready.notify_one();
        let last = state.closed && state.unfinished == 0;
        if self.has(BoundsResults) || last && !self.has(LastWakesOneReader) {
            self.ready.notify_all();
        }
    }

    /// Takes the job's async face, whose captured values live as long as its
    /// future, and drops that after, or while, the completion goes out.
    fn run_as_a_task(&self, Ticket { id, job }: Ticket<LawJob>) {
        let mut future = Box::pin(job.run_async());
        let outcome = Outcome::Done(block_on(future.as_mut()));
        if self.has(DropsLate) {
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

    fn has_place(&self, state: &State) -> bool {
        let bound = self.config.bound().get();
        state.unfinished < bound + usize::from(self.has(OnePlaceMore))
            || self.has(IgnoresBound)
    }

    fn accept(&self, state: &mut State, job: LawJob) -> JobId {
        let id = JobId::new(state.accepted);
        state.accepted += if self.has(SkipsIds) { 2 } else { 1 };
        state.unfinished += 1;
        state.queue.push_back(Ticket { id, job });
        self.work.notify_one();
        id
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
        if shared.has(DropCancels) {
            self.cancel();
        }
        while shared.has(DropHangs) {
            thread::park();
        }
        self.close();
        let leaves = shared.has(DropDoesNotWait)
            || shared.has(UnwindingDoesNotWait) && thread::panicking();
        if leaves {
            return;
        }
        for thread in self.threads.drain(..) {
            // A worker that died of its job has nothing more to say.
            let _ = thread.join();
        }
        if shared.has(DropPanics) {
            resume_unwind(Box::new("a drop that panics"));
        }
        if shared.has(DropThrows) || shared.has(LeaksState) {
            return;
        }
        let unread = std::mem::take(&mut shared.lock().finished);
        unread.into_iter().for_each(discard);
    }
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
