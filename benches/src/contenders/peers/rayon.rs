//! `rayon`: a job a spawn, a job a spawn in a scope, and a parallel iterator.

use crossbeam_channel::unbounded;
use manyhands::Job;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::super::closures::{Closures, Execute};
use super::super::{Contender, Sizes, Way};
use crate::drive::Drive;
use crate::work::{Answer, Source, Stops};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("rayon-spawn", Way::Single, |sizes| {
            Closures::start(start(sizes))
        })
        .bends("unbounded; no ids; a panic ends the process"),
        Contender::new("rayon-scope", Way::Single, |sizes| {
            Scope(start(sizes))
        })
        .bends("all results at the end; no ids; a panic ends the scope"),
        Contender::new("rayon-par_bridge", Way::Batch, |sizes| {
            ParBridge(start(sizes))
        })
        .bends("all results at the end, in any order; a panic ends it"),
        Contender::new("rayon-par_iter", Way::Batch, |sizes| {
            ParIter(start(sizes), Vec::new())
        })
        .bends("known length; all results at the end; a panic ends it"),
    ]
}

fn start(sizes: Sizes) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(sizes.workers).build();
    pool.expect("the system has threads")
}

impl Execute for ThreadPool {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(job);
    }
}

/// The scope is opened on a thread of the pool, from where a spawn costs
/// least; its jobs send their answers, which are read when it has ended.
struct Scope(ThreadPool);

impl Drive for Scope {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let (sender, results) = unbounded();
        self.0.scope(|scope| {
            for index in 0..jobs {
                let (task, sender) = (source.task(index), &sender);
                scope.spawn(move |_| {
                    // The receiver outlives the scope.
                    let _ = sender.send(task.run());
                });
            }
        });
        results.try_iter().for_each(|answer| sink(0, answer));
    }
}

/// Takes jobs from an iterator whose length it does not know.
struct ParBridge(ThreadPool);

impl Drive for ParBridge {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let answers: Vec<Answer> = self.0.install(|| {
            let tasks = (0..jobs).map(|index| source.task(index));
            tasks.par_bridge().map(Job::run).collect()
        });
        answers.into_iter().for_each(|answer| sink(0, answer));
    }
}

/// Collects into one vector, used again, that is read at the end.
struct ParIter(ThreadPool, Vec<Answer>);

impl Drive for ParIter {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let Self(pool, answers) = self;
        let jobs = usize::try_from(jobs).expect("as many as fit in memory");
        pool.install(|| {
            let indices = (0..jobs).into_par_iter();
            let tasks = indices.map(|index| source.task(index as u64));
            tasks.map(Job::run).collect_into_vec(answers);
        });
        answers.drain(..).for_each(|answer| sink(0, answer));
    }

    /// `try_for_each`, which starts no more once one has failed.
    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        let _ = self.0.install(|| {
            let indices = (0..jobs).into_par_iter();
            indices.try_for_each(|it| source.task(it).run().map(drop))
        });
        true
    }
}
