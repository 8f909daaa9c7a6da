//! Batches: law 18.

use std::iter::{empty, repeat_with};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use manyhands_core::{Completion, Outcome, Panic};

use super::ledger::{Ends, Ledger};
use super::moves::{Way, fill, receive, submit};
use super::panics::full_strength;
use super::{backpressure, close, jobs, threads};
use crate::LawJob;
use crate::gate::Gate;
use crate::trial::{Result, Trial, ensure};

/// Law 18, of batches themselves.
pub(super) fn batches_obey(trial: &Trial) -> Result {
    waits_for_one(trial)?;
    slow_iterator(trial)?;
    iterator_that_submits(trial)?;
    iterator_that_closes(trial)?;
    iterator_that_panics(trial)?;
    iterator_without_end(trial)?;
    closed_on_the_way(trial)?;
    several_at_once(trial)?;
    shared_by_all_workers(trial)
}

/// Law 18: the others hold for pools that are used through batches.
pub(super) fn other_laws_through_batches(trial: &Trial) -> Result {
    for way in [Way::Batches, Way::Together] {
        jobs::exactly_one_completion(trial, way)?;
        jobs::writes_visible(trial, way)?;
        close::close_loses_nothing(trial, way)?;
        close::cancel_gives_back(trial, way)?;
        close::waiting_submitter_freed(trial, way)?;
        backpressure::submit_all_then_read(trial, way)?;
        backpressure::full_means_owed(trial, way)?;
        threads::any_threads(trial, way)?;
    }
    Ok(())
}

/// `recv_many` waits for the first completion and for no other, never takes
/// more than it may, and appends.
fn waits_for_one(trial: &Trial) -> Result {
    let pool = trial.pool();
    let none = pool.submit_all(&mut empty());
    let none_said = matches!(none, Ok(0));
    ensure!(trial, none_said, "submit_all of no jobs said {none:?}");
    let ledger = Ledger::new(pool.bound().get());
    let mut into = Vec::new();
    trial.note("recv_many of none, which must not wait");
    let count = pool.recv_many(&mut into, 0);
    ensure!(trial, count == 0, "recv_many of none said {count}");
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;
    for read in 1..=accepted {
        gate.admit(1);
        trial.note("recv_many, which must wait for one completion only");
        let max = if read % 2 == 0 { usize::MAX } else { accepted + 1 };
        let count = pool.recv_many(&mut into, max);
        ensure!(
            trial,
            count == 1 && into.len() == read,
            "recv_many said {count} when 1 was finished, and made {} of {}",
            into.len(),
            read - 1
        );
    }
    ledger.settle(trial, into)?;

    // Never more than `max`.
    let mut total = 0;
    for number in 0..10 {
        submit(trial, &pool, LawJob::new(number))?;
    }
    pool.close();
    trial.note("the end of the completions, three at a time");
    let mut into = Vec::new();
    loop {
        let count = pool.recv_many(&mut into, 3);
        total += count;
        ensure!(
            trial,
            count <= 3 && into.len() == total,
            "recv_many of 3 at most said {count} and made {} of {}",
            into.len(),
            total - count
        );
        if count == 0 {
            break;
        }
    }
    ensure!(trial, total == 10, "10 jobs had {total} completions");
    Ok(())
}

/// What the iterator has yielded does not wait for what it has not: it may
/// read the completion of the one before.
fn slow_iterator(trial: &Trial) -> Result {
    const JOBS: u64 = 20;
    let pool = trial.pool();
    let mut number = 0;
    let mut failed = Ok(());
    let mut jobs = std::iter::from_fn(|| {
        if number > 0 {
            trial
                .note("the completion of a job that the iterator had yielded");
            if let Err(stop) = receive(trial, &pool) {
                failed = Err(stop);
                return None;
            }
        }
        number += 1;
        (number <= JOBS).then(|| LawJob::new(number))
    });
    let submitted = pool.submit_all(&mut jobs);
    failed?;
    ensure!(
        trial,
        matches!(submitted, Ok(JOBS)),
        "submit_all of {JOBS} jobs said {submitted:?}"
    );
    Ok(())
}

fn iterator_that_submits(trial: &Trial) -> Result {
    const JOBS: usize = 10;
    let pool = trial.pool();
    let ledger = Ledger::new(2 * JOBS);
    let mut stop = Ok(());
    let mut jobs = (0..JOBS as u64).map(|number| {
        trial.note("a job that an iterator submits to the same pool");
        let own = number + JOBS as u64;
        match submit(trial, &pool, ledger.job(own)) {
            Ok(id) => ledger.accept(own, Some(id)),
            Err(failed) => stop = Err(failed),
        }
        ledger.accept(number, None);
        ledger.job(number)
    });
    let submitted = pool.submit_all(&mut jobs);
    drop(jobs);
    stop?;
    ensure!(
        trial,
        matches!(submitted, Ok(accepted) if accepted == JOBS as u64),
        "submit_all of {JOBS} jobs said {submitted:?}"
    );
    pool.close();
    trial.note("the completions");
    let ends = ledger.settle(trial, Way::Batches.drain(trial, &pool))?;
    ensure!(
        trial,
        ends == Ends::done(2 * JOBS),
        "{} jobs ended as {ends:?}",
        2 * JOBS
    );
    Ok(())
}

fn iterator_that_closes(trial: &Trial) -> Result {
    const CLOSED_AT: u64 = 5;
    let pool = trial.pool();
    let mut jobs = (0..10).map(|number| {
        if number == CLOSED_AT {
            trial.note("close from within an iterator");
            pool.close();
        }
        LawJob::new(number)
    });
    let submitted = pool.submit_all(&mut jobs);
    let left = jobs.map(|job| job.number());
    let Err(error) = submitted else {
        return Err(trial.fail("submit_all accepted jobs after close"));
    };
    let refused = error.refused.iter().map(LawJob::number);
    // Taken and refused, or not taken: all of them, in their order.
    let back: Vec<u64> = refused.chain(left).collect();
    ensure!(
        trial,
        error.accepted == CLOSED_AT && back.iter().copied().eq(CLOSED_AT..10),
        "closed after 5 of 10 jobs, submit_all said {} were accepted and \
         gave back {back:?}",
        error.accepted
    );
    Ok(())
}

fn iterator_that_panics(trial: &Trial) -> Result {
    const PANICS_AT: usize = 7;
    let pool = trial.pool();
    let ledger = Ledger::new(PANICS_AT);
    let mut jobs = (0..).map(|number| {
        if number == PANICS_AT as u64 {
            resume_unwind(Box::new("the iterator panicked"));
        }
        ledger.accept(number, None);
        ledger.job(number)
    });
    trial.note("the panic of an iterator to come back");
    let thrown = catch_unwind(AssertUnwindSafe(|| pool.submit_all(&mut jobs)));
    drop(jobs);
    let panic = match thrown {
        Ok(submitted) => {
            return Err(trial.fail(format_args!(
                "an iterator panicked, and submit_all said {submitted:?}"
            )));
        }
        Err(payload) => Panic::new(payload),
    };
    ensure!(
        trial,
        panic.message() == "the iterator panicked",
        "an iterator panicked, and submit_all threw {:?}",
        panic.message()
    );
    trial.note("the completions of jobs that were yielded before a panic");
    let received = Way::OneByOne.receive(trial, &pool, PANICS_AT)?;
    ledger.settle(trial, received)?;
    full_strength(trial, &pool, "an iterator that panicked")?;
    pool.close();
    trial.note("the end of the completions");
    ensure!(
        trial,
        pool.recv().is_none(),
        "there were more completions than jobs"
    );
    Ok(())
}

/// Batches of several threads mix, and each keeps its own order.
fn several_at_once(trial: &Trial) -> Result {
    const SUBMITTERS: u64 = 4;
    const JOBS: u64 = 50;
    let pool = trial.pool();
    let pool = &pool;
    let ledger = Ledger::new((SUBMITTERS * JOBS) as usize);
    trial.note("batches of several threads to be accepted");
    thread::scope(|scope| {
        let submitter = |who: u64| {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut batch = (who * JOBS..(who + 1) * JOBS).map(|number| {
                    ledger.accept(number, None);
                    ledger.job(number)
                });
                let submitted = pool.submit_all(&mut batch);
                ensure!(
                    trial,
                    matches!(submitted, Ok(JOBS)),
                    "submit_all of {JOBS} jobs said {submitted:?}"
                );
                Ok(())
            })
        };
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        submitters.into_iter().try_for_each(|thread| trial.join(thread))
    })?;
    pool.close();
    trial.note("the completions of several batches");
    let mut received = Way::Batches.drain(trial, pool);
    received.sort_by_key(|completion| completion.id);
    let mut next: Vec<u64> = (0..SUBMITTERS).map(|who| who * JOBS).collect();
    for Completion { id, outcome } in &received {
        if let Outcome::Done(Ok(answer)) = outcome {
            let number = answer.number();
            let next = &mut next[(number / JOBS) as usize];
            ensure!(
                trial,
                number == *next,
                "{id} of a batch is not in the iterator's order"
            );
            *next += 1;
        }
    }
    ledger.settle(trial, received).map(drop)
}

/// A batch that fits is taken at once, and goes to all workers, most of the
/// times to idle ones; also after jobs so short that a worker might take
/// several.
fn shared_by_all_workers(trial: &Trial) -> Result {
    const JOBS: u64 = 100;
    for _ in 0..trial.many(10, 200) {
        let pool = trial.pool();
        let ledger = Ledger::new(JOBS as usize);
        let short = (0..JOBS).map(|number| ledger.job(number));
        trial.note("short jobs");
        Way::Batches.submit(trial, &pool, &ledger, short)?;
        Way::Batches.receive(trial, &pool, JOBS as usize)?;
        let gate = Gate::closed();
        let fits = pool.bound().get() as u64;
        let mut batch =
            (0..fits).map(|number| LawJob::new(number).pass(&gate));
        trial.note("a batch that fits to be accepted");
        let submitted = pool.submit_all(&mut batch);
        ensure!(
            trial,
            matches!(submitted, Ok(accepted) if accepted == fits),
            "submit_all of {fits} jobs said {submitted:?}"
        );
        trial.note("as many jobs of a batch to start as there are workers");
        gate.wait_for(trial.workers());
    }
    Ok(())
}

/// Says that it is endless, and is until the pool is closed.
fn iterator_without_end(trial: &Trial) -> Result {
    const READ: usize = 50;
    let pool = trial.pool();
    let pool = &pool;
    trial.note("an endless batch to be ended by close");
    let (said, read) = thread::scope(|scope| {
        let submitter = scope.spawn(move || {
            match pool.submit_all(&mut repeat_with(|| LawJob::new(0))) {
                Ok(_) => Err(trial.fail("submit_all ended an endless batch")),
                Err(error) => Ok(error.accepted),
            }
        });
        let first = Way::Batches.receive(trial, pool, READ);
        pool.close();
        let rest = Way::Batches.drain(trial, pool).len();
        let said = trial.join(submitter)?;
        Ok((said, first?.len() + rest))
    })?;
    ensure!(
        trial,
        said == read as u64,
        "submit_all said {said} were accepted, and {read} had completions"
    );
    Ok(())
}

/// A batch waits at the bound, and is closed there.
fn closed_on_the_way(trial: &Trial) -> Result {
    let pool = trial.pool();
    let pool = &pool;
    let bound = pool.bound().get();
    let gate = Gate::closed();
    let jobs = bound as u64 + 5;
    let error = thread::scope(|scope| {
        let gate = &gate;
        let submitter = scope.spawn(move || {
            let mut batch =
                (0..jobs).map(|number| LawJob::new(number).pass(gate));
            let submitted = pool.submit_all(&mut batch);
            let left: Vec<u64> = batch.map(|job| job.number()).collect();
            Ok((submitted, left))
        });
        // What the batch has left may still be on its way in: what is
        // checked next holds for that too.
        trial.note("as many jobs of a batch to start as there are workers");
        gate.wait_for(trial.workers());
        pool.close();
        trial.note("a batch that waits at the bound to be ended by close");
        let (submitted, left) = trial.join(submitter)?;
        let Err(error) = submitted else {
            return Err(trial.fail("submit_all passed the bound"));
        };
        let refused = error.refused.iter().map(LawJob::number);
        let back: Vec<u64> = refused.chain(left).collect();
        let accepted = error.accepted;
        ensure!(
            trial,
            back.iter().copied().eq(accepted..jobs),
            "closed at the bound, submit_all said {accepted} of {jobs} were \
             accepted and gave back {back:?}"
        );
        Ok(error)
    })?;
    ensure!(
        trial,
        error.accepted <= bound as u64,
        "submit_all accepted {} unfinished jobs with a bound of {bound}",
        error.accepted
    );
    gate.open();
    trial.note("the completions of a batch that was closed on its way");
    let read = Way::Batches.drain(trial, pool).len() as u64;
    ensure!(
        trial,
        read == error.accepted,
        "submit_all said {} were accepted, and {read} had completions",
        error.accepted
    );
    Ok(())
}
