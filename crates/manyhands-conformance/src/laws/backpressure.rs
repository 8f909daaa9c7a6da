//! Backpressure: laws 6, 8 and 17.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use manyhands_core::{TrySubmitError, WorkerPool};

use super::ledger::{Ends, Ledger};
use super::moves::{AnyPool, Way, at_once, counts, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::{Count, Lobby, never};
use crate::trial::{Result, Trial, ensure};

/// Law 6.
pub(super) fn submit_all_then_read(trial: &Trial, way: Way) -> Result {
    let pool = trial.pool();
    // Far beyond any buffer of the pools on trial, and with room for so many
    // that one in ten thousand shows.
    let usual = if pool.bound().get() > 64 { 20_000 } else { 5_000 };
    let many = trial.many(usual, 100_000);
    let ledger = Ledger::new(many);
    let jobs = (0..many as u64).map(|number| ledger.job(number));
    trial.note("a place for each job, with no completion read");
    way.submit(trial, &pool, &ledger, jobs)?;
    pool.close();
    trial.note("the completions, all read at the end");
    let ends = ledger.settle(trial, way.drain(trial, &pool))?;
    ensure!(trial, ends == Ends::done(many), "{many} jobs ended as {ends:?}");
    Ok(())
}

/// Law 8.
pub(super) fn exact_bound(trial: &Trial) -> Result {
    let pool = trial.pool();
    let (workers, bound) = (pool.workers().get(), pool.bound().get());
    ensure!(
        trial,
        bound >= workers,
        "{workers} workers can never be busy with a bound of {bound}"
    );
    reached_and_held(trial, &pool)?;
    reached_by_many(trial)?;
    let waits = trial.pool();
    waits_for_a_place(trial, &waits)?;
    drop(waits);
    never_passed(trial)?;
    held_for_own_jobs(trial)
}

/// One thread takes all the places of a pool that has just started, and each
/// place that becomes free after that.
fn reached_and_held(trial: &Trial, pool: AnyPool<'_>) -> Result {
    let steps = trial.many(20, 2_000);
    let bound = pool.bound().get();
    let gate = Gate::closed();
    let job = || LawJob::new(0).pass(&gate);
    trial.note("try_submit, which must not wait");
    let mut accepted = 0;
    counts(trial, pool, accepted)?;
    while let Ok(id) = pool.try_submit(job()) {
        accepted += 1;
        counts(trial, pool, accepted)?;
        ensure!(
            trial,
            accepted <= bound,
            "{id} was accepted with {bound} unfinished and a bound of {bound}"
        );
    }
    ensure!(
        trial,
        accepted == bound,
        "Full was said with {accepted} unfinished and a bound of {bound}"
    );
    at_once(trial, "try_submit to a full pool", || {
        let since = Instant::now();
        let refused = pool.try_submit(job());
        let took = since.elapsed();
        ensure!(
            trial,
            refused.is_err_and(|error| error.is_full()),
            "a job was accepted with {bound} unfinished \
             and a bound of {bound}"
        );
        Ok(took)
    })?;
    for _ in 0..steps {
        trial.note("a job that may go on");
        gate.admit(1);
        receive(trial, pool)?;
        counts(trial, pool, bound - 1)?;
        trial.note("try_submit, which must not wait");
        ensure!(
            trial,
            pool.try_submit(job()).is_ok(),
            "Full was said with {} unfinished and a bound of {bound}",
            bound - 1
        );
        ensure!(
            trial,
            pool.try_submit(job()).is_err_and(|error| error.is_full()),
            "a job was accepted with {bound} unfinished \
             and a bound of {bound}"
        );
    }
    Ok(())
}

/// Many threads at once take all the places there are, and no more; and none
/// is told Full because of another that tries.
fn reached_by_many(trial: &Trial) -> Result {
    const SUBMITTERS: usize = 6;
    for _ in 0..trial.many(5, 100) {
        let pool = trial.pool();
        let pool = &pool;
        let bound = pool.bound().get();
        let gate = Gate::closed();
        let gate = &gate;
        let start = Barrier::new(SUBMITTERS);
        // How many were accepted or are being tried.
        let offered = AtomicUsize::new(0);
        trial.note("try_submit on many threads, which must not wait");
        let accepted = thread::scope(|scope| {
            let (start, offered) = (&start, &offered);
            let submitter = |_| {
                scope.spawn(move || {
                    start.wait();
                    let mut accepted = 0;
                    loop {
                        offered.fetch_add(1, Ordering::SeqCst);
                        let job = LawJob::new(0).pass(gate);
                        if accepted > bound || pool.try_submit(job).is_err() {
                            break;
                        }
                        accepted += 1;
                    }
                    // None was taken back that was accepted, so a pool that
                    // was full still is.
                    let others = offered.fetch_sub(1, Ordering::SeqCst) - 1;
                    ensure!(
                        trial,
                        others >= bound,
                        "Full was said to one of several threads with \
                         {others} unfinished or on their way and a bound of \
                         {bound}"
                    );
                    Ok(accepted)
                })
            };
            let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
            submitters
                .into_iter()
                .map(|thread| trial.join(thread))
                .sum::<Result<usize>>()
        })?;
        ensure!(
            trial,
            accepted == bound,
            "{SUBMITTERS} threads had {accepted} jobs accepted and \
             unfinished, with a bound of {bound}"
        );
    }
    Ok(())
}

/// With jobs that end at their own pace.
fn never_passed(trial: &Trial) -> Result {
    const SUBMITTERS: u64 = 4;
    let many = trial.many(100, 25_000);
    let pool = trial.pool();
    let pool = &pool;
    let bound = pool.bound().get();
    let accepted = AtomicUsize::new(0);
    let ended = Arc::new(AtomicUsize::new(0));
    trial.note("places for jobs that end by themselves");
    thread::scope(|scope| {
        let submitter = |_| {
            let (accepted, ended) = (&accepted, &ended);
            scope.spawn(move || {
                for number in 0..many {
                    let ends = Arc::clone(ended);
                    let job = LawJob::new(number).then(move || {
                        ends.fetch_add(1, Ordering::SeqCst);
                    });
                    submit(trial, pool, job)?;
                    // Counted after the pool did, and the ends before it
                    // did, so never more than there are.
                    let accepted = accepted.fetch_add(1, Ordering::SeqCst) + 1;
                    let ended = ended.load(Ordering::SeqCst);
                    let unfinished = accepted.saturating_sub(ended);
                    ensure!(
                        trial,
                        unfinished <= bound,
                        "{unfinished} jobs were unfinished \
                         with a bound of {bound}"
                    );
                }
                Ok(())
            })
        };
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        submitters.into_iter().try_for_each(|thread| trial.join(thread))
    })
}

/// A job of the pool has no place beyond the bound either, and if it only
/// tries, it does not wait.
fn held_for_own_jobs(trial: &Trial) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    let bound = pool.bound().get();
    let gate = Gate::closed();
    let refused = Arc::new(AtomicUsize::new(0));
    trial.note("places for as many jobs as bound() says");
    for number in 0..bound as u64 {
        let (refused, weak) = (Arc::clone(&refused), Arc::downgrade(&pool));
        let job = LawJob::new(number).pass(&gate).then(move || {
            let Some(pool) = weak.upgrade() else { return };
            let tried = pool.try_submit(LawJob::new(0));
            let full = tried.is_err_and(|error| error.is_full());
            refused.fetch_add(usize::from(full), Ordering::SeqCst);
        });
        submit(trial, &pool, job)?;
    }
    // One of them, with all others unfinished.
    gate.admit(1);
    trial.note("a job that tries to submit one to its own full pool");
    receive(trial, &pool)?;
    ensure!(
        trial,
        refused.load(Ordering::SeqCst) == 1,
        "a job of the pool had one accepted with {bound} unfinished and a \
         bound of {bound}"
    );
    gate.open();
    trial.note("jobs that submit to their own pool to end");
    for _ in 1..bound {
        receive(trial, &pool)?;
    }
    Ok(())
}

/// Submitters wait at the bound, and each place that becomes free lets one
/// of them through.
fn waits_for_a_place(trial: &Trial, pool: AnyPool<'_>) -> Result {
    const SUBMITTERS: usize = 3;
    let many = trial.many(6, 1_000);
    let bound = pool.bound().get();
    let gate = Gate::closed();
    trial.note("places for as many jobs as bound() says");
    for _ in 0..bound {
        submit(trial, pool, LawJob::new(0).pass(&gate))?;
    }
    let freed = AtomicUsize::new(0);
    let entered = Count::new();
    let lobby = Lobby::new();
    thread::scope(|scope| {
        let submitter = |_| {
            let (freed, entered) = (&freed, &entered);
            let (gate, lobby) = (&gate, &lobby);
            scope.spawn(move || {
                lobby.enter();
                for _ in 0..many {
                    submit(trial, pool, LawJob::new(0).pass(gate))?;
                    let entered = entered.add();
                    let freed = freed.load(Ordering::SeqCst);
                    ensure!(
                        trial,
                        entered <= freed,
                        "submit did not wait for a place: {} jobs were \
                         unfinished with a bound of {bound}",
                        bound + entered - freed
                    );
                }
                Ok(())
            })
        };
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        trial.note("submitters to find the pool full");
        lobby.wait_for(SUBMITTERS);
        trial.note("try_submit beside submitters that wait");
        let refused = pool.try_submit(LawJob::new(0));
        ensure!(
            trial,
            refused.is_err_and(|error| error.is_full()),
            "a job was accepted with {bound} unfinished and a bound of {bound}"
        );
        for step in 1..=SUBMITTERS * many {
            freed.store(step, Ordering::SeqCst);
            gate.admit(1);
            trial.note("a submitter to get the place that became free");
            entered.wait_for(step);
            // All of them were waiting for the first one.
            ensure!(
                trial,
                step > 1 || never(|| entered.get() > 1),
                "submit did not wait for a place: one that became free let \
                 {} submitters in",
                entered.get()
            );
        }
        submitters.into_iter().try_for_each(|thread| trial.join(thread))
    })
}

/// Law 17.
///
/// One thread, which reads only when the pool is full. If it is told so with
/// nothing left to read, it waits for ever. A full pool owes as many
/// completions as its bound at least, which is easier to catch it at.
pub(super) fn full_means_owed(trial: &Trial, way: Way) -> Result {
    let many = trial.many(1_000, 100_000);
    let pool = trial.pool();
    let bound = pool.bound().get();
    let mut owed = 0;
    for number in 0..many {
        let mut job = LawJob::new(number);
        loop {
            trial.note("try_submit, which must not wait");
            match pool.try_submit(job) {
                Ok(_) => break,
                Err(TrySubmitError::Full(back)) => job = back,
                Err(TrySubmitError::Closed(_)) => {
                    return Err(trial.fail("an open pool refused a job"));
                }
            }
            ensure!(
                trial,
                owed >= bound,
                "Full was said with {owed} completions owed and a bound of \
                 {bound}"
            );
            trial.note("a completion that Full promised");
            way.receive(trial, &pool, 1)?;
            owed -= 1;
        }
        owed += 1;
        // Now and then down to nothing.
        if number % 16 == 0 {
            trial.note("every completion that is owed");
            way.receive(trial, &pool, owed)?;
            owed = 0;
        }
    }
    trial.note("every completion that is owed");
    way.receive(trial, &pool, owed).map(drop)
}
