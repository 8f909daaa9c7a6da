//! The queue in memory: what the other stores do, without a disk.

mod kept;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::store::{
    Ask, Claimed, Hold, Inspect, NewJob, Schedule, Settled, Store, Then,
};
use crate::{Counts, Error, Filter, JobId, Status};

use kept::Kept;

/// Jobs that end with the process.
pub(crate) struct Memory {
    kept: Mutex<Kept>,
    stored: Condvar,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let kept = Mutex::new(Kept::default());
        Self { kept, stored: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept; whoever waits looks again.
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.lock();
        let changed = change(&mut kept);
        kept.stored += 1;
        drop(kept);
        self.stored.notify_all();
        changed
    }
}

impl Inspect for Memory {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        let now = SystemTime::now();
        let mut kept = self.lock();
        kept.pass(now);
        Ok(kept.status(id, now))
    }

    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        let now = SystemTime::now();
        let mut kept = self.lock();
        kept.pass(now);
        let ids = kept.matching(filter, now);
        Ok(ids.into_iter().filter_map(|id| kept.status(id, now)).collect())
    }

    fn counts(&self) -> Result<Vec<Counts>, Error> {
        let now = SystemTime::now();
        let mut kept = self.lock();
        kept.pass(now);
        Ok(kept.counts(now))
    }

    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        let now = SystemTime::now();
        Ok(self.change(|kept| kept.retry(filter, now)))
    }

    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        Ok(self.change(|kept| kept.cancel(id)))
    }

    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        Ok(self.lock().purge(filter, SystemTime::now()))
    }

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        self.change(|kept| kept.set_paused(kind, paused));
        Ok(())
    }
}

impl Store for Memory {
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        let ids = self.change(|kept| kept.submit(jobs, SystemTime::now()));
        then(ids);
    }

    fn claim(&self, ask: Ask<'_>) -> Result<Claimed, Error> {
        let mut kept = self.lock();
        Ok(kept.claim(&ask, SystemTime::now(), Instant::now()))
    }

    fn settle(&self, settled: Vec<Settled>) -> Result<Vec<bool>, Error> {
        let now = SystemTime::now();
        let mut kept = self.lock();
        kept.pass(now);
        Ok(settled.into_iter().map(|it| kept.settle(it, now)).collect())
    }

    fn extend(
        &self,
        holds: &[Hold],
        lease: Duration,
    ) -> Result<Vec<bool>, Error> {
        let until = Instant::now() + lease;
        let mut kept = self.lock();
        Ok(holds.iter().map(|hold| kept.extend(hold, until)).collect())
    }

    fn schedule(
        &self,
        kind: &str,
        schedules: &[Schedule],
    ) -> Result<(), Error> {
        self.lock().schedule(kind, schedules, SystemTime::now())
    }

    fn tick(&self, kind: &str) -> Result<Option<Duration>, Error> {
        self.change(|kept| kept.tick(kind, SystemTime::now()))
    }

    fn wait(&self, seen: u64, until: Instant) -> u64 {
        let mut kept = self.lock();
        while kept.stored == seen {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.stored.wait_timeout(kept, left);
            kept = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        kept.stored
    }

    fn wake(&self) {
        self.change(|_| ());
    }

    fn is_lost_at_stop(&self) -> bool {
        true
    }
}
