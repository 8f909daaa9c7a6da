//! What a pool claims beyond the laws, and what it does not claim.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use manyhands_core::{Outcome, TrySubmitError};

use super::drops::{more_threads, returns};
use super::ledger::{Ends, Ledger};
use super::moves::{AnyPool, Way, fill, meet, receive, same, submit};
use super::{EVERY, FEW, LONG};
use crate::gate::Gate;
use crate::latch::Lobby;
use crate::trial::{Plan, Result, Trial, ensure};
use crate::{Claim, LawJob, os};

/// On which sizes a claim is tried, and how; or how its absence is. `None`
/// where that does not show: a pool may start its jobs in order by chance.
pub(crate) fn plan(claim: Claim, claimed: bool) -> Option<Plan> {
    let (sizes, body): (_, fn(&Trial) -> Result) = match (claim, claimed) {
        (Claim::InOrder, true) => (EVERY, starts_in_order),
        (Claim::InOrder, false) => return None,
        (Claim::NoQueue, true) => (EVERY, has_no_queue),
        (Claim::NoQueue, false) => (EVERY, has_a_queue),
        (Claim::ThreadPerJob, true) => (FEW, thread_per_job),
        (Claim::ThreadPerJob, false) => (FEW, threads_stay),
        (Claim::StopsOnError, true) => (EVERY, stops_on_error),
        (Claim::StopsOnError, false) => (EVERY, goes_on_after_errors),
    };
    let plan = Plan::new(sizes, LONG, body);
    Some(match claim {
        Claim::ThreadPerJob => plan.alone(),
        _ => plan,
    })
}

/// The order in which jobs started.
#[derive(Clone, Default)]
struct Starts {
    numbers: Arc<Mutex<Vec<u64>>>,
}

impl Starts {
    /// A job that notes its start.
    fn job(&self, number: u64) -> LawJob {
        let starts = self.clone();
        LawJob::new(number).then(move || starts.list().push(number))
    }

    fn list(&self) -> MutexGuard<'_, Vec<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn starts_in_order(trial: &Trial) -> Result {
    for way in [Way::OneByOne, Way::Batches, Way::Together] {
        in_order_of_one_submitter(trial, way)?;
    }
    for _ in 0..trial.many(1, 500) {
        in_order_of_several_submitters(trial)?;
    }
    Ok(())
}

/// All workers are held at a gate, and let on one at a time: whoever starts
/// next is then the only one who may.
fn in_order_of_one_submitter(trial: &Trial, way: Way) -> Result {
    let pool = trial.pool();
    let bound = pool.bound().get();
    let more = trial.many(20, 5_000);
    let gate = Gate::closed();
    let starts = Starts::default();
    let job = |number: usize| starts.job(number as u64).pass(&gate);
    let submit_some = |first: usize, count| {
        trial.note("a place for each of a few jobs");
        for job in (first..first + count).map(job) {
            if way.offer(&pool, job).is_err() {
                return Err(trial.fail("an open pool refused a job"));
            }
        }
        Ok(())
    };
    match way {
        Way::OneByOne => submit_some(0, bound)?,
        Way::Batches => {
            trial.note("a batch that fits to be accepted");
            let batch = pool.submit_all(&mut (0..bound).map(job));
            ensure!(trial, batch.is_ok(), "an open pool refused a batch");
        }
        Way::Together => {
            let mut jobs = (0..bound).map(job).collect();
            trial.note("jobs that fit together to be accepted");
            while pool
                .try_submit_some(&mut jobs)
                .is_ok_and(|_| !jobs.is_empty())
            {}
            ensure!(trial, jobs.is_empty(), "an open pool refused some");
        }
    }
    let workers = trial.workers();
    for step in 0..more {
        trial.note("as many jobs to start as there are workers");
        gate.wait_for(workers + step);
        gate.admit(1);
        trial.note("a job that may go on");
        receive(trial, &pool)?;
        submit_some(bound + step, 1)?;
    }
    gate.wait_for(workers + more);
    gate.open();
    pool.close();
    trial.note("the end of the completions");
    while pool.recv().is_some() {}
    let ids = BTreeMap::new();
    in_order(trial, &starts.list()[..workers + more], &ids)
}

/// Several submit at once, while all workers are held at a gate.
fn in_order_of_several_submitters(trial: &Trial) -> Result {
    const SUBMITTERS: usize = 3;
    let pool = trial.pool();
    let pool = &pool;
    let (workers, bound) = (trial.workers(), pool.bound().get());
    let each = (bound - workers) / SUBMITTERS;
    let gate = Gate::closed();
    let starts = Starts::default();
    let mut ids = BTreeMap::new();
    trial.note("a job for each worker");
    for number in 0..workers as u64 {
        let job = starts.job(number).pass(&gate);
        ids.insert(number, submit(trial, pool, job)?.get());
    }
    trial.note("as many jobs to start as there are workers");
    gate.wait_for(workers);
    trial.note("places for the jobs of several submitters");
    thread::scope(|scope| {
        let (gate, starts) = (&gate, &starts);
        let submitter = |who| {
            let first = workers + who * each;
            scope.spawn(move || {
                let mut ids = Vec::new();
                for number in (first..first + each).map(|it| it as u64) {
                    let job = starts.job(number).pass(gate);
                    ids.push((number, submit(trial, pool, job)?.get()));
                }
                Ok(ids)
            })
        };
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        for thread in submitters {
            ids.extend(trial.join(thread)?);
        }
        Ok(())
    })?;
    for step in 1..=SUBMITTERS * each {
        gate.admit(1);
        trial.note("the next job to start");
        gate.wait_for(workers + step);
    }
    gate.open();
    pool.close();
    trial.note("the end of the completions");
    while pool.recv().is_some() {}
    in_order(trial, &starts.list(), &ids)
}

/// Compares the order of starts with that of ids, which are the numbers of
/// the jobs unless they stand in `ids`. Those that started together, the
/// first, one for each worker, may have done so in any order.
fn in_order(
    trial: &Trial,
    starts: &[u64],
    ids: &BTreeMap<u64, u64>,
) -> Result {
    let id = |number: &u64| ids.get(number).copied().unwrap_or(*number);
    let mut started: Vec<u64> = starts.iter().map(id).collect();
    let together = trial.workers().min(started.len());
    started[..together].sort_unstable();
    let wrong = started.iter().enumerate().find(|&(at, &id)| id != at as u64);
    if let Some((at, id)) = wrong {
        return Err(trial.fail(format_args!(
            "with one to start at a time, job {id} started in place of \
             job {at}"
        )));
    }
    Ok(())
}

fn has_no_queue(trial: &Trial) -> Result {
    let pool = trial.pool();
    let (workers, bound) = (pool.workers(), pool.bound());
    ensure!(
        trial,
        workers == bound,
        "claimed to have no queue, it has {workers} workers and a bound of \
         {bound}"
    );
    Ok(())
}

fn has_a_queue(trial: &Trial) -> Result {
    let (bound, made) = (trial.pool().bound(), trial.config().bound());
    ensure!(
        trial,
        bound == made,
        "not claimed to have no queue, it has a bound of {bound} in place \
         of {made}"
    );
    Ok(())
}

/// On how many threads jobs ran that ran one after the other.
fn threads_used(
    trial: &Trial,
    pool: AnyPool<'_>,
    jobs: usize,
) -> Result<usize> {
    let threads = Arc::new(Mutex::new(HashSet::new()));
    for number in 0..jobs as u64 {
        let threads = Arc::clone(&threads);
        let job = LawJob::new(number).then(move || {
            // Unlike the system, the standard library gives no id twice.
            let thread = thread::current().id();
            let threads = threads.lock();
            threads.unwrap_or_else(PoisonError::into_inner).insert(thread);
        });
        submit(trial, pool, job)?;
        trial.note("a job that looks at its thread");
        receive(trial, pool)?;
    }
    let used = threads.lock().unwrap_or_else(PoisonError::into_inner).len();
    Ok(used)
}

fn thread_per_job(trial: &Trial) -> Result {
    let jobs = trial.many(20, 2_000);
    let pool = trial.pool();
    let threads = threads_used(trial, &pool, jobs)?;
    ensure!(
        trial,
        threads == jobs,
        "claimed to start a thread a job, it ran {jobs} jobs on {threads} \
         threads"
    );
    drop(pool);
    // Made within, so that what a pool keeps while it is idle counts.
    let mut kept = Vec::new();
    returns(
        trial,
        os::threads,
        |now, before| {
            more_threads(now, before).map(|_| {
                "claimed to have no thread when idle, it has some".into()
            })
        },
        || {
            let pool = trial.pool();
            meet(trial, &pool, 3)?;
            kept.push(pool);
            Ok(())
        },
    )
}

fn threads_stay(trial: &Trial) -> Result {
    let jobs = trial.many(60, 2_000);
    let threads = threads_used(trial, &trial.pool(), jobs)?;
    ensure!(
        trial,
        threads < jobs,
        "not claimed to start a thread a job, it ran {jobs} jobs on \
         {threads} threads"
    );
    Ok(())
}

/// One of the running jobs answers `Err`, while others run, wait in the
/// queue, and wait for a place.
fn stops_on_error(trial: &Trial) -> Result {
    const SUBMITTERS: usize = 2;
    let workers = trial.workers();
    for _ in 0..trial.many(5, 500) {
        let pool = trial.pool();
        let pool = &pool;
        let bound = pool.bound().get();
        let ledger = Ledger::new(bound + SUBMITTERS);
        let (fails, gate) = (Gate::closed(), Gate::closed());
        trial.note("places for as many jobs as bound() says");
        for number in 0..bound as u64 {
            let job = match number {
                0 => ledger.job(0).pass(&fails).fail(),
                _ => ledger.job(number).pass(&gate),
            };
            ledger.accept(number, Some(submit(trial, pool, job)?));
            if number == 0 {
                trial.note("the job that will fail to start");
                fails.wait_for(1);
            }
        }
        trial.note("as many jobs to start as there are workers");
        gate.wait_for(workers - 1);
        let lobby = Lobby::new();
        let received = thread::scope(|scope| {
            let (ledger, lobby) = (&ledger, &lobby);
            let submitter = |number: usize| {
                scope.spawn(move || {
                    let number = number as u64;
                    lobby.enter();
                    match pool.submit(ledger.job(number)) {
                        Ok(_) => Err(trial.fail(
                            "claimed to stop at an error, it accepted the \
                             job of a submitter that was waiting",
                        )),
                        Err(closed) => same(trial, &closed.0, number),
                    }
                })
            };
            let waiting: Vec<_> =
                (bound..bound + SUBMITTERS).map(submitter).collect();
            lobby.wait_for(SUBMITTERS);
            fails.open();
            trial.note("the completion of a job that fails");
            let failed = receive(trial, pool)?;
            let tried = pool.try_submit(LawJob::new(0));
            ensure!(
                trial,
                matches!(tried, Err(TrySubmitError::Closed(_))),
                "claimed to stop at an error, it said {tried:?} to a job \
                 that came after one"
            );
            trial.note("submitters that were waiting when a job failed");
            waiting.into_iter().try_for_each(|thread| trial.join(thread))?;
            gate.open();
            trial.note("the completions after an error");
            let mut received = Way::OneByOne.drain(trial, pool);
            received.push(failed);
            Ok(received)
        })?;
        let ends = ledger.settle(trial, received)?;
        let expected = Ends {
            done: workers - 1,
            failed: 1,
            cancelled: bound - workers,
            ..Ends::default()
        };
        ensure!(
            trial,
            ends == expected,
            "claimed to stop at an error, with 1 failed, {} running and {} \
             waiting its jobs ended as {ends:?}",
            workers - 1,
            bound - workers
        );
    }
    Ok(())
}

/// An `Err` is an answer like any other.
fn goes_on_after_errors(trial: &Trial) -> Result {
    let jobs = trial.many(50, 20_000);
    let pool = trial.pool();
    trial.note("a job that fails");
    submit(trial, &pool, LawJob::new(0).fail())?;
    let failed = receive(trial, &pool)?.outcome;
    ensure!(
        trial,
        matches!(failed, Outcome::Done(Err(_))),
        "a job that answered Err ended as {failed:?}"
    );
    let pool = trial.pool();
    let ledger = Ledger::new(jobs);
    let fails = |number| number % 3 == 0;
    for number in 0..jobs as u64 {
        let job = ledger.job(number);
        let job = if fails(number) { job.fail() } else { job };
        trial.note("a place, after jobs that failed");
        let Ok(id) = pool.submit(job) else {
            return Err(trial.fail(
                "not claimed to stop at an error, it refused a job after one",
            ));
        };
        ledger.accept(number, Some(id));
    }
    pool.close();
    trial.note("the completions of jobs of which some fail");
    let ends = ledger.settle(trial, Way::OneByOne.drain(trial, &pool))?;
    let failed = (0..jobs as u64).filter(|&number| fails(number)).count();
    let expected = Ends { done: jobs - failed, failed, ..Ends::default() };
    ensure!(
        trial,
        ends == expected,
        "not claimed to stop at an error, with {failed} of {jobs} failing \
         its jobs ended as {ends:?}"
    );
    // With the error while others wait.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;
    gate.admit(1);
    trial.note("a job that may go on");
    let mut received = vec![receive(trial, &pool)?];
    submit(trial, &pool, LawJob::new(0).fail())?;
    gate.open();
    pool.close();
    received.extend(Way::OneByOne.drain(trial, &pool));
    let done = received.iter().filter(|one| one.outcome.is_done()).count();
    ensure!(
        trial,
        done == accepted + 1,
        "of {} jobs of which one failed, {done} ran",
        accepted + 1
    );
    Ok(())
}
