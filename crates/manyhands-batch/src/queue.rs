//! The queue: the jobs that nobody has claimed, and who is there to claim
//! them.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

use manyhands_core::{JobId, Ticket};

/// What is behind the intake's lock. The ids of the jobs are in a row, up to
/// the last that was accepted.
pub(crate) struct Queue<J> {
    jobs: VecDeque<J>,
    /// Most that there can be.
    bound: usize,
    /// How many workers look for a job, and do not wait for one yet.
    pub(crate) searching: usize,
    /// How many wait.
    pub(crate) parked: usize,
    /// How many of those were called, and have not come yet.
    pub(crate) called: usize,
    /// There may be claimed jobs in a lane. They are put there with this
    /// locked.
    pub(crate) in_lanes: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(bound: usize) -> Self {
        let jobs = VecDeque::new();
        Self {
            jobs,
            bound,
            searching: 0,
            parked: 0,
            called: 0,
            in_lanes: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn push(&mut self, job: J) {
        self.make_room(1);
        self.jobs.push_back(job);
    }

    pub(crate) fn extend(&mut self, jobs: Drain<'_, J>) {
        self.make_room(jobs.len());
        self.jobs.extend(jobs);
    }

    /// Grows to twice its size if it has to, and never beyond the bound, so
    /// that a full one takes no more than its jobs do.
    fn make_room(&mut self, count: usize) {
        let len = self.jobs.len();
        if len + count > self.jobs.capacity() {
            let most = self.bound.saturating_sub(len);
            self.jobs.reserve_exact(len.min(most).max(count));
        }
    }

    /// The first of them, with the id of the last being that before
    /// `accepted`.
    pub(crate) fn take(
        &mut self,
        count: usize,
        accepted: u64,
    ) -> impl Iterator<Item = Ticket<J>> {
        let first = accepted - self.jobs.len() as u64;
        let jobs = self.jobs.drain(..count).zip(first..);
        jobs.map(|(job, id)| Ticket { id: JobId::new(id), job })
    }

    /// True if a parked worker is to be woken. One at a time: it calls the
    /// next if it finds more than it takes. Nobody is called while somebody
    /// searches, who does the same.
    pub(crate) fn call(&mut self) -> bool {
        let call = self.parked > 0 && self.searching + self.called == 0;
        self.called += usize::from(call);
        call
    }
}
