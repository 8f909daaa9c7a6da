//! The way in: who may come in, how many at once, under which id.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;
use std::fmt;
use std::ops::Range;

use crate::run::{run_one, run_one_async};
use crate::sync::{
    AtomicBool, AtomicU64, CachePadded, Condvar, Mutex, MutexGuard, NAP, Naps,
    Ordering, load_in_order, lock, spin_briefly, spin_until, thread_number,
    wait, wait_at_most,
};
use crate::{
    AsyncJob, Closed, Completion, Config, Job, JobId, Ticket, TrySubmitError,
};

/// The intake of a pool: gives out places and ids, and knows whether the pool
/// is open.
///
/// It is what every pool has to get right in the same way, whatever its
/// pattern: *open* and *hand over* in one critical section, so that no job
/// slips in between the last look at "open?" and the close; an exact bound;
/// submitters that wait for a place, and that `close` sends away with their
/// job. How a job then reaches a worker is the pattern's own matter: `H` is
/// its end of that way (the sender of a channel, a queue), and `hand_over`
/// puts a ticket there.
///
/// The life of a job, seen from here: [`enter`](Self::enter) takes a place
/// and hands it over; [`run`](Self::run), on the worker, runs it and frees
/// the place. The completion can be read by anyone only after that, so
/// whoever has read all completions finds the pool not full.
///
/// ```
/// use std::sync::mpsc;
/// use manyhands_core::{Config, Intake, Outcome, Ticket};
///
/// type Work = fn() -> u32;
/// type Jobs = mpsc::Sender<Ticket<Work>>;
///
/// fn hand_over(jobs: &mut Jobs, ticket: Ticket<Work>) -> Result<(), Work> {
///     jobs.send(ticket).map_err(|refused| refused.0.job)
/// }
///
/// let (jobs, queue) = mpsc::channel();
/// let intake: Intake<Jobs> = Intake::new(jobs, Config::new(1, 1).unwrap());
/// intake.enter(|| 1, hand_over).unwrap();
/// intake.enter(|| 2, hand_over).unwrap();
/// assert!(intake.try_enter(|| 3, hand_over).unwrap_err().is_full());
///
/// // A worker takes the first, runs it, and by that frees its place.
/// let completion = intake.run(queue.recv().unwrap());
/// assert!(matches!(completion.outcome, Outcome::Done(1)));
/// intake.enter(|| 3, hand_over).unwrap();
///
/// intake.close();
/// assert!(intake.enter(|| 4, hand_over).is_err());
/// ```
pub struct Intake<H, C = Counter> {
    /// Touched by submitters, a job at a time.
    desk: CachePadded<Mutex<Desk<H>>>,
    /// Signalled when a place became free while somebody waits for one, and
    /// on close.
    place: Condvar,
    /// Touched by workers: how many accepted jobs have finished.
    finished: C,
    /// How many submitters are parked. Only they change it, with the desk
    /// locked: a waker that counted them down would lose a wake-up when one
    /// gives up by itself.
    waiting: CachePadded<AtomicU64>,
    /// How many jobs have to be finished before one of them is woken; 0 for
    /// any.
    wake_at: AtomicU64,
    /// Set by `cancel`: no job starts any more.
    stopped: AtomicBool,
    bound: u64,
    /// How long the queue is.
    queue: u64,
}

/// What is behind the lock of an [`Intake`].
pub struct Desk<H> {
    open: bool,
    /// The pattern's way in; `None` once it was handed out by a close.
    way_in: Option<H>,
    /// How many jobs were accepted: the next job's id.
    accepted: u64,
    /// `accepted` may grow up to this without another look at `finished`,
    /// whose cache line belongs to the workers.
    room_until: u64,
    naps: Naps,
}

/// How many accepted jobs have finished, as an [`Intake`] asks its pattern.
///
/// A worker counts a job before its completion can be read, and then calls
/// [`Intake::left`]. A submitter that is to wait announces that before it
/// asks once more; so `finished` has to see every job whose worker did not
/// find a submitter waiting. A lock around each count does that, and so do
/// sequentially consistent accesses.
pub trait Finished {
    /// How many.
    fn finished(&self) -> u64;

    /// How many, or fewer by what the caller cannot know of, at the least
    /// cost.
    fn glance(&self) -> u64 {
        self.finished()
    }
}

/// A number that all workers count up, in several parts, so that they do not
/// take a cache line from each other at each job.
#[derive(Debug, Default)]
pub struct Counter([CachePadded<AtomicU64>; Counter::PARTS]);

impl Counter {
    /// More cores than that share a part, which costs time and nothing else.
    const PARTS: usize = if cfg!(any(loom, shuttle)) { 1 } else { 8 };

    /// The part of the calling thread.
    fn part(&self) -> &AtomicU64 {
        &self.0[thread_number() % Self::PARTS].0
    }
}

impl Finished for Counter {
    fn finished(&self) -> u64 {
        self.0.iter().map(|part| load_in_order(part)).sum()
    }

    fn glance(&self) -> u64 {
        self.0.iter().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

impl<H> Intake<H> {
    /// An open intake to `way_in`, for a pool of that size.
    pub fn new(way_in: H, config: Config) -> Self {
        Self::counted_by(Counter::default(), way_in, config)
    }

    /// An open intake to `way_in` without a bound of its own, for a pattern
    /// that has one: the permits of a semaphore.
    pub fn unbounded(way_in: H) -> Self {
        Self::with_bound(Counter::default(), way_in, u64::MAX, 0)
    }

    /// Runs an accepted job, on the worker's thread, and frees its place.
    pub fn run<J: Job>(&self, ticket: Ticket<J>) -> Completion<J> {
        let completion = run_one(ticket, self.is_stopped());
        self.leave();
        completion
    }

    /// [`run`](Self::run) for the async face of a job.
    ///
    /// Frees the place also when the future is dropped before it is ready;
    /// then the job is gone, and its completion is up to the caller.
    pub async fn run_async<J: AsyncJob>(
        &self,
        ticket: Ticket<J>,
    ) -> Completion<J> {
        let _leave = Leave(self);
        run_one_async(ticket, || self.is_stopped()).await
    }

    fn leave(&self) {
        // Sequentially consistent with the parking in `wait_for_room`: either
        // the parked submitter sees this job finished, or it is seen waiting.
        self.finished.part().fetch_add(1, Ordering::SeqCst);
        self.left();
    }
}

impl<H, C: Finished> Intake<H, C> {
    /// [`new`](Intake::new) for a pattern that counts itself.
    pub fn counted_by(finished: C, way_in: H, config: Config) -> Self {
        let bound = config.bound().get() as u64;
        Self::with_bound(finished, way_in, bound, config.queue() as u64)
    }

    fn with_bound(finished: C, way_in: H, bound: u64, queue: u64) -> Self {
        let way_in = Some(way_in);
        let desk = Desk {
            open: true,
            way_in,
            accepted: 0,
            room_until: bound,
            naps: Naps::default(),
        };
        Self {
            desk: CachePadded(Mutex::new(desk)),
            place: Condvar::new(),
            finished,
            waiting: CachePadded::default(),
            wake_at: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            bound,
            queue,
        }
    }

    /// Accepts a job and hands it over; waits while the pool is full.
    ///
    /// `hand_over` is called with the intake locked. It must not block, run
    /// a job or drop one, and gives the job back if it cannot hand it over,
    /// which is then refused.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the job, also for a submitter that was waiting when
    /// the pool was closed.
    pub fn enter<J>(
        &self,
        job: J,
        hand_over: impl FnOnce(&mut H, Ticket<J>) -> Result<(), J>,
    ) -> Result<JobId, Closed<J>> {
        let mut desk = lock(&self.desk);
        if desk.open && !self.has_room(&mut desk) {
            // Woken for a place that it may then not take: let the next try.
            let _pass_on = PassOn(self);
            // Unlocked before that, whatever happens.
            let mut desk = self.wait_for_room(desk);
            return desk.accept(job, hand_over);
        }
        desk.accept(job, hand_over)
    }

    /// Accepts a job and hands it over, if that needs no waiting.
    ///
    /// # Errors
    ///
    /// The job comes back when the pool is full or closed.
    pub fn try_enter<J>(
        &self,
        job: J,
        hand_over: impl FnOnce(&mut H, Ticket<J>) -> Result<(), J>,
    ) -> Result<JobId, TrySubmitError<J>> {
        let mut desk = lock(&self.desk);
        if desk.open && !self.has_room(&mut desk) {
            return Err(TrySubmitError::Full(job));
        }
        Ok(desk.accept(job, hand_over)?)
    }

    /// Accepts jobs from the front of `jobs`, as many as need no waiting, with
    /// ids in a row, and hands them over. Returns the ids.
    ///
    /// `hand_over` gets the id of the first of them and takes them all, by the
    /// rules of [`enter`](Self::enter).
    ///
    /// # Errors
    ///
    /// When none could be accepted. What was not accepted is still in `jobs`.
    pub fn try_enter_some<J>(
        &self,
        jobs: &mut VecDeque<J>,
        hand_over: impl FnOnce(&mut H, u64, Drain<'_, J>),
    ) -> Result<Range<JobId>, TrySubmitError<()>> {
        let mut desk = lock(&self.desk);
        let first = desk.accepted;
        if !jobs.is_empty() {
            if desk.room_until - first < jobs.len() as u64 {
                let finished = self.finished.glance();
                desk.room_until = finished.saturating_add(self.bound);
            }
            let room = desk.room_until - first;
            if desk.open && room == 0 {
                return Err(TrySubmitError::Full(()));
            }
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let count = room.min(jobs.len());
            let Some(way_in) = desk.way_in_if_open() else {
                return Err(TrySubmitError::Closed(()));
            };
            hand_over(way_in, first, jobs.drain(..count));
            desk.accepted += count as u64;
        }
        Ok(JobId::new(first)..JobId::new(desk.accepted))
    }

    /// The desk, locked: for a pattern whose workers take their jobs there.
    /// No job is run or dropped with it locked.
    pub fn desk(&self) -> MutexGuard<'_, Desk<H>> {
        lock(&self.desk)
    }

    /// The pattern's own count.
    pub fn counter(&self) -> &C {
        &self.finished
    }

    /// Tells a submitter that waits for a place that there may be one: after
    /// one or more jobs were counted as [`Finished`].
    pub fn left(&self) {
        if load_in_order(&self.waiting) == 0 {
            return;
        }
        let wake_at = load_in_order(&self.wake_at);
        if wake_at == 0 || self.finished.glance() >= wake_at {
            // A submitter between its last look and its wait holds the lock:
            // pass through it, so that the notification cannot come too early.
            drop(lock(&self.desk));
            self.place.notify_one();
        }
    }

    /// Accepts no more jobs, and leaves the way in where it is, for a pattern
    /// that has its queue there. Submitters that wait for a place get their
    /// job back.
    pub fn shut(&self) {
        lock(&self.desk).open = false;
        self.place.notify_all();
    }

    /// [`shut`](Self::shut), and jobs that have not started come back unrun.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.shut();
    }

    /// Accepts no more jobs, and returns the way in, once: dropping it is
    /// how most patterns tell their workers that no job will follow.
    ///
    /// Submitters that wait for a place get their job back.
    // ANCHOR: close
    pub fn close(&self) -> Option<H> {
        let way_in = {
            let mut desk = lock(&self.desk);
            desk.open = false;
            desk.way_in.take()
        };
        self.place.notify_all();
        way_in
    }
    // ANCHOR_END: close

    /// [`close`](Self::close), and jobs that have not started come back
    /// unrun.
    pub fn cancel(&self) -> Option<H> {
        self.stopped.store(true, Ordering::SeqCst);
        self.close()
    }

    /// True once [`cancel`](Self::cancel) was called.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// How many jobs were accepted and are not finished.
    pub fn unfinished(&self) -> usize {
        let accepted = lock(&self.desk).accepted;
        // Those that finished meanwhile may have been accepted meanwhile.
        let finished = self.finished.finished();
        usize::try_from(accepted.saturating_sub(finished))
            .unwrap_or(usize::MAX)
    }

    /// How many results a reader that finds none should wait for: one, unless
    /// the queue is full by half. Then a part of what is queued, so that the
    /// workers do not run out meanwhile.
    ///
    /// To wake a reader costs as much as some microseconds of work, and one
    /// that keeps looking instead takes a core from the workers. So a reader
    /// that is quicker than jobs are finished is better served by rows. Where
    /// the queue is empty, and a result may be all that is awaited, it gets it
    /// at once.
    pub fn enough(&self) -> usize {
        let accepted = lock(&self.desk).accepted;
        let unfinished = accepted.saturating_sub(self.finished.glance());
        let queued = (unfinished + self.queue).saturating_sub(self.bound);
        if queued < self.queue.div_ceil(2) {
            return 1;
        }
        row(queued) as usize
    }

    /// Whether there is room, as far as the caller can know: whoever has read
    /// a completion knows of its place.
    fn has_room(&self, desk: &mut Desk<H>) -> bool {
        if desk.accepted == desk.room_until {
            let finished = self.finished.glance();
            desk.room_until = finished.saturating_add(self.bound);
        }
        desk.accepted < desk.room_until
    }

    /// Whether there is room, for one who is about to wait for it.
    fn has_room_for_sure(&self, desk: &mut Desk<H>) -> bool {
        if desk.accepted == desk.room_until {
            let finished = self.finished.finished();
            desk.room_until = finished.saturating_add(self.bound);
        }
        desk.accepted < desk.room_until
    }

    /// Returns with room, or with the intake closed.
    fn wait_for_room<'a>(
        &'a self,
        mut desk: MutexGuard<'a, Desk<H>>,
    ) -> MutexGuard<'a, Desk<H>> {
        let full_at = desk.accepted - self.bound;
        let row = row(self.queue);
        let nap = row > 1 && desk.naps.are_due();
        drop(desk);
        if nap {
            spin_briefly(|| self.finished.glance() >= full_at + row);
        } else {
            spin_until(|| self.finished.glance() > full_at);
        }
        let mut desk = lock(&self.desk);
        let first = self.waiting.fetch_add(1, Ordering::SeqCst) == 0;
        if nap && first {
            desk = self.wait_for_row(desk, row);
        }
        while desk.open && !self.has_room_for_sure(&mut desk) {
            desk = wait(&self.place, desk);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        desk
    }

    /// Sleeps until there are so many places, a tenth of a millisecond at
    /// most. For one submitter at a time: those that come to wait meanwhile
    /// are woken after it.
    fn wait_for_row<'a>(
        &'a self,
        mut desk: MutexGuard<'a, Desk<H>>,
        row: u64,
    ) -> MutexGuard<'a, Desk<H>> {
        let full_at = desk.accepted - self.bound;
        let wake_at = full_at + row;
        self.wake_at.store(wake_at, Ordering::SeqCst);
        if desk.open && self.finished.finished() < wake_at {
            desk = wait_at_most(&self.desk, &self.place, desk, NAP);
            let places = self.finished.glance().saturating_sub(full_at);
            desk.naps.brought(places as usize, row as usize);
        }
        // Before the next look at `finished`: whoever is not seen there has
        // seen this.
        self.wake_at.store(0, Ordering::SeqCst);
        desk
    }
}

/// How many of the queued go together: so many that waking is nothing among
/// them, and so few that three times as many are left.
fn row(queued: u64) -> u64 {
    (queued / 4).clamp(1, 256)
}

/// Frees a place when it is dropped.
struct Leave<'a, H>(&'a Intake<H>);

impl<H> Drop for Leave<'_, H> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Wakes the next submitter that waits, if there is room for one.
///
/// A submitter that was woken and then handed nothing over, or panicked in
/// trying, has used up a wake-up and left the place free.
struct PassOn<'a, H, C: Finished>(&'a Intake<H, C>);

// ANCHOR: pass_on
impl<H, C: Finished> Drop for PassOn<'_, H, C> {
    fn drop(&mut self) {
        if load_in_order(&self.0.waiting) > 0 {
            let mut desk = lock(&self.0.desk);
            let room = self.0.has_room_for_sure(&mut desk);
            drop(desk);
            if room {
                self.0.place.notify_one();
            }
        }
    }
}
// ANCHOR_END: pass_on

impl<H> Desk<H> {
    /// True until the intake is closed.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// How many jobs were accepted so far.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// The way in, unless a close has handed it out.
    pub fn way_in(&mut self) -> Option<&mut H> {
        self.way_in.as_mut()
    }

    fn way_in_if_open(&mut self) -> Option<&mut H> {
        self.way_in.as_mut().filter(|_| self.open)
    }

    fn accept<J>(
        &mut self,
        job: J,
        hand_over: impl FnOnce(&mut H, Ticket<J>) -> Result<(), J>,
    ) -> Result<JobId, Closed<J>> {
        let accepted = self.accepted;
        let Some(way_in) = self.way_in_if_open() else {
            return Err(Closed(job));
        };
        let id = JobId::new(accepted);
        hand_over(way_in, Ticket { id, job }).map_err(Closed)?;
        self.accepted += 1;
        Ok(id)
    }
}

impl<H> fmt::Debug for Desk<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("open", &self.open)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}

impl<H, C: Finished> fmt::Debug for Intake<H, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let desk = lock(&self.desk);
        f.debug_struct("Intake")
            .field("open", &desk.open)
            .field("accepted", &desk.accepted)
            .field("finished", &self.finished.finished())
            .field("bound", &self.bound)
            .field("waiting", &self.waiting.load(Ordering::SeqCst))
            .finish_non_exhaustive()
    }
}
