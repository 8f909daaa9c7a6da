//! Pools that take closures: `threadpool` and `rusty_pool`.

use std::time::Duration;

use manyhands::Job;

use super::super::closures::{Closures, Execute};
use super::super::{Contender, Sizes, Way};
use crate::drive::{Drive, oldest_first};
use crate::work::{Answer, Source};

pub(super) fn contenders() -> Vec<Contender> {
    const BENDS: &str = "unbounded; no ids; a panic loses its answer";
    vec![
        Contender::new("threadpool", Way::Single, |sizes: Sizes| {
            Closures::start(threadpool::ThreadPool::new(sizes.workers))
        })
        .bends(BENDS),
        Contender::new("rusty_pool", Way::Single, |sizes| {
            Closures::start(rusty_pool(sizes))
        })
        .bends(BENDS),
        Contender::new("rusty_pool-evaluate", Way::Handle, |sizes| Handles {
            pool: rusty_pool(sizes),
            most: sizes.queue,
        })
        .bends("unbounded; a panic is an error at the handle"),
    ]
}

impl Execute for threadpool::ThreadPool {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

fn rusty_pool(sizes: Sizes) -> rusty_pool::ThreadPool {
    // As many at most as at least: none is there for peaks.
    let keep = Duration::from_secs(60);
    let pool = rusty_pool::ThreadPool::new(sizes.workers, sizes.workers, keep);
    pool.start_core_threads();
    pool
}

impl Execute for rusty_pool::ThreadPool {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

/// One `evaluate` a job; the oldest handle is waited for when there are as
/// many as the queue is long.
struct Handles {
    pool: rusty_pool::ThreadPool,
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
        let spawned = tasks.map(|task| self.pool.evaluate(move || task.run()));
        for handle in oldest_first(self.most, spawned) {
            sink(0, handle.await_complete());
        }
    }
}
