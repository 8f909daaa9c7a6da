//! What is behind a managed pool's lock, and its steps. None of them calls
//! the user's code or drops what is the user's.

use std::collections::VecDeque;
use std::time::Instant;

use manyhands_core::{Completion, Config, Job, JobId, Outcome, Ticket};

use crate::entry::Entry;
use crate::order::{Place, Queue};
use crate::snapshot::Snapshot;
use crate::wait::{Calls, Line};
use crate::watch::Context;

pub(crate) struct State<J: Job> {
    queue: Queue<J>,
    /// The next job's id.
    next: u64,
    open: bool,
    paused: bool,
    config: Config,
    /// Places that are held by nobody's job yet.
    reserved: usize,
    /// Shifts that are in the pool, or about to be.
    shifts: usize,
    /// Those of them that have a job in their hand.
    serving: usize,
    /// Jobs that run on the threads of those who submitted them.
    borrowed: usize,
    /// Which of the pools, one after the other, is the one in use.
    base: u64,
    completions: VecDeque<Completion<J>>,
    /// Who may read: the pool and its streams. Once there is none of them,
    /// completions are given back to be dropped.
    audience: usize,
    /// Who wants a place.
    submitters: Line,
    /// Who wants a completion.
    readers: Line,
    /// Who waits for the last job.
    leavers: Line,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    done: u64,
    failed: u64,
    panicked: u64,
    cancelled: u64,
    dropped: u64,
    most_queued: usize,
    most_running: usize,
}

/// What one may wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Awaited {
    /// A place for a job, or the close.
    Place,
    /// A completion, or the end of them.
    Completion,
    /// The end of the last job.
    End,
}

/// What became of a job, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Failed,
    Panicked,
}

/// So many shifts are to be started, in this base.
#[must_use = "jobs wait for them"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted(pub(crate) usize);

/// What a shift does next.
pub(crate) enum Next<J> {
    Job(Entry<J>),
    /// It is over; another one may be wanted in its place.
    Leave(Wanted),
}

impl<J: Job> State<J> {
    pub(crate) fn new(queue: Queue<J>, config: Config) -> Self {
        Self {
            queue,
            next: 0,
            open: true,
            paused: false,
            config,
            reserved: 0,
            shifts: 0,
            serving: 0,
            borrowed: 0,
            base: 0,
            completions: VecDeque::new(),
            audience: 1,
            submitters: Line::default(),
            readers: Line::default(),
            leavers: Line::default(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn config(&self) -> Config {
        self.config
    }

    /// Accepted and not finished, or about to be accepted.
    pub(crate) fn taken(&self) -> usize {
        self.unfinished() + self.reserved
    }

    pub(crate) fn unfinished(&self) -> usize {
        self.queue.len() + self.running()
    }

    fn running(&self) -> usize {
        self.serving + self.borrowed
    }

    pub(crate) fn unread(&self) -> usize {
        self.completions.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.taken() < self.config.bound().get()
    }

    /// Nothing runs, nothing will, and no shift is left that knows the pool.
    pub(crate) fn is_idle(&self) -> bool {
        self.unfinished() == 0 && self.shifts == 0
    }

    /// True once no completion will come any more.
    pub(crate) fn has_ended(&self) -> bool {
        !self.open && self.unfinished() == 0
    }

    pub(crate) fn is_there(&self, awaited: Awaited) -> bool {
        match awaited {
            Awaited::Place => self.has_room() || !self.open,
            Awaited::Completion => self.unread() > 0 || self.has_ended(),
            Awaited::End => self.is_idle(),
        }
    }

    pub(crate) fn line(&mut self, awaited: Awaited) -> &mut Line {
        match awaited {
            Awaited::Place => &mut self.submitters,
            Awaited::Completion => &mut self.readers,
            Awaited::End => &mut self.leavers,
        }
    }

    /// A worker may soon have nothing to do.
    pub(crate) fn is_hungry(&self) -> bool {
        self.queue.ready() == 0
    }

    fn draw(&mut self) -> JobId {
        let id = JobId::new(self.next);
        self.next += 1;
        id
    }

    /// Queues a job, whether or not there is room.
    pub(crate) fn accept(
        &mut self,
        job: J,
        place: Place,
        since: Instant,
        context: Context,
    ) -> (JobId, Wanted) {
        let id = self.draw();
        let ticket = Ticket { id, job };
        self.queue.push(Entry { ticket, place, since, context });
        let queued = self.queue.len();
        self.counts.most_queued = self.counts.most_queued.max(queued);
        (id, self.want())
    }

    /// Takes a job in, to run it on the thread of who submits it. `None` if it
    /// may not run now.
    pub(crate) fn borrow(&mut self, key: Option<u64>) -> Option<JobId> {
        if self.paused || !self.queue.claim(key) {
            return None;
        }
        self.borrowed += 1;
        self.note_running();
        Some(self.draw())
    }

    /// Takes a job in, as one that is given up at once. What is not to be
    /// read comes back.
    pub(crate) fn give_up(
        &mut self,
        job: J,
        calls: &mut Calls,
    ) -> (JobId, Option<Completion<J>>) {
        let id = self.draw();
        self.counts.dropped += 1;
        let completion = Completion { id, outcome: Outcome::Cancelled(job) };
        (id, self.complete(completion, calls))
    }

    /// Gives up what was accepted first of what is queued. What is not to be
    /// read comes back. `None` if nothing is queued.
    pub(crate) fn give_up_oldest(
        &mut self,
        calls: &mut Calls,
    ) -> Option<Option<Completion<J>>> {
        let entry = self.queue.pop_oldest()?;
        self.counts.dropped += 1;
        let (completion, context) = entry.cancelled();
        calls.drop_later(context);
        Some(self.complete(completion, calls))
    }

    /// Starts as many shifts as there is work for.
    pub(crate) fn want(&mut self) -> Wanted {
        if self.paused {
            return Wanted(0);
        }
        let coming = self.shifts - self.serving;
        let most = self.config.workers().get();
        let wanted = self
            .queue
            .ready()
            .saturating_sub(coming)
            .min(most.saturating_sub(self.shifts));
        self.shifts += wanted;
        Wanted(wanted)
    }

    /// What a shift does first.
    pub(crate) fn begin(&mut self, base: u64, calls: &mut Calls) -> Next<J> {
        let next = self.next_for(base);
        self.call_leavers(calls);
        next
    }

    /// Not to be served by a shift that is surplus, or of a pool that is no
    /// longer in use.
    fn next_for(&mut self, base: u64) -> Next<J> {
        let stays = base == self.base
            && !self.paused
            && self.shifts <= self.config.workers().get();
        if let Some(entry) = stays.then(|| self.queue.pop()).flatten() {
            self.serving += 1;
            self.note_running();
            return Next::Job(entry);
        }
        self.shifts -= 1;
        Next::Leave(self.want())
    }

    fn note_running(&mut self) {
        let running = self.running();
        self.counts.most_running = self.counts.most_running.max(running);
    }

    /// A job of a shift is over, and this shift goes on with what it is told.
    pub(crate) fn end(
        &mut self,
        base: u64,
        key: Option<u64>,
        end: End,
        calls: &mut Calls,
    ) -> Next<J> {
        self.serving -= 1;
        self.over(key, end, calls);
        let next = self.next_for(base);
        self.call_leavers(calls);
        next
    }

    /// A job of a shift is over, and the shift with it.
    pub(crate) fn end_lost(
        &mut self,
        key: Option<u64>,
        calls: &mut Calls,
    ) -> Wanted {
        self.serving -= 1;
        self.shifts -= 1;
        self.over(key, End::Panicked, calls);
        let wanted = self.want();
        self.call_leavers(calls);
        wanted
    }

    /// A job that ran on the thread of who submitted it is over.
    pub(crate) fn end_borrowed(
        &mut self,
        key: Option<u64>,
        end: End,
        calls: &mut Calls,
    ) -> Wanted {
        self.borrowed -= 1;
        self.over(key, end, calls);
        let wanted = self.want();
        self.call_leavers(calls);
        wanted
    }

    fn over(&mut self, key: Option<u64>, end: End, calls: &mut Calls) {
        *match end {
            End::Done => &mut self.counts.done,
            End::Failed => &mut self.counts.failed,
            End::Panicked => &mut self.counts.panicked,
        } += 1;
        self.queue.over(key);
        if self.has_room() {
            self.submitters.call_one(calls);
        }
    }

    fn call_leavers(&mut self, calls: &mut Calls) {
        if self.is_idle() {
            self.leavers.call_all(calls);
        }
        if self.has_ended() {
            self.readers.call_all(calls);
        }
    }

    /// Puts a completion where it is read. It comes back if nobody will.
    pub(crate) fn complete(
        &mut self,
        completion: Completion<J>,
        calls: &mut Calls,
    ) -> Option<Completion<J>> {
        if self.audience == 0 || J::DETACHED {
            return Some(completion);
        }
        self.completions.push_back(completion);
        self.readers.call_one(calls);
        None
    }

    pub(crate) fn take_completion(&mut self) -> Option<Completion<J>> {
        self.completions.pop_front()
    }

    pub(crate) fn take_completions(
        &mut self,
        most: usize,
    ) -> VecDeque<Completion<J>> {
        if most >= self.completions.len() {
            return std::mem::take(&mut self.completions);
        }
        let rest = self.completions.split_off(most);
        std::mem::replace(&mut self.completions, rest)
    }

    #[cfg(feature = "stream")]
    pub(crate) fn join_audience(&mut self) {
        self.audience += 1;
    }

    /// One reads no more. After the last one, what there is is given back to
    /// be dropped.
    pub(crate) fn leave_audience(&mut self) -> VecDeque<Completion<J>> {
        self.audience -= 1;
        if self.audience > 0 {
            return VecDeque::new();
        }
        std::mem::take(&mut self.completions)
    }

    pub(crate) fn reserve(&mut self, beyond: bool) -> bool {
        let room = beyond || self.has_room();
        self.reserved += usize::from(room);
        room
    }

    /// A reserved place is used, or given back.
    pub(crate) fn release(&mut self, calls: &mut Calls) {
        self.reserved -= 1;
        if self.has_room() {
            self.submitters.call_one(calls);
        }
    }

    /// A reserved place is taken by the job that follows.
    pub(crate) fn redeem(&mut self) {
        self.reserved -= 1;
    }

    pub(crate) fn close(&mut self, calls: &mut Calls) {
        self.open = false;
        self.submitters.call_all(calls);
        self.call_leavers(calls);
    }

    /// Closes, and takes out what is queued. Says how many that were; the
    /// completions come back where they are not to be read.
    pub(crate) fn cancel(
        &mut self,
        calls: &mut Calls,
    ) -> (usize, VecDeque<Completion<J>>) {
        self.open = false;
        let (mut count, mut unread) = (0, VecDeque::new());
        while let Some(entry) = self.queue.pop_oldest() {
            count += 1;
            let (completion, context) = entry.cancelled();
            calls.drop_later(context);
            unread.extend(self.complete(completion, calls));
        }
        self.counts.cancelled += count as u64;
        self.submitters.call_all(calls);
        self.call_leavers(calls);
        (count, unread)
    }

    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    pub(crate) fn resume(&mut self) -> Wanted {
        self.paused = false;
        self.want()
    }

    /// Another pool is in use from now on, of that size.
    pub(crate) fn move_to(
        &mut self,
        config: Config,
        calls: &mut Calls,
    ) -> (u64, Wanted) {
        self.base += 1;
        self.config = config;
        if self.has_room() {
            // More than one may have become free.
            self.submitters.call_all(calls);
        }
        (self.base, self.want())
    }

    /// A shift that was wanted is not to be had.
    pub(crate) fn lose_shift(&mut self, calls: &mut Calls) {
        self.shifts -= 1;
        self.call_leavers(calls);
    }

    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let Counts {
            done,
            failed,
            panicked,
            cancelled,
            dropped,
            most_queued,
            most_running,
        } = self.counts;
        let age = |since| now.saturating_duration_since(since);
        Snapshot {
            accepted: self.next,
            queued: self.queue.len(),
            running: self.running(),
            done,
            failed,
            panicked,
            cancelled,
            dropped,
            unread: self.unread(),
            workers: self.config.workers().get(),
            bound: self.config.bound().get(),
            most_queued,
            most_running,
            oldest: self.queue.oldest().map(age),
            is_open: self.open,
            is_paused: self.paused,
        }
    }
}
