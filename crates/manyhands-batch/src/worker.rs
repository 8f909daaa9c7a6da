//! A worker: claims a share of the queue, runs it out of its lane, and helps
//! others out when there is nothing to claim.

use manyhands_core::sync::{
    Instant, MutexGuard, Ordering, Spins, linger, thread, wait,
};
use manyhands_core::{Completion, Desk, Job, Ticket, discard, run_one};

use crate::adapter::Shared;
use crate::lanes::Stolen;
use crate::pace::{Pace, share};
use crate::queue::Queue;

pub(crate) struct Worker<'a, J: Job> {
    shared: &'a Shared<J>,
    lane: usize,
    pace: Pace,
    spins: Spins,
    /// What it runs before it looks up.
    next: Vec<Ticket<J>>,
    /// What came of it.
    done: Vec<Completion<J>>,
    /// Where the others' lanes were when it looked at them.
    seen: Box<[u64]>,
    /// It is between two claims, and counted: nobody needs to be woken.
    searching: bool,
}

impl<'a, J: Job> Worker<'a, J> {
    pub(crate) fn new(shared: &'a Shared<J>, lane: usize) -> Self {
        Self {
            shared,
            lane,
            pace: Pace::default(),
            spins: Spins::default(),
            next: Vec::new(),
            done: Vec::new(),
            seen: shared.intake.counter().unseen(),
            searching: false,
        }
    }

    /// Claims jobs and runs them, until the pool is closed and nothing is
    /// left to take.
    pub(crate) fn work(mut self) {
        while let Some(claimed) = self.claim() {
            let start = Instant::now();
            while !self.next.is_empty() {
                self.run();
            }
            let now = Instant::now();
            self.pace.ran(claimed, now.saturating_duration_since(start));
        }
    }

    /// Runs what is next, puts down what came of it, and takes from its lane
    /// what is next then.
    fn run(&mut self) {
        let Shared { intake, grain, .. } = self.shared;
        let lanes = intake.counter();
        let count = self.next.len();
        let run = |ticket| run_one(ticket, intake.is_stopped());
        let completions = self.next.drain(..).map(run);
        if J::DETACHED {
            completions.for_each(discard);
        } else {
            self.done.extend(completions);
        }
        let (done, next) = (&mut self.done, &mut self.next);
        let unread = lanes.exchange(self.lane, count, done, next, *grain);
        lanes.bell.ring(unread);
        intake.left();
    }

    /// Takes a worker's share of the queue, and as much of it as it is to run
    /// before it looks up into `next`. Waits for a job; `None` when there will
    /// be none.
    fn claim(&mut self) -> Option<usize> {
        let shared = self.shared;
        let lanes = shared.intake.counter();
        let mut parked = None;
        loop {
            self.look();
            let mut desk = shared.intake.desk();
            let (open, accepted) = (desk.is_open(), desk.accepted());
            let queue = desk.way_in()?;
            let queued = queue.len();
            let claimed = if queued > 0 {
                let most = self.pace.most();
                let awake = shared.workers - queue.parked;
                let count = share(queued, awake).min(most);
                let mut tickets = queue.take(count, accepted);
                self.next.extend(tickets.by_ref().take(shared.grain));
                // With the desk locked: whoever finds nothing there looks at
                // the lanes next.
                queue.in_lanes |= lanes.put(self.lane, tickets);
                shared.queued.store(queued - count, Ordering::Relaxed);
                count
            } else if queue.in_lanes {
                match lanes.steal(&mut self.seen) {
                    Stolen::Job(ticket) => {
                        self.next.push(ticket);
                        1
                    }
                    Stolen::NotYet => {
                        self.search(queue);
                        drop(desk);
                        thread::yield_now();
                        continue;
                    }
                    Stolen::None => {
                        queue.in_lanes = false;
                        0
                    }
                }
            } else {
                0
            };
            self.end_search(queue);
            if claimed > 0 {
                self.spins.waited(parked);
                // Wherever it is: who was called for a job in a lane may have
                // found another in the queue.
                let more = queue.parked > 0
                    && (queued > self.next.len()
                        || queue.in_lanes && lanes.any_claimed());
                let call = more && queue.call();
                drop(desk);
                shared.wake(call);
                return Some(claimed);
            }
            if !open {
                return None;
            }
            parked.get_or_insert_with(Instant::now);
            self.park(desk)?;
        }
    }

    /// Looks for a moment whether jobs come, and whether more do where a few
    /// are not worth a claim.
    fn look(&mut self) {
        let shared = self.shared;
        let there =
            |count| move || shared.queued.load(Ordering::Relaxed) >= count;
        if !there(1)() {
            if !self.searching {
                if let Some(queue) = shared.intake.desk().way_in() {
                    self.search(queue);
                }
            }
            self.spins.until(there(1));
        } else if self.searching {
            // Woken for them, and so late already.
            return;
        }
        if there(1)() {
            linger(there(self.pace.worth().min(shared.few)));
        }
    }

    /// Waits until it is called, or the pool is closed; then it is searching.
    fn park(
        &mut self,
        mut desk: MutexGuard<'_, Desk<Queue<J>>>,
    ) -> Option<()> {
        let shared = self.shared;
        desk.way_in()?.parked += 1;
        shared.idle.fetch_add(1, Ordering::Relaxed);
        while desk.is_open() && desk.way_in()?.called == 0 {
            desk = wait(&shared.work, desk);
        }
        shared.idle.fetch_sub(1, Ordering::Relaxed);
        let queue = desk.way_in()?;
        queue.parked -= 1;
        queue.called = queue.called.saturating_sub(1);
        self.search(queue);
        Some(())
    }

    fn search(&mut self, queue: &mut Queue<J>) {
        queue.searching += usize::from(!self.searching);
        self.searching = true;
    }

    /// One way or the other.
    fn end_search(&mut self, queue: &mut Queue<J>) {
        queue.searching -= usize::from(self.searching);
        self.searching = false;
    }
}
