//! Jobs taken from an iterator before they can be submitted.

use std::any::Any;
use std::collections::VecDeque;
use std::iter::Fuse;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::discard;
use crate::sync::{Duration, Instant};

/// Takes jobs from an iterator, several at a time where that holds none of
/// them up.
///
/// What is still here when this is dropped is dropped with panics contained.
pub(crate) struct Ahead<I: Iterator> {
    /// What was taken and not yet accepted.
    pub(crate) jobs: VecDeque<I::Item>,
    source: Fuse<I>,
    /// How many may be taken the next time.
    count: usize,
    /// What the iterator panicked with. It goes on when the jobs that came
    /// before it are gone.
    panicked: Option<Box<dyn Any + Send>>,
}

impl<I: Iterator> Ahead<I> {
    /// Most that are taken at a time. Handing over costs a lock or so, which
    /// among so many is nothing.
    const MOST: usize = 256;

    /// How long that may take before they are no longer taken together.
    const QUICK: Duration = Duration::from_micros(10);

    pub(crate) fn new(source: I) -> Self {
        let (jobs, source) = (VecDeque::new(), source.fuse());
        Self { jobs, source, count: 1, panicked: None }
    }

    /// Takes jobs if there are none, `most` at most. False at the end.
    ///
    /// # Panics
    ///
    /// With what the iterator panicked with, once its jobs are gone.
    pub(crate) fn fill(&mut self, most: usize) -> bool {
        if self.jobs.is_empty() && self.panicked.is_none() {
            let take = AssertUnwindSafe(|| self.take(most));
            self.panicked = catch_unwind(take).err();
        }
        if !self.jobs.is_empty() {
            return true;
        }
        if let Some(payload) = self.panicked.take() {
            resume_unwind(payload);
        }
        false
    }

    fn take(&mut self, most: usize) {
        // One that does not know whether it has more may have to wait for it.
        let sure = self.source.size_hint().0;
        let count = self.count.min(most).min(sure).max(1);
        // Where it is less for another reason, the clock is spared.
        let clock = (count == self.count && sure > 1).then(Instant::now);
        for job in self.source.by_ref().take(count) {
            self.jobs.push_back(job);
        }
        if let Some(start) = clock {
            let time = Instant::now().saturating_duration_since(start);
            let quick = time < Self::QUICK;
            self.count = if quick { 2 * count } else { 1 }.min(Self::MOST);
        }
    }
}

impl<I: Iterator> Drop for Ahead<I> {
    fn drop(&mut self) {
        self.jobs.drain(..).for_each(discard);
        discard(self.panicked.take());
    }
}
