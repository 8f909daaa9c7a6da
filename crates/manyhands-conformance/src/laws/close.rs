//! Close and cancel: laws 3, 4, 5, 10 and 14.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use manyhands_core::{Outcome, WorkerPool};

use super::ledger::{Ends, Ledger, Thrown};
use super::moves::{
    AnyPool, Way, at_once, counts, fill, fill_with, race, receive, same,
    submit,
};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::{Count, Lobby};
use crate::trial::{Result, Trial, ensure};

/// How many jobs are accepted before the pool is closed under its
/// submitters: from none to some hundreds.
fn head_starts(trial: &Trial) -> impl Iterator<Item = usize> {
    const EACH: [usize; 6] = [0, 1, 3, 20, 100, 400];
    EACH.into_iter().cycle().take(EACH.len() * trial.many(1, 50))
}

/// Law 3.
pub(super) fn close_is_final(trial: &Trial) -> Result {
    closed_unused(trial)?;
    closed_by_many(trial)?;
    ends_at_once(trial, "close of a full pool", |pool| pool.close())?;
    closed_by_a_job(trial)?;
    for head_start in head_starts(trial) {
        race(trial, Way::OneByOne, head_start, |pool| {
            pool.close();
            pool.close();
        })?;
    }
    Ok(())
}

fn closed_unused(trial: &Trial) -> Result {
    let pool = trial.pool();
    trial.note("close, which must not wait");
    pool.close();
    trial.note("a second close, which must not wait");
    pool.close();
    refuses(trial, &pool)?;
    pool.close();
    refuses(trial, &pool)?;
    trial.note("recv on a closed and unused pool");
    ensure!(trial, pool.recv().is_none(), "an unused pool had a completion");
    Ok(())
}

/// A closed pool refuses, whichever way it is asked.
fn refuses(trial: &Trial, pool: AnyPool<'_>) -> Result {
    trial.note("a closed pool to refuse, which must not wait");
    let refused = pool.submit(LawJob::new(1));
    ensure!(trial, refused.is_err(), "submit accepted after close");
    let refused = pool.try_submit(LawJob::new(2));
    match refused {
        Ok(_) => Err(trial.fail("try_submit accepted after close")),
        Err(error) if error.is_full() => {
            Err(trial.fail("try_submit said Full after close, not Closed"))
        }
        Err(_) => Ok(()),
    }
}

fn closed_by_many(trial: &Trial) -> Result {
    let pool = trial.pool();
    let pool = &pool;
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let accepted = fill(trial, pool, &ledger, &gate)?;
    trial.note("close from several threads at once, which must not wait");
    thread::scope(|scope| {
        let closer = |_| {
            scope.spawn(move || {
                pool.close();
                refuses(trial, pool)
            })
        };
        let closers: Vec<_> = (0..4).map(closer).collect();
        closers.into_iter().try_for_each(|thread| trial.join(thread))
    })?;
    gate.open();
    trial.note("the completions after close");
    let ends = ledger.settle(trial, Way::OneByOne.drain(trial, pool))?;
    ensure!(
        trial,
        ends == Ends::done(accepted),
        "{accepted} jobs ended as {ends:?}"
    );
    pool.close();
    refuses(trial, pool)
}

/// Close and cancel do not wait for jobs, not even for a while.
fn ends_at_once(trial: &Trial, what: &str, end: fn(AnyPool<'_>)) -> Result {
    at_once(trial, what, || {
        let pool = trial.pool();
        let ledger = Ledger::new(pool.bound().get());
        let gate = Gate::closed();
        fill(trial, &pool, &ledger, &gate)?;
        trial.note("close or cancel of a full pool, which must not wait");
        let since = Instant::now();
        end(&pool);
        let took = since.elapsed();
        gate.open();
        trial.note("the completions after close or cancel");
        ledger.settle(trial, Way::OneByOne.drain(trial, &pool))?;
        Ok(took)
    })
}

fn closed_by_a_job(trial: &Trial) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    let (job, refused) = job_that_ends(&pool, |pool| pool.close());
    submit(trial, &pool, job)?;
    trial.note("a job that closes its pool");
    let closed = receive(trial, &pool)?;
    ensure!(
        trial,
        closed.outcome.is_done(),
        "a job that closes its pool ended as {:?}",
        closed.outcome
    );
    let refused = refused.load(Ordering::SeqCst);
    ensure!(
        trial,
        refused == 2,
        "of 2 jobs that a job submitted after close, {refused} were refused \
         as closed"
    );
    ensure!(trial, pool.recv().is_none(), "one job had two completions");
    refuses(trial, &pool)
}

/// A job that closes or cancels its pool, and how many of the two jobs that
/// it submits after that are refused.
fn job_that_ends(
    pool: &Arc<dyn WorkerPool<LawJob>>,
    end: fn(AnyPool<'_>),
) -> (LawJob, Arc<AtomicUsize>) {
    let weak = Arc::downgrade(pool);
    let refused = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&refused);
    let job = LawJob::new(0).then(move || {
        if let Some(pool) = weak.upgrade() {
            end(&*pool);
            let submitted = pool.submit(LawJob::new(1)).is_err();
            let tried = pool.try_submit(LawJob::new(2));
            let tried = tried.is_err_and(|error| !error.is_full());
            let refused = usize::from(submitted) + usize::from(tried);
            counts.fetch_add(refused, Ordering::SeqCst);
        }
    });
    (job, refused)
}

/// Law 4.
pub(super) fn close_loses_nothing(trial: &Trial, way: Way) -> Result {
    // With all places taken, and nothing finished.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;
    pool.close();
    gate.open();
    trial.note("the completions after close");
    let ends = ledger.settle(trial, way.drain(trial, &pool))?;
    ensure!(
        trial,
        ends == Ends::done(accepted),
        "{accepted} jobs ended as {ends:?}"
    );

    // With the last job just handed over.
    let rounds = trial.many(30, 2_000);
    for jobs in (0..rounds).map(|round| round % 7) {
        let pool = trial.pool();
        let ledger = Ledger::new(jobs);
        let batch = (0..jobs as u64).map(|number| ledger.job(number));
        trial.note("a few jobs to be accepted");
        way.submit(trial, &pool, &ledger, batch)?;
        pool.close();
        trial.note("the completions after close");
        let ends = ledger.settle(trial, way.drain(trial, &pool))?;
        ensure!(
            trial,
            ends == Ends::done(jobs),
            "{jobs} jobs ended as {ends:?}"
        );
    }

    submitted_by_jobs(trial, way)?;

    // With submitters that keep coming.
    for head_start in head_starts(trial) {
        let (ends, _) = race(trial, way, head_start, |pool| pool.close())?;
        ensure!(
            trial,
            ends == Ends::done(ends.done),
            "jobs that raced a close ended as {ends:?}"
        );
    }
    Ok(())
}

/// What jobs had submitted before the close runs after it. They wait until
/// then, so that what they submitted does, where there are no more workers.
fn submitted_by_jobs(trial: &Trial, way: Way) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    // They all run at once, and there is room for one more from each.
    let parents = trial.workers().min(pool.bound().get() / 2);
    let ledger = Ledger::new(2 * parents);
    let together = Gate::meeting(parents);
    let gate = Gate::closed();
    let accepted = Count::new();
    trial.note("jobs that submit to be accepted");
    for number in 0..parents as u64 {
        let (weak, own) = (Arc::downgrade(&pool), ledger.clone());
        let (accepted, number_of_child) =
            (accepted.clone(), number + parents as u64);
        let child = ledger.job(number_of_child).pass(&gate);
        let job = ledger.job(number).pass(&together).then(move || {
            let Some(pool) = weak.upgrade() else { return };
            if let Ok(id) = way.offer(&pool, child) {
                own.accept(number_of_child, id);
            }
            accepted.add();
        });
        let job = job.pass(&gate);
        ledger.accept(number, Some(submit(trial, &pool, job)?));
    }
    trial.note("jobs that are submitted by jobs to be accepted");
    accepted.wait_for(parents);
    pool.close();
    gate.open();
    trial.note("the completions of jobs that were submitted by jobs");
    let ends = ledger.settle(trial, way.drain(trial, &pool))?;
    ensure!(
        trial,
        ends == Ends::done(2 * parents),
        "{parents} jobs and as many that they submitted ended as {ends:?}"
    );
    Ok(())
}

/// Law 5.
pub(super) fn drained_then_none(trial: &Trial) -> Result {
    // Readers of an empty pool.
    let pool = trial.pool();
    let got = read_to_the_end(trial, &pool, || pool.close())?;
    ensure!(trial, got == 0, "an unused pool had {got} completions");

    // One reader, with the completions still to come.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;
    pool.close();
    let pool_ref = &pool;
    trial.note("a reader that waits for the rest after close");
    let lobby = Lobby::new();
    let received = thread::scope(|scope| {
        let lobby = &lobby;
        let reader = scope.spawn(move || {
            lobby.enter();
            Ok(Way::OneByOne.drain(trial, pool_ref))
        });
        lobby.wait_for(1);
        gate.open();
        trial.join(reader)
    })?;
    ledger.settle(trial, received)?;
    for_ever_none(trial, &pool)?;

    // Several readers share the rest, one job at a time.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let shared = fill(trial, &pool, &ledger, &gate)?;
    let got = read_to_the_end(trial, &pool, || {
        pool.close();
        for _ in 0..shared {
            gate.admit(1);
            thread::yield_now();
        }
    })?;
    ensure!(
        trial,
        got == shared,
        "{shared} jobs had {got} completions after close"
    );
    for_ever_none(trial, &pool)?;

    // After cancel as well.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    fill(trial, &pool, &ledger, &gate)?;
    let got = read_to_the_end(trial, &pool, || {
        pool.cancel();
        gate.open();
    })?;
    ensure!(
        trial,
        got == accepted,
        "{accepted} jobs had {got} completions after cancel"
    );
    for_ever_none(trial, &pool)
}

/// Three readers wait, then `end` happens; how many completions they got
/// before each found the end.
fn read_to_the_end(
    trial: &Trial,
    pool: AnyPool<'_>,
    end: impl FnOnce(),
) -> Result<usize> {
    const READERS: usize = 3;
    let lobby = Lobby::new();
    trial.note("several readers to find the end");
    thread::scope(|scope| {
        let lobby = &lobby;
        let reader = |_| {
            scope.spawn(move || {
                lobby.enter();
                let mut count = 0;
                while pool.recv().is_some() {
                    count += 1;
                }
                Ok(count)
            })
        };
        let readers: Vec<_> = (0..READERS).map(reader).collect();
        lobby.wait_for(READERS);
        end();
        readers.into_iter().map(|reader| trial.join(reader)).sum()
    })
}

fn for_ever_none(trial: &Trial, pool: AnyPool<'_>) -> Result {
    for _ in 0..3 {
        trial.note("recv after the end, which must not wait");
        ensure!(
            trial,
            pool.recv().is_none(),
            "recv said None and later had one more completion"
        );
        trial.note("recv_many after the end, which must not wait");
        let mut none = Vec::new();
        let count = pool.recv_many(&mut none, 8);
        ensure!(
            trial,
            count == 0 && none.is_empty(),
            "recv said None and recv_many then said {count}"
        );
        pool.close();
    }
    Ok(())
}

/// Law 10.
pub(super) fn cancel_gives_back(trial: &Trial, way: Way) -> Result {
    let workers = trial.workers();
    let cancels: [fn(AnyPool<'_>); 3] = [
        |pool| pool.cancel(),
        |pool| {
            pool.close();
            pool.cancel();
            pool.cancel();
        },
        |pool| {
            pool.cancel();
            pool.close();
        },
    ];
    // Those that run end well, or all of them panic.
    type AndThen = fn(LawJob) -> LawJob;
    let ways: [(AndThen, Ends); 2] = [
        (|job| job, Ends::done(workers)),
        (
            |job| {
                let number = job.number();
                job.throw(Thrown(number))
            },
            Ends { panicked: workers, ..Ends::default() },
        ),
    ];
    for (cancel, (and_then, ran)) in
        cancels.into_iter().flat_map(|it| ways.map(|way| (it, way)))
    {
        let pool = trial.pool();
        let ledger = Ledger::new(pool.bound().get());
        let gate = Gate::closed();
        let accepted = fill_with(trial, &pool, &ledger, &gate, and_then)?;
        trial.note("cancel, which must not wait");
        cancel(&pool);
        refuses(trial, &pool)?;
        gate.open();
        trial.note("the completions after cancel");
        let ends = ledger.settle(trial, way.drain(trial, &pool))?;
        let expected = Ends { cancelled: accepted - workers, ..ran };
        ensure!(
            trial,
            ends == expected,
            "{workers} running and {} waiting jobs ended as {ends:?}",
            accepted - workers
        );
        counts(trial, &pool, 0)?;
    }

    cancelled_unused(trial)?;
    cancelled_by_many(trial, way)?;
    ends_at_once(trial, "cancel of a full pool", |pool| pool.cancel())?;
    cancelled_by_a_job(trial)?;
    cancelled_with_unread(trial, way)?;

    // Nobody reads: what comes back is dropped with the pool.
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    fill(trial, &pool, &ledger, &gate)?;
    pool.cancel();
    gate.open();
    trial.note("drop of a cancelled pool that nobody reads");
    drop(pool);
    let ran = ledger.ran();
    ensure!(trial, ran == workers, "{ran} jobs ran after cancel");
    ledger.check_drops(trial)?;

    for head_start in head_starts(trial) {
        let (ends, late) = race(trial, way, head_start, |pool| pool.cancel())?;
        ensure!(
            trial,
            late <= workers,
            "{late} jobs started after cancel had returned"
        );
        ensure!(trial, ends.panicked == 0, "jobs ended as {ends:?}");
    }
    Ok(())
}

fn cancelled_unused(trial: &Trial) -> Result {
    let pool = trial.pool();
    let got = read_to_the_end(trial, &pool, || pool.cancel())?;
    ensure!(trial, got == 0, "an unused pool had {got} completions");
    pool.cancel();
    refuses(trial, &pool)?;
    trial.note("drop of a pool that was cancelled unused");
    drop(pool);
    Ok(())
}

/// Close and cancel, several of each at once, come to the same as cancel.
fn cancelled_by_many(trial: &Trial, way: Way) -> Result {
    const ENDERS: usize = 4;
    let workers = trial.workers();
    for _ in 0..trial.many(1, 200) {
        let pool = trial.pool();
        let pool = &pool;
        let ledger = Ledger::new(pool.bound().get());
        let gate = Gate::closed();
        let accepted = fill(trial, pool, &ledger, &gate)?;
        trial.note("close and cancel from several threads at once");
        thread::scope(|scope| {
            let ender = |who| {
                scope.spawn(move || {
                    if who % 2 == 0 {
                        pool.cancel()
                    } else {
                        pool.close()
                    }
                    refuses(trial, pool)
                })
            };
            let enders: Vec<_> = (0..ENDERS).map(ender).collect();
            enders.into_iter().try_for_each(|thread| trial.join(thread))
        })?;
        gate.open();
        trial.note("the completions after close and cancel");
        let ends = ledger.settle(trial, way.drain(trial, pool))?;
        ensure!(
            trial,
            ends.done == workers && ends.cancelled == accepted - workers,
            "closed and cancelled at once, {workers} running and {} waiting \
             jobs ended as {ends:?}",
            accepted - workers
        );
    }
    Ok(())
}

/// What had finished is not taken back.
fn cancelled_with_unread(trial: &Trial, way: Way) -> Result {
    let workers = trial.workers();
    let pool = trial.pool();
    let bound = pool.bound().get();
    let ledger = Ledger::new(bound + 1);
    let gate = Gate::closed();
    fill(trial, &pool, &ledger, &gate)?;
    gate.admit(1);
    trial.note("the place of a job that may go on");
    let job = ledger.job(bound as u64).pass(&gate);
    ledger.accept(bound as u64, Some(submit(trial, &pool, job)?));
    trial.note("the next job to start in its stead");
    gate.wait_for(workers + 1);
    pool.cancel();
    gate.open();
    trial.note("the completions after cancel");
    let ends = ledger.settle(trial, way.drain(trial, &pool))?;
    let expected = Ends {
        done: workers + 1,
        cancelled: bound - workers,
        ..Ends::default()
    };
    ensure!(
        trial,
        ends == expected,
        "1 finished, {workers} running and {} waiting jobs ended as {ends:?}",
        bound - workers
    );
    Ok(())
}

fn cancelled_by_a_job(trial: &Trial) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    let (job, refused) = job_that_ends(&pool, |pool| pool.cancel());
    submit(trial, &pool, job)?;
    trial.note("a job that cancels its pool");
    let outcome = receive(trial, &pool)?.outcome;
    ensure!(
        trial,
        matches!(outcome, Outcome::Done(_)),
        "a job that cancels its pool ended as {outcome:?}"
    );
    let refused = refused.load(Ordering::SeqCst);
    ensure!(
        trial,
        refused == 2,
        "of 2 jobs that a job submitted after cancel, {refused} were refused \
         as closed"
    );
    ensure!(trial, pool.recv().is_none(), "one job had two completions");
    refuses(trial, &pool)
}

/// Law 14.
pub(super) fn waiting_submitter_freed(trial: &Trial, way: Way) -> Result {
    let submitters = trial.many(3, 64);
    let rounds = trial.many(4, 100);
    let ends: [fn(AnyPool<'_>); 2] =
        [|pool| pool.close(), |pool| pool.cancel()];
    for (round, end) in ends.into_iter().cycle().take(rounds).enumerate() {
        let pool = trial.pool();
        let pool = &*pool;
        let bound = pool.bound().get();
        let ledger = Ledger::new(bound + submitters);
        let gate = Gate::closed();
        fill(trial, pool, &ledger, &gate)?;
        let lobby = Lobby::new();
        trial.note("submitters that were blocked when the pool was closed");
        thread::scope(|scope| {
            let submitter = |number: usize| {
                let (ledger, gate, lobby) = (&ledger, &gate, &lobby);
                scope.spawn(move || {
                    let number = number as u64;
                    let job = ledger.job(number).pass(gate);
                    lobby.enter();
                    match way.offer(pool, job) {
                        Ok(_) => Err(trial.fail(format_args!(
                            "a job was accepted with {bound} unfinished \
                             and a bound of {bound}"
                        ))),
                        Err(job) => {
                            same(trial, &job, number)?;
                            ensure!(
                                trial,
                                ledger.kept_drops(number) == 0,
                                "a refused job came back dropped"
                            );
                            Ok(())
                        }
                    }
                })
            };
            let waiting: Vec<_> =
                (bound..bound + submitters).map(submitter).collect();
            // Blocked, in every other round. Just about to, in the others.
            if round / ends.len() % 2 == 0 {
                lobby.wait_for(submitters);
            }
            end(pool);
            waiting.into_iter().try_for_each(|thread| trial.join(thread))
        })?;
        gate.open();
        trial.note("the completions of the accepted jobs");
        ledger.settle(trial, way.drain(trial, pool))?;
    }
    Ok(())
}
