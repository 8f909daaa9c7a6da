//! No pool: a thread of the standard library for each job.

use std::thread::spawn;

use manyhands::Job;

use super::closures::{Closures, Execute};
use super::{Contender, Sizes, Way};
use crate::drive::{Drive, oldest_first};
use crate::work::{Answer, Source};

/// Half a second of threads, more or less.
const MOST_JOBS: u64 = 10_000;

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("thread", Way::Single, |sizes: Sizes| {
            Closures::bounded(Threads, sizes.queue as u64)
        })
        .most_jobs(MOST_JOBS)
        .bends("as many threads at once as the queue is long; no ids"),
        Contender::new("thread-join", Way::Handle, |sizes: Sizes| Handles {
            most: sizes.queue,
        })
        .most_jobs(MOST_JOBS)
        .bends("as many threads at once as the queue is long"),
    ]
}

struct Threads;

impl Execute for Threads {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        spawn(job);
    }
}

struct Handles {
    most: usize,
}

impl Drive for Handles {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let tasks = (0..jobs).map(|index| source.task(index));
        let spawned = tasks.map(|task| spawn(move || task.run()));
        for handle in oldest_first(self.most, spawned) {
            sink(0, handle.join().expect("no job panics"));
        }
    }
}
