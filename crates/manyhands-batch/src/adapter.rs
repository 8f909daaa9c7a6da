//! The pattern under the contract: the queue behind the intake's lock, and
//! lanes, so that nobody waits for what is in another's hands.

use std::collections::VecDeque;
use std::fmt;
use std::mem::take;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use manyhands_core::sync::thread::{self, JoinHandle};
use manyhands_core::sync::{
    AtomicUsize, CachePadded, Condvar, Instant, Mutex, MutexGuard, Ordering,
    linger, lock, spin_briefly, spin_until, wait,
};
use manyhands_core::{
    BuildError, Builder, Closed, Completion, Config, Desk, Intake, Job, JobId,
    Ticket, TrySubmitError, WorkerPool, discard, join_all, run_one,
};

use crate::lanes::{Lanes, Stolen, show_growth};
use crate::pace::{Pace, share};

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

struct Shared<J: Job> {
    intake: Intake<Queue<J>, Lanes<J>>,
    /// How many jobs are queued: what can be seen without the lock.
    queued: CachePadded<AtomicUsize>,
    /// How many workers have found nothing for a while.
    idle: CachePadded<AtomicUsize>,
    /// Signalled for a parked worker, with the desk as its lock.
    work: Condvar,
    /// What readers have taken from the lanes. Whoever waits for a result
    /// holds this lock meanwhile, so that at most one waits at the bell.
    /// Locked before the desk, and that before a lane.
    read: CachePadded<Mutex<VecDeque<Completion<J>>>>,
    workers: usize,
    /// Most jobs that a worker runs before it looks up.
    grain: usize,
}

/// What the desk keeps: the jobs that nobody has claimed, and who is there to
/// claim them.
struct Queue<J> {
    /// Their ids are in a row, up to the last that was accepted.
    jobs: VecDeque<J>,
    /// Most that there can be.
    bound: usize,
    /// How many workers look for a job, and do not wait for one yet.
    searching: usize,
    /// How many wait.
    parked: usize,
    /// How many of those were called, and have not come yet.
    called: usize,
}

impl<J: Job + 'static> BatchPool<J> {
    /// Sets workers and queue, and builds the pool.
    pub fn builder() -> Builder<Self> {
        Builder::new(Self::new)
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
        let workers = config.workers().get();
        let queue = Queue {
            jobs: VecDeque::new(),
            bound: config.bound().get(),
            searching: 0,
            parked: 0,
            called: 0,
        };
        let lanes = Lanes::new(workers);
        let shared = Arc::new(Shared {
            intake: Intake::counted_by(lanes, queue, config),
            queued: CachePadded::default(),
            idle: CachePadded::default(),
            work: Condvar::new(),
            read: CachePadded::default(),
            workers,
            grain: grain.get(),
        });
        // On an error the pool is dropped: closed, and its workers joined.
        let mut pool = Self { shared, config, workers: Vec::new() };
        for lane in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let worker = thread::Builder::new()
                .name(format!("worker {}", lane + 1))
                .spawn(move || shared.work(lane))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }
}

impl<J: Job> Shared<J> {
    /// A worker: claims jobs and runs them, until the pool is closed and
    /// nothing is left to take.
    fn work(&self, lane: usize) {
        let lanes = self.intake.counter();
        let mut pace = Pace::default();
        let (mut next, mut done) = (Vec::new(), Vec::new());
        let mut seen = lanes.unseen();
        while let Some(claimed) = self.claim(lane, &pace, &mut next, &mut seen)
        {
            let start = Instant::now();
            while !next.is_empty() {
                let count = next.len();
                let run = |ticket| run_one(ticket, self.intake.is_stopped());
                let completions = next.drain(..).map(run);
                if J::DETACHED {
                    completions.for_each(discard);
                } else {
                    done.extend(completions);
                }
                let most = self.grain;
                let unread =
                    lanes.exchange(lane, count, &mut done, &mut next, most);
                lanes.bell.ring(unread);
                self.intake.left();
            }
            let now = Instant::now();
            pace.ran(claimed, now.saturating_duration_since(start));
        }
    }

    /// Takes a worker's share of the queue, and as much of it as it is to run
    /// before it looks up into `next`. Waits for a job; `None` when there will
    /// be none.
    fn claim(
        &self,
        lane: usize,
        pace: &Pace,
        next: &mut Vec<Ticket<J>>,
        seen: &mut [u64],
    ) -> Option<usize> {
        let (most, worth) = (pace.most(), pace.worth());
        let lanes = self.intake.counter();
        let mut search = Search { shared: self, on: false };
        loop {
            search.look(worth);
            let mut desk = self.intake.desk();
            let (open, accepted) = (desk.is_open(), desk.accepted());
            let queue = desk.way_in()?;
            let queued = queue.jobs.len();
            if queued > 0 {
                let count = share(queued, self.workers).min(most);
                let first = accepted - queued as u64;
                let jobs = queue.jobs.drain(..count).zip(first..);
                let mut tickets =
                    jobs.map(|(job, id)| Ticket { id: JobId::new(id), job });
                next.extend(tickets.by_ref().take(self.grain));
                let rest = first + next.len() as u64;
                // With the desk locked: whoever finds nothing there looks at
                // the lanes next.
                if count > next.len() {
                    lanes.put(lane, rest, tickets.map(|ticket| ticket.job));
                } else {
                    drop(tickets);
                }
                self.queued.store(queued - count, Ordering::Relaxed);
                search.off(queue);
                let call = queued > next.len() && queue.call();
                drop(desk);
                self.wake(call);
                return Some(count);
            }
            match lanes.steal(seen) {
                Stolen::Job(ticket) => {
                    next.push(ticket);
                    search.off(queue);
                    let more = queue.parked > 0 && lanes.any_claimed();
                    let call = more && queue.call();
                    drop(desk);
                    self.wake(call);
                    return Some(1);
                }
                Stolen::NotYet => {
                    search.on(queue);
                    drop(desk);
                    thread::yield_now();
                    continue;
                }
                Stolen::None => search.off(queue),
            }
            if !open {
                return None;
            }
            self.park(desk)?;
            search.on = true;
        }
    }

    /// Waits until it is called, or the pool is closed; then it is searching.
    fn park<'a>(
        &'a self,
        mut desk: MutexGuard<'a, Desk<Queue<J>>>,
    ) -> Option<()> {
        desk.way_in()?.parked += 1;
        self.idle.fetch_add(1, Ordering::Relaxed);
        while desk.is_open() && desk.way_in()?.called == 0 {
            desk = wait(&self.work, desk);
        }
        self.idle.fetch_sub(1, Ordering::Relaxed);
        let queue = desk.way_in()?;
        queue.parked -= 1;
        queue.called = queue.called.saturating_sub(1);
        queue.searching += 1;
        Some(())
    }

    fn wake(&self, call: bool) {
        if call {
            self.work.notify_one();
        }
    }

    /// Jobs were queued; true if a worker is to be woken for them.
    fn queue_grew(&self, queue: &mut Queue<J>, by: usize) -> bool {
        let now = queue.jobs.len();
        show_growth(&self.queued, now - by, now);
        queue.call()
    }
}

/// What was read from the lanes for nobody is dropped with panics contained.
impl<J: Job> Drop for Shared<J> {
    fn drop(&mut self) {
        let unread = take(&mut *lock(&self.read));
        unread.into_iter().for_each(discard);
    }
}

impl<J> Queue<J> {
    /// Grows to twice its size if it has to, and never beyond the bound, so
    /// that a full one takes no more than its jobs do.
    fn make_room(&mut self, count: usize) {
        let len = self.jobs.len();
        if len + count > self.jobs.capacity() {
            let most = self.bound.saturating_sub(len);
            self.jobs.reserve_exact(len.min(most).max(count));
        }
    }

    /// True if a parked worker is to be woken. One at a time: it calls the
    /// next if it finds more than it takes. Nobody is called while somebody
    /// searches, who does the same.
    fn call(&mut self) -> bool {
        let call = self.parked > 0 && self.searching + self.called == 0;
        self.called += usize::from(call);
        call
    }
}

/// A worker between two claims: nobody needs to be woken while it looks.
struct Search<'a, J: Job> {
    shared: &'a Shared<J>,
    on: bool,
}

impl<J: Job> Search<'_, J> {
    /// Looks for a moment whether jobs come.
    fn look(&mut self, worth: usize) {
        let queued = || self.shared.queued.load(Ordering::Relaxed) > 0;
        if queued() {
            return linger(|| {
                self.shared.queued.load(Ordering::Relaxed) >= worth
            });
        }
        if !self.on {
            if let Some(queue) = self.shared.intake.desk().way_in() {
                self.on(queue);
            }
        }
        spin_until(queued);
        if queued() {
            linger(|| self.shared.queued.load(Ordering::Relaxed) >= worth);
        }
    }

    fn on(&mut self, queue: &mut Queue<J>) {
        queue.searching += usize::from(!self.on);
        self.on = true;
    }

    /// The search is over, one way or the other.
    fn off(&mut self, queue: &mut Queue<J>) {
        queue.searching -= usize::from(self.on);
        self.on = false;
    }
}

impl<J: Job> BatchPool<J> {
    /// Waits a moment for results, and for a row of them if there is much to
    /// do.
    fn await_some(&self) {
        let shared = &*self.shared;
        let lanes = shared.intake.counter();
        if lanes.unread() > 0 {
            return;
        }
        let enough = shared.intake.enough();
        let there = || lanes.unread() >= enough;
        if enough == 1 {
            spin_until(there);
        } else if !spin_briefly(there) {
            lanes.bell.listen(enough.div_ceil(shared.workers));
            if !there() {
                lanes.bell.nap();
            }
            lanes.bell.ignore();
        }
    }

    /// What was read from the lanes, with at least one in it; `None` at the
    /// end.
    fn completions(&self) -> Option<MutexGuard<'_, VecDeque<Completion<J>>>> {
        let shared = &*self.shared;
        let lanes = shared.intake.counter();
        let mut read = lock(&shared.read);
        if !read.is_empty() {
            return Some(read);
        }
        // What a burst has grown is given back once the burst was read.
        const KEPT: usize = 4096;
        read.shrink_to(KEPT);
        self.await_some();
        lanes.read(&mut read);
        while read.is_empty() {
            lanes.bell.listen(1);
            let finished = lanes.read(&mut read);
            if read.is_empty() {
                let desk = shared.intake.desk();
                let ended = !desk.is_open() && desk.accepted() == finished;
                drop(desk);
                if ended {
                    lanes.bell.ignore();
                    return None;
                }
                lanes.bell.wait();
            }
            lanes.bell.ignore();
        }
        Some(read)
    }
}

impl<J: Job> WorkerPool<J> for BatchPool<J> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        let mut call = false;
        let id = self.shared.intake.enter(job, |queue, ticket| {
            queue.make_room(1);
            queue.jobs.push_back(ticket.job);
            call = self.shared.queue_grew(queue, 1);
            Ok(())
        });
        self.shared.wake(call);
        id
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        let mut call = false;
        let id = self.shared.intake.try_enter(job, |queue, ticket| {
            queue.make_room(1);
            queue.jobs.push_back(ticket.job);
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
            queue.make_room(count);
            queue.jobs.extend(jobs);
            call = self.shared.queue_grew(queue, count);
        });
        self.shared.wake(call);
        ids
    }

    fn recv(&self) -> Option<Completion<J>> {
        self.completions()?.pop_front()
    }

    fn recv_many(&self, into: &mut Vec<Completion<J>>, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        if max == usize::MAX && into.is_empty() {
            let lanes = self.shared.intake.counter();
            let read = lock(&self.shared.read);
            if read.is_empty() {
                // Nobody has read ahead: no need to move them twice.
                self.await_some();
                linger(|| lanes.unread() >= 64);
                lanes.read_seen(into);
            }
            drop(read);
            if !into.is_empty() {
                return into.len();
            }
        }
        let Some(mut read) = self.completions() else { return 0 };
        let count = read.len().min(max);
        into.extend(read.drain(..count));
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
                let first = accepted - queue.jobs.len() as u64;
                let tickets = queue.jobs.drain(..).zip(first..);
                back.extend(
                    tickets
                        .map(|(job, id)| Ticket { id: JobId::new(id), job }),
                );
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
