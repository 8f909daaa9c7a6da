//! Moves that several checks make.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use manyhands_core::{
    Closed, Completion, JobId, SubmitAllError, TrySubmitError, WorkerPool,
    WorkerPoolExt,
};

use super::ledger::{Ends, Ledger};
use crate::LawJob;
use crate::gate::Gate;
use crate::trial::{Result, Stop, Trial, ensure};

/// A pool on trial, whoever owns it.
pub(super) type AnyPool<'a> = &'a dyn WorkerPool<LawJob>;

/// Which of its methods a pool is used through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `try_submit`, `submit` when that says Full, and `recv`.
    OneByOne,
    /// `submit_all` and `recv_many`.
    Batches,
    /// A submitter, by which `try_submit_some`, and `recv_many`.
    Together,
}

impl Way {
    /// So many in the long form, or a part where law 18 does it again.
    pub(super) fn most(self, jobs: u64) -> u64 {
        match self {
            Self::OneByOne => jobs,
            Self::Batches | Self::Together => jobs / 5,
        }
    }

    /// Submits jobs to an open pool that nobody else submits to.
    pub(super) fn submit(
        self,
        trial: &Trial,
        pool: AnyPool<'_>,
        ledger: &Ledger,
        jobs: impl Iterator<Item = LawJob>,
    ) -> Result {
        match self {
            Self::OneByOne => {
                for job in jobs {
                    trial.goes_on();
                    let number = job.number();
                    let id = match pool.try_submit(job) {
                        Err(TrySubmitError::Full(job)) => {
                            submit(trial, pool, job)?
                        }
                        Ok(id) => id,
                        Err(TrySubmitError::Closed(_)) => {
                            return Err(refused(trial, number));
                        }
                    };
                    ledger.accept(number, Some(id));
                }
                Ok(())
            }
            Self::Batches => {
                let before = ledger.accepted() as u64;
                let mut taken = 0;
                let mut jobs = jobs.inspect(|job| {
                    trial.goes_on();
                    // As its place in the batch says, if the pool is right.
                    let id = JobId::new(before + taken);
                    ledger.accept(job.number(), Some(id));
                    taken += 1;
                });
                let submitted = pool.submit_all(&mut jobs);
                drop(jobs);
                match submitted {
                    Ok(accepted) => {
                        ensure!(
                            trial,
                            accepted == taken,
                            "submit_all took {taken} jobs \
                             and said {accepted}"
                        );
                        Ok(())
                    }
                    Err(SubmitAllError { .. }) => {
                        Err(trial.fail("an open pool refused a batch"))
                    }
                }
            }
            Self::Together => {
                let mut submitter = pool.submitter();
                for (id, job) in (ledger.accepted() as u64..).zip(jobs) {
                    trial.goes_on();
                    let number = job.number();
                    ledger.accept(number, Some(JobId::new(id)));
                    if submitter.submit(job).is_err() {
                        return Err(refused(trial, number));
                    }
                }
                let flushed = submitter.flush();
                ensure!(trial, flushed.is_ok(), "an open pool refused some");
                Ok(())
            }
        }
    }

    /// Submits a job to a pool that may be closed meanwhile.
    pub(super) fn offer(
        self,
        pool: AnyPool<'_>,
        job: LawJob,
    ) -> Result<Option<JobId>, LawJob> {
        match self {
            Self::OneByOne => {
                pool.submit(job).map(Some).map_err(Closed::into_inner)
            }
            Self::Batches => {
                let mut job = [job].into_iter();
                match pool.submit_all(&mut job) {
                    Ok(_) => Ok(None),
                    Err(mut error) => error
                        .refused
                        .pop()
                        .or(job.next())
                        .map_or(Ok(None), Err),
                }
            }
            Self::Together => {
                let mut submitter = pool.submitter();
                let given = submitter.submit(job);
                match given.and_then(|()| submitter.flush()) {
                    Ok(_) => Ok(None),
                    Err(mut error) => {
                        error.refused.pop().map_or(Ok(None), Err)
                    }
                }
            }
        }
    }

    /// Receives one or a few; false if that was the end.
    pub(super) fn receive_some(
        self,
        pool: AnyPool<'_>,
        received: impl FnMut(Completion<LawJob>),
    ) -> bool {
        const AT_MOST: usize = 7;
        let mut into = Vec::new();
        match self {
            Self::OneByOne => into.extend(pool.recv()),
            Self::Batches | Self::Together => {
                pool.recv_many(&mut into, AT_MOST);
            }
        }
        let some = !into.is_empty();
        into.into_iter().for_each(received);
        some
    }

    /// Receives until there is nothing more.
    pub(super) fn drain(
        self,
        trial: &Trial,
        pool: AnyPool<'_>,
    ) -> Vec<Completion<LawJob>> {
        let mut received = Vec::new();
        while self.receive_some(pool, |it| received.push(it)) {
            trial.goes_on();
        }
        received
    }

    /// Receives so many.
    pub(super) fn receive(
        self,
        trial: &Trial,
        pool: AnyPool<'_>,
        count: usize,
    ) -> Result<Vec<Completion<LawJob>>> {
        let mut into = Vec::new();
        while into.len() < count {
            trial.goes_on();
            let before = into.len();
            match self {
                Self::OneByOne => into.extend(pool.recv()),
                Self::Batches | Self::Together => {
                    pool.recv_many(&mut into, count - before);
                }
            }
            ensure!(
                trial,
                into.len() > before,
                "the pool said that all is received \
                 with {before} of {count} completions read"
            );
        }
        Ok(into)
    }
}

/// Submits a job to an open pool.
pub(super) fn submit(
    trial: &Trial,
    pool: AnyPool<'_>,
    job: LawJob,
) -> Result<JobId> {
    trial.goes_on();
    pool.submit(job).map_err(|Closed(job)| refused(trial, job.number()))
}

fn refused(trial: &Trial, number: u64) -> Stop {
    trial.fail(format_args!("an open pool refused job {number}"))
}

/// Receives one completion that is owed.
pub(super) fn receive(
    trial: &Trial,
    pool: AnyPool<'_>,
) -> Result<Completion<LawJob>> {
    pool.recv().ok_or_else(|| {
        trial.fail("recv said None with a completion still owed")
    })
}

/// Fills a pool to its bound with jobs that do not end by themselves, and
/// waits until all its workers have one. Returns how many there are.
pub(super) fn fill(
    trial: &Trial,
    pool: AnyPool<'_>,
    ledger: &Ledger,
    gate: &Gate,
) -> Result<usize> {
    fill_with(trial, pool, ledger, gate, |job| job)
}

/// The same, with something more to do for each job, once it may go on.
pub(super) fn fill_with(
    trial: &Trial,
    pool: AnyPool<'_>,
    ledger: &Ledger,
    gate: &Gate,
    and_then: fn(LawJob) -> LawJob,
) -> Result<usize> {
    let bound = pool.bound().get();
    let mut accepted = 0;
    trial.note("places for as many jobs as bound() says");
    while accepted < bound {
        let number = accepted as u64;
        let job = and_then(ledger.job(number).pass(gate));
        ledger.accept(number, Some(submit(trial, pool, job)?));
        accepted += 1;
    }
    trial.note("as many jobs to start as there are workers");
    gate.wait_for(trial.workers());
    Ok(accepted)
}

/// A pool that counts its jobs counts them right.
pub(super) fn counts(
    trial: &Trial,
    pool: AnyPool<'_>,
    unfinished: usize,
) -> Result {
    let counted = pool.unfinished().unwrap_or(unfinished);
    ensure!(
        trial,
        counted == unfinished,
        "with {unfinished} unfinished, unfinished() said {counted}"
    );
    Ok(())
}

/// Fails if a call that must not wait waits each time. `call` says how long
/// it took; once is enough to be quick, and any one call may be held up by the
/// machine.
pub(super) fn at_once(
    trial: &Trial,
    what: &str,
    mut call: impl FnMut() -> Result<Duration>,
) -> Result {
    const TIMES: usize = 10;
    const MOMENT: Duration = Duration::from_millis(50);
    let mut least = Duration::MAX;
    for _ in 0..TIMES {
        least = least.min(call()?);
        if least < MOMENT {
            return Ok(());
        }
    }
    Err(trial.fail(format_args!(
        "{what} took {least:?} or more, each of {TIMES} times"
    )))
}

/// Rounds in which all workers must run a job at once to get through it.
pub(super) fn meet(trial: &Trial, pool: AnyPool<'_>, rounds: usize) -> Result {
    let workers = trial.workers();
    for _ in 0..rounds {
        let gate = Gate::meeting(workers);
        for number in 0..workers as u64 {
            submit(trial, pool, LawJob::new(number).pass(&gate))?;
        }
        trial.note("as many jobs to run at once as there are workers");
        for _ in 0..workers {
            receive(trial, pool)?;
        }
    }
    Ok(())
}

/// Eight submitters race who closes or cancels the pool.
///
/// Each job must be either accepted, and have its completion, or come back.
/// Returns how many jobs started after `end` had returned.
pub(super) fn race(
    trial: &Trial,
    way: Way,
    head_start: usize,
    end: fn(AnyPool<'_>),
) -> Result<(Ends, usize)> {
    const SUBMITTERS: usize = 8;
    const MOST: usize = 250;
    let pool = trial.pool();
    let pool = &*pool;
    let ledger = Ledger::new(SUBMITTERS * MOST);
    let over = Arc::new(AtomicBool::new(false));
    let late = Arc::new(AtomicUsize::new(0));
    let accepted = AtomicUsize::new(0);
    trial.note("submitters that race a close to come to an end");
    thread::scope(|scope| {
        let submitter = |first: usize| {
            let (ledger, over, late, accepted) =
                (&ledger, &over, &late, &accepted);
            scope.spawn(move || {
                for number in first as u64..(first + MOST) as u64 {
                    let after_end = over.load(Ordering::SeqCst);
                    let (over, late) = (Arc::clone(over), Arc::clone(late));
                    let job = ledger.job(number).then(move || {
                        let is_late = over.load(Ordering::SeqCst);
                        late.fetch_add(usize::from(is_late), Ordering::SeqCst);
                    });
                    // Half of them wait for places, half do not.
                    let submitted = if first / MOST % 2 == 0 {
                        way.offer(pool, job).map_err(TrySubmitError::Closed)
                    } else {
                        pool.try_submit(job).map(Some)
                    };
                    let job = match submitted {
                        Ok(id) => {
                            ledger.accept(number, id);
                            accepted.fetch_add(1, Ordering::SeqCst);
                            ensure!(
                                trial,
                                !after_end,
                                "a job was accepted after the pool was closed"
                            );
                            continue;
                        }
                        Err(TrySubmitError::Full(job)) => {
                            thread::yield_now();
                            job
                        }
                        Err(TrySubmitError::Closed(job)) => {
                            same(trial, &job, number)?;
                            return Ok(());
                        }
                    };
                    same(trial, &job, number)?;
                }
                Ok(())
            })
        };
        let submitters: Vec<_> =
            (0..SUBMITTERS).map(|who| submitter(who * MOST)).collect();
        while accepted.load(Ordering::SeqCst) < head_start
            && !submitters.iter().all(|submitter| submitter.is_finished())
        {
            thread::yield_now();
        }
        end(pool);
        over.store(true, Ordering::SeqCst);
        submitters.into_iter().try_for_each(|thread| trial.join(thread))
    })?;
    trial.note("the completions of jobs that raced a close");
    let ends = ledger.settle(trial, way.drain(trial, pool))?;
    Ok((ends, late.load(Ordering::SeqCst)))
}

/// A refused job is the one that was submitted.
pub(super) fn same(trial: &Trial, job: &LawJob, number: u64) -> Result {
    ensure!(
        trial,
        job.number() == number,
        "job {number} was refused, and job {} came back",
        job.number()
    );
    Ok(())
}
