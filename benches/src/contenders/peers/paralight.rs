//! `paralight`: a parallel iterator over known lengths.

use manyhands::Job;
use paralight::prelude::*;
use paralight::threads::ThreadPool;

use super::super::{Contender, Sizes, Way};
use crate::drive::Drive;
use crate::work::{Answer, Source};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("paralight", Way::Batch, |sizes| {
            ParIter(start(sizes), Vec::new())
        })
        .bends("known length; all results at the end; a panic ends it"),
    ]
}

fn start(sizes: Sizes) -> ThreadPool {
    let count = sizes.workers.try_into().expect("one worker at least");
    ThreadPoolBuilder {
        num_threads: ThreadCount::Count(count),
        range_strategy: RangeStrategy::WorkStealing,
        cpu_pinning: CpuPinningPolicy::No,
    }
    .build()
}

/// Writes into one vector, used again, that is read at the end.
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
        answers.resize(jobs, Ok(0));
        (answers.par_iter_mut(), (0..jobs).into_par_iter())
            .zip_eq()
            .with_thread_pool(&mut *pool)
            .for_each(|(answer, index)| {
                *answer = source.task(index as u64).run();
            });
        answers.drain(..).for_each(|answer| sink(0, answer));
    }
}
