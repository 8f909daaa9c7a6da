//! No pool: a thread of the standard library for each job.

use std::collections::VecDeque;
use std::thread::{JoinHandle, spawn};

use manyhands::Job;

use super::closures::{Closures, Execute};
use super::{Contender, Sizes, Way};
use crate::drive::Drive;
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
        let mut handles = VecDeque::with_capacity(self.most);
        let mut join = |handle: JoinHandle<Answer>| {
            sink(0, handle.join().expect("no job panics"));
        };
        for index in 0..jobs {
            if handles.len() == self.most {
                handles.pop_front().map(&mut join);
            }
            let task = source.task(index);
            handles.push_back(spawn(move || task.run()));
        }
        handles.into_iter().for_each(join);
    }
}
