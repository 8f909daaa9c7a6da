//! PostgreSQL, by the engine graphile_worker.
use crate::backend::*;
use crate::{Counts, Error, Filter, JobId, Status, Stopped};
use std::time::{Duration, Instant};
pub(crate) struct Postgres;
impl Postgres {
    pub(crate) fn connect(_: &str) -> Result<Self, Error> {
        unimplemented!()
    }
}

impl Inspect for Postgres {
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

impl Backend for Postgres {
    fn submit(&self, _jobs: Vec<NewJob>, _then: Then<Vec<JobId>>) {
        unimplemented!()
    }
    fn work(&self, _work: Work) -> Result<Box<dyn Working>, Error> {
        unimplemented!()
    }
}
