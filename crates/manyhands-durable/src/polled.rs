//! Workers over a store that has none.
use crate::backend::*;
use crate::{Counts, Error, Filter, JobId, Status, Stopped};
use std::sync::Arc;
use std::time::{Duration, Instant};
pub(crate) struct Polled<S> {
    store: Arc<S>,
}
impl<S> Polled<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store: Arc::new(store) }
    }
}

impl<S: Store> Inspect for Polled<S> {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        self.store.status(id)
    }
    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        self.store.list(filter)
    }
    fn counts(&self) -> Result<Vec<Counts>, Error> {
        self.store.counts()
    }
    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        self.store.retry(filter)
    }
    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.store.cancel(id)
    }
    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        self.store.purge(filter)
    }
    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        self.store.set_paused(kind, paused)
    }
}

impl<S: Store> Backend for Polled<S> {
    fn submit(&self, _jobs: Vec<NewJob>, _then: Then<Vec<JobId>>) {
        unimplemented!()
    }
    fn work(&self, _work: Work) -> Result<Box<dyn Working>, Error> {
        unimplemented!()
    }
}
