//! Where claimed jobs and finished ones lie, a lane a worker.

use std::collections::VecDeque;
use std::mem::{swap, take};

use manyhands_core::sync::{
    AtomicU64, AtomicUsize, CachePadded, Condvar, Mutex, NAP, Ordering, lock,
    wait, wait_at_most,
};
use manyhands_core::{Completion, Finished, Job, JobId, Ticket, discard};

/// The lanes of a pool.
pub(crate) struct Lanes<J: Job> {
    lanes: Box<[Lane<J>]>,
    /// Rung when something was put down, and on close.
    pub(crate) bell: Bell,
}

struct Lane<J: Job> {
    /// Locked by its worker, a job at a time; and now and then by a reader, a
    /// submitter that finds the pool full, and a worker without work.
    state: CachePadded<Mutex<State<J>>>,
    look: Look,
}

struct State<J: Job> {
    /// What its worker has claimed and not started. The ids are in a row.
    claimed: VecDeque<J>,
    /// The id of the first of them.
    first: u64,
    /// What has finished and nobody has read.
    done: Vec<Completion<J>>,
    /// How many jobs have finished here.
    finished: u64,
}

/// What a worker without work finds in the others' lanes.
pub(crate) enum Stolen<J> {
    /// A job.
    Job(Ticket<J>),
    /// Jobs that are about to be run by those who have claimed them.
    NotYet,
    /// No job.
    None,
}

/// What can be seen of a lane without locking it.
#[derive(Default)]
struct Look {
    unread: CachePadded<AtomicUsize>,
    finished: CachePadded<AtomicU64>,
}

impl<J: Job> Lanes<J> {
    pub(crate) fn new(workers: usize) -> Self {
        let lane = |_| Lane {
            state: CachePadded(Mutex::new(State {
                claimed: VecDeque::new(),
                first: 0,
                done: Vec::new(),
                finished: 0,
            })),
            look: Look::default(),
        };
        Self { lanes: (0..workers).map(lane).collect(), bell: Bell::default() }
    }

    /// Puts down claimed jobs, whose ids are in a row. The lane has none. True
    /// if there are any.
    pub(crate) fn put(
        &self,
        lane: usize,
        mut jobs: impl Iterator<Item = Ticket<J>>,
    ) -> bool {
        let Some(Ticket { id, job }) = jobs.next() else { return false };
        let mut state = lock(&self.lanes[lane].state);
        state.first = id.get();
        state.claimed.push_back(job);
        state.claimed.extend(jobs.map(|ticket| ticket.job));
        true
    }

    /// Puts down what `count` jobs that have finished came to, and takes the
    /// next ones, `most` at most, in exchange. Returns how much there is to
    /// be read here.
    pub(crate) fn exchange(
        &self,
        lane: usize,
        count: usize,
        done: &mut Vec<Completion<J>>,
        next: &mut Vec<Ticket<J>>,
        most: usize,
    ) -> usize {
        let Lane { state, look } = &self.lanes[lane];
        let mut state = lock(state);
        state.finished += count as u64;
        let before = state.done.len();
        state.done.append(done);
        show_growth(&look.unread, before, state.done.len());
        look.finished.store(state.finished, Ordering::Relaxed);
        let most = state.claimed.len().min(most);
        let first = state.first;
        let tickets = state.claimed.drain(..most).zip(first..);
        next.extend(tickets.map(|(job, id)| ticket(job, id)));
        state.first += most as u64;
        state.done.len()
    }

    /// Takes a job that somebody has claimed and not started, out of a lane
    /// that has not moved since this was called before with the same `seen`,
    /// a number a lane. Where jobs come and go, nobody is stuck, and taking
    /// one away would cost more than it.
    pub(crate) fn steal(&self, seen: &mut [u64]) -> Stolen<J> {
        let mut found = Stolen::None;
        for (lane, seen) in self.lanes.iter().zip(seen) {
            let mut state = lock(&lane.state);
            let next = state.first;
            if state.claimed.is_empty() {
                continue;
            }
            if *seen != next {
                *seen = next;
                found = Stolen::NotYet;
            } else if let Some(job) = state.claimed.pop_front() {
                state.first += 1;
                return Stolen::Job(ticket(job, next));
            }
        }
        found
    }

    /// What nobody has `seen` yet.
    pub(crate) fn unseen(&self) -> Box<[u64]> {
        self.lanes.iter().map(|_| u64::MAX).collect()
    }

    /// True if somebody has claimed a job and not started it.
    pub(crate) fn any_claimed(&self) -> bool {
        let claimed = |lane: &Lane<J>| !lock(&lane.state).claimed.is_empty();
        self.lanes.iter().any(claimed)
    }

    /// Takes all of them.
    pub(crate) fn steal_all(&self, into: &mut Vec<Ticket<J>>) {
        for lane in &self.lanes {
            let mut state = lock(&lane.state);
            let jobs = take(&mut state.claimed);
            let tickets = jobs.into_iter().zip(state.first..);
            into.extend(tickets.map(|(job, id)| ticket(job, id)));
        }
    }

    /// How much there is to be read; a look.
    pub(crate) fn unread(&self) -> usize {
        let unread = |lane: &Lane<J>| lane.look.unread.load(Ordering::Relaxed);
        self.lanes.iter().map(unread).sum()
    }

    /// How much there is to be read.
    pub(crate) fn count(&self) -> usize {
        let count = |lane: &Lane<J>| lock(&lane.state).done.len();
        self.lanes.iter().map(count).sum()
    }

    /// Moves what has finished into `into`. Returns how many jobs have
    /// finished up to then: if they are all, then these are the last.
    pub(crate) fn read(&self, into: &mut VecDeque<Completion<J>>) -> u64 {
        let mut finished = 0;
        for lane in &self.lanes {
            let mut state = lock(&lane.state);
            into.extend(state.done.drain(..));
            lane.look.unread.store(0, Ordering::Relaxed);
            finished += state.finished;
        }
        finished
    }

    /// [`read`](Self::read) of what can be seen without waiting, into an empty
    /// vector, which is exchanged where that does.
    pub(crate) fn read_seen(&self, into: &mut Vec<Completion<J>>) {
        for lane in &self.lanes {
            if lane.look.unread.load(Ordering::Relaxed) > 0 {
                let mut state = lock(&lane.state);
                if into.is_empty() {
                    swap(into, &mut state.done);
                } else {
                    into.append(&mut state.done);
                }
                lane.look.unread.store(0, Ordering::Relaxed);
            }
        }
    }
}

impl<J: Job> Finished for Lanes<J> {
    /// Under the lanes' locks: a worker that looks for waiting submitters
    /// after it has counted here sees one that has asked here before.
    fn finished(&self) -> u64 {
        self.lanes.iter().map(|lane| lock(&lane.state).finished).sum()
    }

    fn glance(&self) -> u64 {
        let finished =
            |lane: &Lane<J>| lane.look.finished.load(Ordering::Relaxed);
        self.lanes.iter().map(finished).sum()
    }
}

/// What nobody has read or run is dropped with panics contained.
impl<J: Job> Drop for Lanes<J> {
    fn drop(&mut self) {
        for lane in &self.lanes {
            let mut state = lock(&lane.state);
            let (claimed, done) =
                (take(&mut state.claimed), take(&mut state.done));
            drop(state);
            claimed.into_iter().for_each(discard);
            done.into_iter().for_each(discard);
        }
    }
}

/// Wakes the one reader that waits.
#[derive(Default)]
pub(crate) struct Bell {
    /// A reader waits, or is about to, for so many results in a lane; 0 when
    /// none does. Read by workers, a job at a time.
    awaited: CachePadded<AtomicUsize>,
    rung: Mutex<bool>,
    ring: Condvar,
}

impl Bell {
    /// From here on the bell is heard, once there are `enough` in a lane.
    /// Between this and [`wait`](Self::wait) the reader looks once more, under
    /// the locks of those who ring.
    pub(crate) fn listen(&self, enough: usize) {
        *lock(&self.rung) = false;
        self.awaited.store(enough, Ordering::SeqCst);
    }

    /// Returns once it was rung.
    pub(crate) fn wait(&self) {
        let mut rung = lock(&self.rung);
        while !*rung {
            rung = wait(&self.ring, rung);
        }
    }

    /// The reader does not wait after all.
    pub(crate) fn ignore(&self) {
        self.awaited.store(0, Ordering::SeqCst);
    }

    /// Returns once it was rung, or after a nap.
    pub(crate) fn nap(&self) {
        let rung = lock(&self.rung);
        if !*rung {
            drop(wait_at_most(&self.rung, &self.ring, rung, NAP));
        }
    }

    /// There are so many results in a lane.
    pub(crate) fn ring(&self, unread: usize) {
        let awaited = self.awaited.load(Ordering::SeqCst);
        if (1..=unread).contains(&awaited) {
            self.awaited.store(0, Ordering::SeqCst);
            *lock(&self.rung) = true;
            self.ring.notify_one();
        }
    }
}

/// Shows a count that grows, when it has about doubled: whoever looks at it
/// takes the cache line away from whoever writes it.
pub(crate) fn show_growth(shown: &AtomicUsize, before: usize, now: usize) {
    if before.leading_zeros() != now.leading_zeros() {
        shown.store(now, Ordering::Relaxed);
    }
}

fn ticket<J>(job: J, id: u64) -> Ticket<J> {
    Ticket { id: JobId::new(id), job }
}
