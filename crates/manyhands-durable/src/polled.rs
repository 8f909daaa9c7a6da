//! Workers over a store that has none.
//!
//! One thread [claims](claimer) jobs, some run them, one [writes](writer) what
//! came of them, and one keeps the [leases](heart). What they share is the
//! [crew](crew)'s.

mod claimer;
mod crew;
mod heart;
mod stop;
#[cfg(test)]
mod tests;
mod token;
mod worker;
mod writer;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::backend::{Backend, Inspect, NewJob, Store, Then, Work, Working};
use crate::{Counts, Error, Filter, JobId, Status};

use crew::Crew;

/// A store as a backend.
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
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        self.store.submit(jobs, then);
    }

    fn work(&self, work: Work) -> Result<Box<dyn Working>, Error> {
        self.store.schedule(work.kind, &work.schedules)?;
        let crew = Arc::new(Crew::new(Arc::clone(&self.store), work));
        let mut polling = Polling { crew, threads: Vec::new() };
        match polling.spawn() {
            Ok(()) => Ok(Box::new(polling)),
            Err(error) => {
                polling.crew.lock().is_claiming = false;
                Box::new(polling).stop(Some(Duration::ZERO));
                Err(Error::Store(format!("no thread: {error}")))
            }
        }
    }
}

/// Threads at work.
struct Polling<S: Store> {
    crew: Arc<Crew<S>>,
    threads: Vec<JoinHandle<()>>,
}

impl<S: Store> Polling<S> {
    /// The claimer last: until it is there, there is nothing to stop.
    fn spawn(&mut self) -> io::Result<()> {
        let threads = self.crew.work.threads.clone();
        let kind = self.crew.work.kind;
        for index in 0..self.crew.work.workers.get() {
            let crew = Arc::clone(&self.crew);
            let work = move || worker::work(&crew);
            self.threads.push(threads.spawn(kind, index, work)?);
        }
        self.own("writes", writer::write)?;
        self.own("leases", heart::beat)?;
        self.own("claims", claimer::claim)
    }

    fn own(&mut self, what: &str, run: fn(&Crew<S>)) -> io::Result<()> {
        let crew = Arc::clone(&self.crew);
        let name = format!("{} {what}", crew.work.kind);
        let thread = thread::Builder::new().name(name);
        self.threads.push(thread.spawn(move || run(&crew))?);
        Ok(())
    }
}
