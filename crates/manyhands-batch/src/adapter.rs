//! The pattern under the contract: the queue behind the intake's lock, and
//! lanes, so that nobody waits for what is in another's hands.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use manyhands_core::sync::thread::JoinHandle;
use manyhands_core::sync::{
    AtomicUsize, CachePadded, Condvar, Instant, Mutex, MutexGuard, Naps,
    Ordering, Spins, linger, lock, spin_briefly,
};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Intake, Job, JobId,
    ThreadOptions, TrySubmitError, WorkerPool, discard, join_all, run_one,
};

use crate::lanes::{Lanes, show_growth};
use crate::queue::Queue;
use crate::worker::Worker;

/// The batch pool under the contract of
/// [`WorkerPool`](manyhands_core::WorkerPool).
///
/// - **Bound**: workers + queue, exactly.
/// - **Order**: jobs are claimed in the order of their ids, and each worker
///   runs what it has claimed in that order.
/// - **Results**: can be read at once; while the queue is full by half a
///   reader is woken for a row of them, a tenth of a millisecond late at most.
/// - **Drop**: closes, waits for accepted jobs, joins the threads. Dropped by
///   a job of its own, it does not wait for that job's worker.
/// - **Cancel**: jobs that have not started come back at once.
pub struct BatchPool<J: Job> {
    shared: Arc<Shared<J>>,
    config: Config,
    workers: Vec<JoinHandle<()>>,
}

/// What a pool and its workers share.
pub(crate) struct Shared<J: Job> {
    pub(crate) intake: Intake<Queue<J>, Lanes<J>>,
    /// How many jobs are queued: what can be seen without the lock.
    pub(crate) queued: CachePadded<AtomicUsize>,
    /// How many workers have found nothing for a while.
    pub(crate) idle: CachePadded<AtomicUsize>,
    /// Signalled for a parked worker, with the desk as its lock.
    pub(crate) work: Condvar,
    /// What readers have taken from the lanes. Whoever waits for a result
    /// holds this lock meanwhile, so that at most one waits at the bell.
    /// Locked before the desk, and that before a lane.
    read: CachePadded<Mutex<Read<J>>>,
    pub(crate) workers: usize,
    /// For how many jobs or results more it is worth to wait a moment, at
    /// most: where all that there can be are few, more will not come.
    pub(crate) few: usize,
    /// Most jobs that a worker runs before it looks up.
    pub(crate) grain: usize,
}

/// The reader's side.
struct Read<J: Job> {
    completions: VecDeque<Completion<J>>,
    naps: Naps,
    spins: Spins,
}

impl<J: Job + 'static> BatchPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::of_threads(|config, threads| {
            Self::with_options(config, NonZeroUsize::MIN, threads)
        })
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// [`BuildError::Spawn`] when the system refuses a thread; those that had
    /// been started have ended.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        Self::with_grain(config, NonZeroUsize::MIN)
    }

    /// A pool whose workers run as many as `grain` jobs in a row, if jobs are
    /// so brief, before they look up: for jobs of less than a hundred
    /// nanoseconds or so, among which a lock a job is much.
    ///
    /// What is in such a row waits for what is in front of it, whoever else is
    /// idle, and so do the results. **Not for jobs that wait for each other.**
    /// A row is kept so short that it takes ten microseconds, by how long
    /// jobs took before.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_grain(
        config: Config,
        grain: NonZeroUsize,
    ) -> Result<Self, BuildError> {
        Self::with_options(config, grain, ThreadOptions::new())
    }

    fn with_options(
        config: Config,
        grain: NonZeroUsize,
        threads: ThreadOptions,
    ) -> Result<Self, BuildError> {
        let workers = config.workers().get();
        let queue = Queue::new(config.bound().get());
        let lanes = Lanes::new(workers);
        let shared = Arc::new(Shared {
            intake: Intake::counted_by(lanes, queue, config),
            queued: CachePadded::default(),
            idle: CachePadded::default(),
            work: Condvar::new(),
            read: CachePadded::default(),
            workers,
            few: (config.queue() / 8).clamp(1, 64),
            grain: grain.get(),
        });
        // On an error the pool is dropped: closed, and its workers joined.
        let mut pool = Self { shared, config, workers: Vec::new() };
        for lane in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let work = move || Worker::new(&shared, lane).work();
            pool.workers.push(threads.spawn("worker", lane, work)?);
        }
        Ok(pool)
    }
}

impl<J: Job> Shared<J> {
    pub(crate) fn wake(&self, call: bool) {
        if call {
            self.work.notify_one();
        }
    }

    /// Jobs were queued; true if a worker is to be woken for them.
    fn queue_grew(&self, queue: &mut Queue<J>, by: usize) -> bool {
        let now = queue.len();
        show_growth(&self.queued, now - by, now);
        queue.call()
    }
}

impl<J: Job> Default for Read<J> {
    fn default() -> Self {
        Self {
            completions: VecDeque::new(),
            naps: Naps::default(),
            spins: Spins::default(),
        }
    }
}

/// What was read from the lanes for nobody is dropped with panics contained.
impl<J: Job> Drop for Shared<J> {
    fn drop(&mut self) {
        let unread = take(&mut lock(&self.read).completions);
        unread.into_iter().for_each(discard);
    }
}

impl<J: Job> BatchPool<J> {
    /// Waits a moment for results, and for a row of them if there is much to
    /// do.
    fn await_some(&self, read: &mut Read<J>) {
        let shared = &*self.shared;
        let lanes = shared.intake.counter();
        if lanes.unread() > 0 {
            return;
        }
        let enough = shared.intake.enough();
        if enough == 1 || !read.naps.are_due() {
            return read.spins.until(|| lanes.unread() > 0);
        }
        let there = || lanes.unread() >= enough;
        if !spin_briefly(there) {
            let in_a_lane = enough.div_ceil(shared.workers);
            lanes.bell.listen(in_a_lane);
            if !there() {
                lanes.bell.nap();
                read.naps.brought(lanes.count(), in_a_lane);
            }
            lanes.bell.ignore();
        }
    }

    /// What was read from the lanes, with at least one in it; `None` at the
    /// end.
    fn completions(&self) -> Option<MutexGuard<'_, Read<J>>> {
        let shared = &*self.shared;
        let lanes = shared.intake.counter();
        let mut read = lock(&shared.read);
        if !read.completions.is_empty() {
            return Some(read);
        }
        // What a burst has grown is given back once the burst was read.
        const KEPT: usize = 4096;
        read.completions.shrink_to(KEPT);
        self.await_some(&mut read);
        lanes.read(&mut read.completions);
        let mut parked = None;
        while read.completions.is_empty() {
            lanes.bell.listen(1);
            let finished = lanes.read(&mut read.completions);
            if read.completions.is_empty() {
                let desk = shared.intake.desk();
                let ended = !desk.is_open() && desk.accepted() == finished;
                drop(desk);
                if ended {
                    lanes.bell.ignore();
                    return None;
                }
                parked.get_or_insert_with(Instant::now);
                lanes.bell.wait();
            }
            lanes.bell.ignore();
        }
        read.spins.waited(parked);
        Some(read)
    }
}

impl<J: Job> WorkerPool<J> for BatchPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        let mut call = false;
        let id = self.shared.intake.enter(job, |queue, ticket| {
            queue.push(ticket.job);
            call = self.shared.queue_grew(queue, 1);
            Ok(())
        });
        self.shared.wake(call);
        id
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        let mut call = false;
        let id = self.shared.intake.try_enter(job, |queue, ticket| {
            queue.push(ticket.job);
            call = self.shared.queue_grew(queue, 1);
            Ok(())
        });
        self.shared.wake(call);
        id
    }

    fn try_submit_some(
        &self,
        jobs: &mut VecDeque<J>,
    ) -> Result<Range<JobId>, TrySubmitError<()>> {
        let mut call = false;
        let ids = self.shared.intake.try_enter_some(jobs, |queue, _, jobs| {
            let count = jobs.len();
            queue.extend(jobs);
            call = self.shared.queue_grew(queue, count);
        });
        self.shared.wake(call);
        ids
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.completions()?.completions.pop_front()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        if max == usize::MAX && into.is_empty() {
            let lanes = self.shared.intake.counter();
            let mut read = lock(&self.shared.read);
            if read.completions.is_empty() {
                // Nobody has read ahead: no need to move them twice.
                self.await_some(&mut read);
                linger(|| lanes.unread() >= self.shared.few);
                lanes.read_seen(into);
            }
            drop(read);
            if !into.is_empty() {
                return into.len();
            }
        }
        let Some(mut read) = self.completions() else { return 0 };
        let count = read.completions.len().min(max);
        into.extend(read.completions.drain(..count));
        count
    }

    fn close(&self) {
        self.shared.intake.shut();
        self.shared.work.notify_all();
        self.shared.intake.counter().bell.ring(usize::MAX);
    }

    fn cancel(&self) {
        let shared = &*self.shared;
        let lanes = shared.intake.counter();
        shared.intake.stop();
        let mut back = Vec::new();
        {
            let mut desk = shared.intake.desk();
            let accepted = desk.accepted();
            if let Some(queue) = desk.way_in() {
                back.extend(queue.take(queue.len(), accepted));
            }
            shared.queued.store(0, Ordering::Relaxed);
            lanes.steal_all(&mut back);
        }
        let count = back.len();
        let cancelled = back.into_iter().map(|ticket| run_one(ticket, true));
        let mut done = Vec::new();
        if J::DETACHED {
            cancelled.for_each(discard);
        } else {
            done.extend(cancelled);
        }
        lanes.exchange(0, count, &mut done, &mut Vec::new(), 0);
        shared.work.notify_all();
        lanes.bell.ring(usize::MAX);
    }

    fn workers(&self) -> NonZeroUsize {
        self.config.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.config.bound()
    }

    fn unfinished(&self) -> Option<usize> {
        Some(self.shared.intake.unfinished())
    }

    fn is_hungry(&self) -> bool {
        self.shared.idle.load(Ordering::Relaxed) > 0
    }
}

impl<J: Job> Drop for BatchPool<J> {
    fn drop(&mut self) {
        self.close();
        join_all(self.workers.drain(..));
    }
}

impl<J: Job> fmt::Debug for BatchPool<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchPool")
            .field("config", &self.config)
            .field("intake", &self.shared.intake)
            .finish_non_exhaustive()
    }
}
