//! Workers over a store.
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

use crate::Error;
use crate::store::{Store, Work};

use crew::Crew;

/// Threads at work.
pub(crate) struct Workers {
    crew: Arc<Crew>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        work: Work,
    ) -> Result<Self, Error> {
        store.schedule(work.kind, &work.schedules)?;
        let crew = Arc::new(Crew::new(store, work));
        let mut workers = Self { crew, threads: Vec::new() };
        match workers.spawn() {
            Ok(()) => Ok(workers),
            Err(error) => {
                workers.crew.lock().is_claiming = false;
                workers.stop(Some(Duration::ZERO));
                Err(Error::Store(format!("no thread: {error}")))
            }
        }
    }

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

    fn own(&mut self, what: &str, run: fn(&Crew)) -> io::Result<()> {
        let crew = Arc::clone(&self.crew);
        let name = format!("{} {what}", crew.work.kind);
        let thread = thread::Builder::new().name(name);
        self.threads.push(thread.spawn(move || run(&crew))?);
        Ok(())
    }
}
