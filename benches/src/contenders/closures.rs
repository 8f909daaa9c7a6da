//! Pools that take closures and give nothing back: each closure sends its
//! answer over a channel, as their manuals have it. The channel is the same
//! for all of them, so that what differs is the pool.

use crossbeam_channel::{Receiver, Sender, unbounded};
use manyhands::Job;

use crate::drive::{Feed, Single};
use crate::work::{Answer, Task};

/// What such a pool can do.
pub(super) trait Execute: Sync {
    /// Hands over a closure. Does not wait, as there is no bound.
    fn execute(&self, job: impl FnOnce() + Send + 'static);
}

/// Such a pool, with the channel.
pub(super) struct Closures<E> {
    pool: E,
    sender: Sender<Answer>,
    results: Receiver<Answer>,
    most_owed: u64,
}

impl<E: Execute> Closures<E> {
    /// Its users set no bound, so none is set here.
    pub(super) fn start(pool: E) -> Single<Self> {
        Self::bounded(pool, u64::MAX)
    }

    /// For one that must not have more than so many jobs under way.
    pub(super) fn bounded(pool: E, most_owed: u64) -> Single<Self> {
        let (sender, results) = unbounded();
        Single(Self { pool, sender, results, most_owed })
    }
}

impl<E: Execute> Feed for Closures<E> {
    fn submit(&self, task: Task) {
        let results = self.sender.clone();
        self.pool.execute(move || {
            // Nobody reads any more when a measurement has failed.
            let _ = results.send(task.run());
        });
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        self.submit(task);
        Ok(())
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        sink(0, self.results.recv().expect("this pool sends"));
        let more = self.results.try_iter().map(|answer| sink(0, answer));
        1 + more.count() as u64
    }

    fn most_owed(&self) -> u64 {
        self.most_owed
    }
}
