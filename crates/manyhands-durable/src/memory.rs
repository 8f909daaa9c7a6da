//! The queue in memory.
use crate::backend::*;
use crate::{Counts, Error, Filter, JobId, Status, Stopped};
use std::time::{Duration, Instant};
pub(crate) struct Memory;
impl Memory {
    pub(crate) fn new() -> Self {
        Self
    }
}

impl Inspect for Memory {
    fn status(&self, _id: JobId) -> Result<Option<Status>, Error> {
        unimplemented!()
    }
    fn list(&self, _filter: &Filter) -> Result<Vec<Status>, Error> {
        unimplemented!()
    }
    fn counts(&self) -> Result<Vec<Counts>, Error> {
        unimplemented!()
    }
    fn retry(&self, _filter: &Filter) -> Result<u64, Error> {
        unimplemented!()
    }
    fn cancel(&self, _id: JobId) -> Result<bool, Error> {
        unimplemented!()
    }
    fn purge(&self, _filter: &Filter) -> Result<u64, Error> {
        unimplemented!()
    }
    fn set_paused(&self, _kind: &str, _paused: bool) -> Result<(), Error> {
        unimplemented!()
    }
}

impl Store for Memory {
    fn submit(&self, _jobs: Vec<NewJob>, _then: Then<Vec<JobId>>) {
        unimplemented!()
    }
    fn claim(&self, _ask: Ask<'_>) -> Result<Claimed, Error> {
        unimplemented!()
    }
    fn settle(&self, _settled: Vec<Settled>) -> Result<Vec<bool>, Error> {
        unimplemented!()
    }
    fn extend(
        &self,
        _holds: &[Hold],
        _lease: Duration,
    ) -> Result<Vec<bool>, Error> {
        unimplemented!()
    }
    fn schedule(
        &self,
        _kind: &str,
        _schedules: &[Schedule],
    ) -> Result<(), Error> {
        unimplemented!()
    }
    fn tick(&self, _kind: &str) -> Result<Option<Duration>, Error> {
        unimplemented!()
    }
    fn wait(&self, _seen: u64, _until: Instant) -> u64 {
        unimplemented!()
    }
    fn wake(&self) {
        unimplemented!()
    }
}
