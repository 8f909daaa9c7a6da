//! Jobs that are handed over together, by `try_submit_some` and by a
//! submitter that holds them back: of law 18.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Instant;

use manyhands_core::{
    JobId, SubmitAllError, Submitter, TrySubmitError, WorkerPool,
    WorkerPoolExt,
};

use super::ledger::{Ends, Ledger};
use super::moves::{AnyPool, Way, at_once, counts, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::trial::{Pool, Result, Trial, ensure};

pub(super) fn handed_over_together(trial: &Trial) -> Result {
    ids_in_a_row(trial)?;
    as_many_as_have_a_place(trial)?;
    held_by_a_submitter(trial)?;
    held_while_unwinding(trial)?;
    held_beside_idle_workers(trial)?;
    held_when_closed(trial)
}

/// They are accepted from the front, and have the ids that were said.
fn ids_in_a_row(trial: &Trial) -> Result {
    const JOBS: u64 = 100;
    let pool = trial.pool();
    let none = pool.try_submit_some(&mut VecDeque::new());
    let none_said = matches!(&none, Ok(ids) if ids.start == ids.end);
    ensure!(trial, none_said, "try_submit_some of no jobs said {none:?}");
    let ledger = Ledger::new(JOBS as usize);
    let mut jobs = (0..JOBS).map(|number| ledger.job(number)).collect();
    let mut received = Vec::new();
    let mut owed = 0;
    trial.note("jobs to be accepted together");
    while let Some(accepted) = some(trial, &pool, &ledger, &mut jobs)? {
        owed += accepted;
        if jobs.is_empty() {
            break;
        }
        // There is a place for the next when these were read.
        received.extend(Way::Batches.receive(trial, &pool, owed)?);
        owed = 0;
    }
    ensure!(
        trial,
        jobs.is_empty(),
        "Full was said to jobs together with every completion received"
    );
    pool.close();
    trial.note("the completions of jobs that were accepted together");
    received.extend(Way::Batches.drain(trial, &pool));
    ledger.settle(trial, received).map(drop)
}

/// They fill a pool to its bound and do not pass it, wait for nothing, and
/// what has no place is still there; also when the pool is closed.
fn as_many_as_have_a_place(trial: &Trial) -> Result {
    const MORE: usize = 5;
    let pool = trial.pool();
    let bound = pool.bound().get();
    let ledger = Ledger::new(bound + MORE);
    let gate = Gate::closed();
    let job = |number: usize| ledger.job(number as u64).pass(&gate);
    let mut jobs = (0..bound + MORE).map(job).collect();
    let mut accepted = 0;
    trial.note("jobs that fill the pool together");
    while let Some(more) = some(trial, &pool, &ledger, &mut jobs)? {
        accepted += more;
        ensure!(
            trial,
            accepted <= bound,
            "{accepted} jobs were accepted together with a bound of {bound}"
        );
    }
    ensure!(
        trial,
        accepted == bound,
        "Full was said to jobs together with {accepted} unfinished \
         and a bound of {bound}"
    );
    counts(trial, &pool, bound)?;
    at_once(trial, "try_submit_some to a full pool", || {
        let since = Instant::now();
        let accepted = some(trial, &pool, &ledger, &mut jobs)?;
        let took = since.elapsed();
        ensure!(trial, accepted.is_none(), "a full pool took {accepted:?}");
        Ok(took)
    })?;

    // One place becomes free.
    trial.note("as many jobs of those to start as there are workers");
    gate.wait_for(trial.workers());
    gate.admit(1);
    trial.note("the completion of one of them");
    let mut received = vec![receive(trial, &pool)?];
    let accepted = some(trial, &pool, &ledger, &mut jobs)?;
    ensure!(
        trial,
        accepted == Some(1),
        "with one place free, try_submit_some took {accepted:?}"
    );
    let accepted = some(trial, &pool, &ledger, &mut jobs)?;
    ensure!(
        trial,
        accepted.is_none(),
        "with no place free, try_submit_some took {accepted:?}"
    );

    pool.close();
    let before = numbers(&jobs);
    let said = pool.try_submit_some(&mut jobs);
    let after = numbers(&jobs);
    let closed_said = matches!(said, Err(TrySubmitError::Closed(())));
    ensure!(
        trial,
        closed_said && before == after,
        "a closed pool said {said:?} to jobs {before:?}, and left {after:?}"
    );
    drop(jobs);
    gate.open();
    trial.note("the completions of jobs that filled the pool together");
    received.extend(Way::Batches.drain(trial, &pool));
    ledger.settle(trial, received).map(drop)
}

/// A submitter holds a few jobs while no worker is idle, and hands over all.
fn held_by_a_submitter(trial: &Trial) -> Result {
    let (pool, ledger, gate, places) = busy(trial)?;
    let first = trial.workers() as u64;
    let mut submitter = pool.submitter();
    trial.note("a submitter, with a place for each of its jobs");
    for number in first..first + places {
        give(trial, &mut submitter, &ledger, number)?;
    }
    let flushed = submitter.flush();
    ensure!(
        trial,
        flushed.is_ok() && submitter.held() == 0,
        "flush of a submitter said {flushed:?} and left {} jobs",
        submitter.held()
    );
    drop(submitter);
    counts(trial, &pool, pool.bound().get())?;
    gate.admit(1);
    trial.note("the completion of one job");
    let mut received = vec![receive(trial, &pool)?];
    // The last one is handed over by the drop.
    let mut submitter = pool.submitter();
    give(trial, &mut submitter, &ledger, first + places)?;
    drop(submitter);
    gate.open();
    pool.close();
    trial.note("the completions of jobs that a submitter was given");
    received.extend(Way::Batches.drain(trial, &pool));
    let ends = ledger.settle(trial, received)?;
    let jobs = ledger.accepted();
    ensure!(trial, ends == Ends::done(jobs), "{jobs} jobs ended as {ends:?}");
    Ok(())
}

/// What a submitter holds when a panic comes by is dropped, and the rest
/// runs.
fn held_while_unwinding(trial: &Trial) -> Result {
    let (pool, ledger, gate, places) = busy(trial)?;
    let first = trial.workers() as u64;
    let mut held = 0;
    trial.note("a panic that comes by a submitter");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut submitter = pool.submitter();
        for number in first..first + places {
            // Accepted, as far as it is not held.
            if let Err(stop) = give(trial, &mut submitter, &ledger, number) {
                return stop;
            }
        }
        held = submitter.held() as u64;
        resume_unwind(Box::new("a panic that comes by"))
    }));
    if let Ok(stop) = unwound {
        return Err(stop);
    }
    for number in first + places - held..first + places {
        ledger.forget(number);
        ensure!(
            trial,
            ledger.kept_drops(number) == 1,
            "what a submitter held while unwinding was not dropped"
        );
    }
    gate.open();
    pool.close();
    trial.note("the completions of jobs that a submitter was given");
    ledger.settle(trial, Way::Batches.drain(trial, &pool)).map(drop)
}

/// No job is held while a worker has nothing to do.
fn held_beside_idle_workers(trial: &Trial) -> Result {
    let pool = trial.pool();
    let mut submitter = pool.submitter();
    for number in 0..trial.many(20, 10_000) {
        trial.goes_on();
        trial.note("an idle pool to say that it is hungry");
        while !pool.is_hungry() {
            thread::yield_now();
        }
        trial.note("a job that a submitter was given while workers idled");
        let given = submitter.submit(LawJob::new(number));
        ensure!(trial, given.is_ok(), "an open pool refused job {number}");
        receive(trial, &pool)?;
    }
    Ok(())
}

/// What a submitter holds when the pool is closed comes back, in its order.
fn held_when_closed(trial: &Trial) -> Result {
    const JOBS: u64 = 10;
    let pool = trial.pool();
    pool.close();
    let mut submitter = pool.submitter();
    let mut back = Vec::new();
    let mut refuse = |said: Result<u64, SubmitAllError<LawJob>>| match said {
        Err(error) => {
            back.extend(error.refused.iter().map(LawJob::number));
            error.accepted
        }
        Ok(accepted) => accepted,
    };
    let mut accepted = 0;
    for number in 0..JOBS {
        let said = submitter.submit(LawJob::new(number));
        accepted += refuse(said.map(|()| 0));
    }
    accepted += refuse(submitter.flush());
    ensure!(
        trial,
        accepted == 0 && back.iter().copied().eq(0..JOBS),
        "of {JOBS} jobs for a closed pool, a submitter said that {accepted} \
         were accepted, and gave back {back:?}"
    );
    Ok(())
}

/// A pool whose workers are all held at a gate, by the first jobs of the
/// ledger, and how many more it has places for; one more after the first was
/// let go.
fn busy(trial: &Trial) -> Result<(Pool, Ledger, Gate, u64)> {
    let pool = trial.pool();
    let bound = pool.bound().get();
    let ledger = Ledger::new(bound + 1);
    let gate = Gate::closed();
    let workers = trial.workers();
    for number in 0..workers as u64 {
        let job = ledger.job(number).pass(&gate);
        ledger.accept(number, Some(submit(trial, &pool, job)?));
    }
    trial.note("as many jobs to start as there are workers");
    gate.wait_for(workers);
    Ok((pool, ledger, gate, (bound - workers) as u64))
}

/// Gives a submitter a job for which there is a place.
fn give(
    trial: &Trial,
    submitter: &mut Submitter<'_, LawJob, Pool>,
    ledger: &Ledger,
    number: u64,
) -> Result {
    const MOST: usize = 64;
    ledger.accept(number, None);
    let given = submitter.submit(ledger.job(number));
    ensure!(trial, given.is_ok(), "an open pool refused job {number}");
    let held = submitter.held();
    ensure!(trial, held < MOST, "a submitter held {held} jobs");
    Ok(())
}

/// Hands over some of the jobs to an open pool: how many; `None` if it says
/// Full.
fn some(
    trial: &Trial,
    pool: AnyPool<'_>,
    ledger: &Ledger,
    jobs: &mut VecDeque<LawJob>,
) -> Result<Option<usize>> {
    let before = numbers(jobs);
    let said = pool.try_submit_some(jobs);
    let after = numbers(jobs);
    let accepted = match &said {
        Ok(ids) => ids.end.get().saturating_sub(ids.start.get()),
        Err(_) => 0,
    };
    let left = before.iter().skip(accepted as usize);
    ensure!(
        trial,
        left.eq(&after) && (accepted > 0 || said.is_err()),
        "try_submit_some of jobs {before:?} said {said:?} and left {after:?}"
    );
    match said {
        Ok(ids) => {
            for (number, id) in before.into_iter().zip(ids.start.get()..) {
                if id < ids.end.get() {
                    ledger.accept(number, Some(JobId::new(id)));
                }
            }
            Ok(Some(accepted as usize))
        }
        Err(TrySubmitError::Full(())) => Ok(None),
        Err(TrySubmitError::Closed(())) => {
            Err(trial.fail("an open pool refused jobs together"))
        }
    }
}

fn numbers(jobs: &VecDeque<LawJob>) -> Vec<u64> {
    jobs.iter().map(LawJob::number).collect()
}
