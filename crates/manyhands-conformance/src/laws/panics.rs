//! Panics: law 9.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use manyhands_core::{Outcome, Panic, discard};

use super::ledger::{Ends, Ledger, Thrown};
use super::moves::{AnyPool, Way, counts, meet, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::Count;
use crate::trial::{Pool, Result, Trial, ensure};

/// A value that panics when it is dropped, and so does what it throws, as
/// many times as it says.
///
/// Never two of them in one place: a panic while another one is unwinding
/// ends the process, and with it the report.
struct Hostile(u32);

impl Drop for Hostile {
    fn drop(&mut self) {
        match self.0 {
            0 => {}
            1 => resume_unwind(Box::new("a drop that panics")),
            more => resume_unwind(Box::new(Self(more - 1))),
        }
    }
}

/// How deep they are nested.
const DEPTHS: [u32; 3] = [1, 2, 3];

/// A payload that is no string.
#[derive(Debug, PartialEq, Eq)]
struct Token(u64);

/// Law 9.
pub(super) fn panics_contained(trial: &Trial) -> Result {
    jobs_that_panic(trial)?;
    all_at_once(trial)?;
    hostile_values(trial)?;
    hostile_values_unread(trial)
}

fn jobs_that_panic(trial: &Trial) -> Result {
    let pool = trial.pool();
    let rounds = trial.many(2 * trial.workers() as u64 + 1, 1_000);
    let panicked = |job: LawJob| {
        trial.note("a place, after jobs that panicked");
        let id = submit(trial, &pool, job)?;
        trial.note("the completion of a job that panicked");
        let completion = receive(trial, &pool)?;
        ensure!(
            trial,
            completion.id == id,
            "the panic of {id} came back under {}",
            completion.id
        );
        match completion.outcome {
            Outcome::Panicked(panic) => Ok(panic),
            other => Err(trial.fail(format_args!(
                "a job that panicked came back as {other:?}"
            ))),
        }
    };
    let says = |panic: &Panic, expected: &str| {
        let message = panic.message();
        ensure!(
            trial,
            message == expected,
            "a job panicked with {expected:?}, and its completion says \
             {message:?}"
        );
        Ok(())
    };
    for number in 0..rounds {
        let job = LawJob::new(number);
        says(&panicked(job.throw("a str"))?, "a str")?;
        let job = LawJob::new(number);
        let text = format!("a String, number {number}");
        says(&panicked(job.throw(text.clone()))?, &text)?;
        let job = LawJob::new(number).throw(Token(number));
        let payload = panicked(job)?.into_payload();
        ensure!(
            trial,
            payload.downcast_ref() == Some(&Token(number)),
            "a panic's payload came back as another value"
        );
    }
    full_strength(trial, &pool, "jobs that panicked")?;
    for depth in DEPTHS {
        for number in 0..rounds {
            let job = LawJob::new(number).throw(Hostile(depth));
            discard(panicked(job)?);
        }
        let what = "panics whose payload panics when dropped";
        full_strength(trial, &pool, what)?;
    }
    pool.close();
    trial.note("the end of the completions");
    let none = pool.recv().is_none();
    ensure!(trial, none, "a job that panicked had two completions");
    Ok(())
}

/// Every place taken by a job that panics, while more wait for a place.
fn all_at_once(trial: &Trial) -> Result {
    let pool = trial.pool();
    let pool = &pool;
    let jobs = trial.many(3 * pool.bound().get(), 100_000);
    let ledger = Ledger::new(jobs);
    let gate = Gate::meeting(trial.workers());
    trial.note("places and completions beside jobs that panic");
    let received = thread::scope(|scope| {
        let (ledger, gate) = (&ledger, &gate);
        let submitter = scope.spawn(move || {
            for number in 0..jobs as u64 {
                let job = ledger.job(number).pass(gate);
                let job = job.throw(Thrown(number));
                ledger.accept(number, Some(submit(trial, pool, job)?));
            }
            pool.close();
            Ok(())
        });
        let received = Way::OneByOne.drain(trial, pool);
        trial.join(submitter).map(|()| received)
    })?;
    let ends = ledger.settle(trial, received)?;
    let expected = Ends { panicked: jobs, ..Ends::default() };
    ensure!(
        trial,
        ends == expected,
        "{jobs} jobs that panicked ended as {ends:?}"
    );
    counts(trial, pool, 0)
}

fn hostile_values(trial: &Trial) -> Result {
    let pool = trial.pool();
    for number in 0..2 * trial.workers() as u64 + 1 {
        for depth in DEPTHS {
            let job = LawJob::new(number).give(Hostile(depth));
            submit(trial, &pool, job)?;
            trial.note("a result that panics when dropped");
            let completion = receive(trial, &pool)?;
            let done = completion.outcome.is_done();
            discard(completion);
            ensure!(
                trial,
                done,
                "a job was no success whose result panics when dropped"
            );

            let job = LawJob::new(number).keep(Hostile(depth));
            submit(trial, &pool, job)?;
            trial.note(
                "the completion of a job that captured a value \
                 that panics when dropped",
            );
            // It ended as it was, or as it was dropped.
            let completion = receive(trial, &pool)?;
            let cancelled = completion.outcome.is_cancelled();
            discard(completion);
            ensure!(trial, !cancelled, "a job was cancelled by nobody");
        }
    }
    let what = "jobs that captured what panics when dropped";
    full_strength(trial, &pool, what)?;
    drops_quietly(trial, pool, "a pool that saw values like that")
}

/// What nobody reads is dropped with the pool.
fn hostile_values_unread(trial: &Trial) -> Result {
    for depth in DEPTHS {
        let pool = trial.pool();
        submit(trial, &pool, LawJob::new(0).give(Hostile(depth)))?;
        let what = "a pool with an unread result that panics when dropped";
        drops_quietly(trial, pool, what)?;

        let pool = trial.pool();
        submit(trial, &pool, LawJob::new(0).throw(Hostile(depth)))?;
        let what = "a pool with an unread payload that panics when dropped";
        drops_quietly(trial, pool, what)?;

        // A reader may have taken out more than it was given. One is left:
        // two in one place would end the process.
        const JOBS: u64 = 2;
        let pool = trial.pool();
        let ended = Count::new();
        for number in 0..JOBS {
            let ended = ended.clone();
            let job = LawJob::new(number).give(Hostile(depth));
            submit(
                trial,
                &pool,
                job.then(move || {
                    ended.add();
                }),
            )?;
        }
        trial.note("jobs whose results panic when dropped");
        ended.wait_for(JOBS as usize);
        discard(receive(trial, &pool)?);
        let what = "a pool with one such result read and one unread";
        drops_quietly(trial, pool, what)?;

        let pool = trial.pool();
        if pool.bound().get() > trial.workers() {
            let gate = Gate::closed();
            for number in 0..trial.workers() as u64 {
                submit(trial, &pool, LawJob::new(number).pass(&gate))?;
            }
            trial.note("as many jobs to start as there are workers");
            gate.wait_for(trial.workers());
            submit(trial, &pool, LawJob::new(0).keep(Hostile(depth)))?;
            pool.cancel();
            gate.open();
            let what = "a pool with an unread job that panics when dropped";
            drops_quietly(trial, pool, what)?;
        }
    }
    Ok(())
}

/// All workers are there, and no place is lost.
pub(super) fn full_strength(
    trial: &Trial,
    pool: AnyPool<'_>,
    after: &str,
) -> Result {
    let bound = pool.bound().get();
    let gate = Gate::closed();
    for accepted in 0..bound {
        let job = LawJob::new(accepted as u64).pass(&gate);
        ensure!(
            trial,
            pool.try_submit(job).is_ok(),
            "after {after}, only {accepted} of {bound} places are left"
        );
    }
    gate.open();
    trial.note("completions, after panics");
    for _ in 0..bound {
        receive(trial, pool)?;
    }
    counts(trial, pool, 0)?;
    meet(trial, pool, 2)
}

fn drops_quietly(trial: &Trial, pool: Pool, what: &str) -> Result {
    trial.note("drop, beside values that panic when dropped");
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(pool)));
    let quiet = dropped.is_ok();
    if let Err(payload) = dropped {
        discard(payload);
    }
    ensure!(trial, quiet, "{what} panics when it is dropped itself");
    Ok(())
}
