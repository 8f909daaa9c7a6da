//! No worker sits on jobs while another idles: law 19.

use std::collections::VecDeque;
use std::sync::Barrier;
use std::thread;

use manyhands_core::{Completion, TrySubmitError, WorkerPoolExt};

use super::moves::{AnyPool, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::Count;
use crate::trial::{Result, Trial, ensure};

/// Law 19, of pools that have run hardly a job.
pub(super) fn work_is_shared(trial: &Trial) -> Result {
    let pool = trial.pool();
    rounds(trial, &pool, 20, trial.many(1, 50))?;
    drop(pool);
    (0..trial.many(20, 500)).try_for_each(|_| from_as_many_submitters(trial))
}

/// Law 19, of pools that have had time to learn how brief their jobs are.
pub(super) fn work_is_shared_when_warm(trial: &Trial) -> Result {
    const BEFORE: u64 = 20_000;
    let pool = trial.pool();
    let before = (0..BEFORE).map(LawJob::new).collect();
    trial.note("brief jobs");
    By::RunAll.run(trial, &pool, before, |_| trial.goes_on())?;
    rounds(trial, &pool, 200, trial.many(3, 200))
}

/// Puts a pool into each situation, in each way that jobs can come to it.
/// `lead` brief jobs come before those that matter, where some do.
fn rounds(
    trial: &Trial,
    pool: AnyPool<'_>,
    lead: u64,
    rounds: usize,
) -> Result {
    type Situation = fn(&Trial, AnyPool<'_>, By, u64) -> Result;
    let situations: [(Situation, u64); 6] = [
        (behind_jobs_that_block, 0),
        (before_jobs_that_block, lead),
        (that_wait_for_each_other, 0),
        (behind_jobs_that_block, lead),
        (that_wait_for_each_other, lead),
        (one_by_one_beside_jobs_that_block, 0),
    ];
    for _ in 0..rounds {
        for (situation, lead) in situations {
            trial.goes_on();
            for by in By::ALL {
                situation(trial, pool, by, lead)?;
            }
        }
    }
    Ok(())
}

/// How many brief jobs come after those that matter: more than a worker would
/// leave lying if it took some at a time.
const AFTER: u64 = 20;

/// All workers but one are blocked, and what was submitted with and after
/// the jobs that block them comes to its end, and can be read.
fn behind_jobs_that_block(
    trial: &Trial,
    pool: AnyPool<'_>,
    by: By,
    lead: u64,
) -> Result {
    let blocked = trial.workers() as u64 - 1;
    let gate = Gate::closed();
    let job = |number: u64| match number.checked_sub(lead) {
        Some(number) if number < blocked => LawJob::new(number).pass(&gate),
        _ => LawJob::new(number),
    };
    let mut others = lead + AFTER;
    let jobs = (0..others + blocked).map(job).collect();
    trial.note(
        "the completions of all other jobs, \
         while all workers but one are blocked",
    );
    by.run(trial, pool, jobs, |_| {
        others = others.saturating_sub(1);
        if others == 0 {
            gate.open();
        }
    })
}

/// As many jobs as there are workers, one behind the other, that end only if
/// they all run at once.
fn that_wait_for_each_other(
    trial: &Trial,
    pool: AnyPool<'_>,
    by: By,
    lead: u64,
) -> Result {
    let workers = trial.workers();
    let gate = Gate::meeting(workers);
    let waiting = lead..lead + workers as u64;
    let job = |number: u64| match waiting.contains(&number) {
        true => LawJob::new(number).pass(&gate),
        false => LawJob::new(number),
    };
    let jobs = (0..waiting.end + AFTER).map(job).collect();
    trial.note("jobs that wait for each other, one a worker, to run at once");
    by.run(trial, pool, jobs, |_| ())
}

/// [That wait for each other](that_wait_for_each_other), each from a thread
/// of its own, with one worker idle and the others perhaps never needed yet.
fn from_as_many_submitters(trial: &Trial) -> Result {
    let pool = &trial.pool();
    let workers = trial.workers();
    submit(trial, pool, LawJob::new(0))?;
    trial.note("a first job");
    receive(trial, pool)?;
    let gate = &Gate::meeting(workers);
    let go = &Barrier::new(workers);
    thread::scope(|scope| {
        let submitter = |number| {
            let job = LawJob::new(number).pass(gate);
            scope.spawn(move || {
                go.wait();
                submit(trial, pool, job)
            })
        };
        let submitters: Vec<_> = (1..=workers as u64).map(submitter).collect();
        trial.note("jobs of as many submitters as workers, to run at once");
        for _ in 0..workers {
            receive(trial, pool)?;
        }
        submitters.into_iter().try_for_each(|one| trial.join(one).map(drop))
    })
}

/// All workers are blocked, and what had ended before can be read.
fn before_jobs_that_block(
    trial: &Trial,
    pool: AnyPool<'_>,
    by: By,
    lead: u64,
) -> Result {
    let workers = trial.workers();
    let gate = Gate::closed();
    let (ended, read) = (Count::new(), Count::new());
    let blocked = lead..lead + workers as u64;
    let job = |number: u64| match blocked.contains(&number) {
        true => LawJob::new(number).pass(&gate),
        false => {
            let ended = ended.clone();
            LawJob::new(number).then(move || {
                ended.add();
            })
        }
    };
    let jobs = (0..blocked.end + AFTER).map(job).collect();
    trial.note("a job that blocks for each worker to start");
    thread::scope(|scope| {
        scope.spawn(|| {
            gate.wait_for(workers);
            trial.note(
                "the completions of all jobs that had ended \
                 when the workers came to jobs that block",
            );
            read.wait_for(ended.get());
            gate.open();
        });
        by.run(trial, pool, jobs, |_| {
            read.add();
        })
    })
}

/// All workers but one are blocked, and each job that is submitted then runs,
/// also by itself.
fn one_by_one_beside_jobs_that_block(
    trial: &Trial,
    pool: AnyPool<'_>,
    by: By,
    _lead: u64,
) -> Result {
    const JOBS: u64 = 10;
    let blocked = trial.workers() - 1;
    let gate = Gate::closed();
    for number in 0..blocked as u64 {
        submit(trial, pool, LawJob::new(number).pass(&gate))?;
    }
    trial.note("a job that blocks for each worker but one to start");
    gate.wait_for(blocked);
    for number in 0..JOBS {
        trial.note("a single job, while all workers but one are blocked");
        by.run(trial, pool, vec![LawJob::new(number)], |_| ())?;
    }
    gate.open();
    trial.note("the completions of jobs that were blocked");
    for _ in 0..blocked {
        receive(trial, pool)?;
    }
    Ok(())
}

/// How jobs come to a pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Submit,
    SubmitAll,
    SubmitSome,
    RunAll,
}

impl By {
    const ALL: [Self; 4] =
        [Self::Submit, Self::SubmitAll, Self::SubmitSome, Self::RunAll];

    /// Submits jobs, and reads the completions meanwhile: of as many jobs.
    fn run(
        self,
        trial: &Trial,
        pool: AnyPool<'_>,
        jobs: Vec<LawJob>,
        mut sink: impl FnMut(Completion<LawJob>),
    ) -> Result {
        let count = jobs.len() as u64;
        if self == Self::RunAll {
            let ran = pool.run_all(jobs, sink);
            ensure!(
                trial,
                matches!(ran, Ok(ran) if ran == count),
                "run_all of {count} jobs said {ran:?}"
            );
            return Ok(());
        }
        thread::scope(|scope| {
            let submitter =
                scope.spawn(move || self.submit(trial, pool, jobs));
            for _ in 0..count {
                sink(receive(trial, pool)?);
            }
            trial.join(submitter)
        })
    }

    fn submit(
        self,
        trial: &Trial,
        pool: AnyPool<'_>,
        jobs: Vec<LawJob>,
    ) -> Result {
        if self == Self::SubmitAll {
            let submitted = pool.submit_all(&mut jobs.into_iter());
            let all = submitted.is_ok();
            ensure!(trial, all, "an open pool refused a batch");
            return Ok(());
        }
        let mut jobs = VecDeque::from(jobs);
        loop {
            if self == Self::SubmitSome {
                let some = pool.try_submit_some(&mut jobs);
                let closed = matches!(some, Err(TrySubmitError::Closed(())));
                ensure!(trial, !closed, "an open pool refused a batch");
            }
            let Some(job) = jobs.pop_front() else { return Ok(()) };
            submit(trial, pool, job)?;
        }
    }
}
