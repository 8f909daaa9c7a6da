//! Jobs: laws 1, 2, 7 and 13.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use manyhands_core::{Completion, Outcome, TrySubmitError, WorkerPool};

use super::ledger::{Ends, Ledger};
use super::moves::{Way, counts, fill, meet, receive, same, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::{Gauge, never};
use crate::trial::{Result, Trial, ensure};

/// Law 1.
pub(super) fn exactly_one_completion(trial: &Trial, way: Way) -> Result {
    let many = trial.many(300, 100_000);
    let pool = trial.pool();
    let ledger = Ledger::new(many);
    let jobs = (0..many as u64).map(|number| ledger.job(number));
    trial.note("all jobs to be accepted");
    way.submit(trial, &pool, &ledger, jobs)?;
    trial.note("as many completions as there were jobs");
    let mut received = way.receive(trial, &pool, many)?;
    pool.close();
    trial.note("the end of the completions");
    received.extend(way.drain(trial, &pool));
    let ends = ledger.settle(trial, received)?;
    ensure!(trial, ends == Ends::done(many), "{many} jobs ended as {ends:?}");
    counts(trial, &pool, 0)?;
    answers_come_back_whole(trial, way)?;
    no_completion_waits_for_another(trial, way)
}

/// Whatever a job answers comes back under its id as it was: much, nothing,
/// a trait object, a value of rare alignment.
fn answers_come_back_whole(trial: &Trial, way: Way) -> Result {
    const MUCH: usize = 1 << 20;
    const JOBS: u64 = 8;
    type Act = Box<dyn Fn(u64) -> u64 + Send>;
    #[derive(PartialEq)]
    struct Nothing;
    #[repr(align(128))]
    struct Wide([u8; 200]);

    let much = |number: u64| {
        let bytes: Vec<u8> = (0..=255).map(|it| it ^ number as u8).collect();
        bytes.repeat(MUCH / bytes.len())
    };
    let give = |number: u64| {
        let job = LawJob::new(number);
        match number % 4 {
            0 => job.give(much(number)),
            1 => job.give(Nothing),
            2 => job.give(Box::new(move |n| n * number) as Act),
            _ => job.give(Wide([number as u8; 200])),
        }
    };
    let is_its = |value: &dyn Any, number: u64| match number % 4 {
        0 => value.downcast_ref() == Some(&much(number)),
        1 => value.downcast_ref() == Some(&Nothing),
        2 => {
            value.downcast_ref::<Act>().is_some_and(|act| act(3) == 3 * number)
        }
        _ => value
            .downcast_ref::<Wide>()
            .is_some_and(|wide| wide.0 == [number as u8; 200]),
    };
    let pool = trial.pool();
    let ledger = Ledger::new(JOBS as usize);
    trial.note("jobs with answers of all kinds to be accepted");
    way.submit(trial, &pool, &ledger, (0..JOBS).map(give))?;
    trial.note("answers of all kinds");
    let received = way.receive(trial, &pool, JOBS as usize)?;
    for Completion { id, outcome } in received {
        let Outcome::Done(Ok(answer)) = outcome else {
            return Err(trial.fail(format_args!(
                "{id}, which answered, came back as {outcome:?}"
            )));
        };
        let number = answer.number();
        let value = answer.into_value();
        ensure!(
            trial,
            number == id.get()
                && value.is_some_and(|value| is_its(&*value, number)),
            "{id} came back with another value than its job returned"
        );
    }
    Ok(())
}

/// What has finished can be read while what was accepted before it, and what
/// was accepted after it, still runs.
fn no_completion_waits_for_another(trial: &Trial, way: Way) -> Result {
    let pool = trial.pool();
    let gate = Gate::closed();
    let ledger = Ledger::new(3);
    let stays = |number| ledger.job(number).pass(&gate);
    // At the bound, the last one gets the place of the one that ends.
    let before = u64::from(trial.workers() > 1);
    let jobs =
        (0..before).map(stays).chain([ledger.job(before), stays(before + 1)]);
    way.submit(trial, &pool, &ledger, jobs)?;
    trial.note("a completion, while jobs before and after it still run");
    let mut received = way.receive(trial, &pool, 1)?;
    gate.open();
    pool.close();
    trial.note("the end of the completions");
    received.extend(way.drain(trial, &pool));
    ledger.settle(trial, received).map(drop)
}

/// Law 2.
pub(super) fn refused_comes_back(trial: &Trial) -> Result {
    let pool = trial.pool();
    let bound = pool.bound().get();
    let ledger = Ledger::new(bound + 6);
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;

    let mut refused = Vec::new();
    let mut numbers = accepted as u64..;
    let mut try_one = |closed: bool| {
        let number = numbers.next().unwrap_or_default();
        match pool.try_submit(ledger.job(number).pass(&gate)) {
            Err(TrySubmitError::Full(job)) if !closed => {
                same(trial, &job, number)?;
                refused.push(job);
                Ok(())
            }
            Err(TrySubmitError::Closed(job)) if closed => {
                same(trial, &job, number)?;
                refused.push(job);
                Ok(())
            }
            Ok(_) => Err(trial.fail(format_args!(
                "a job was accepted with {accepted} unfinished and a bound \
                 of {bound}"
            ))),
            Err(other) => Err(trial.fail(format_args!(
                "a pool that is full{} refused a job as {other:?}",
                if closed { " and closed" } else { "" }
            ))),
        }
    };
    trial.note("try_submit, which must not wait");
    try_one(false)?;
    try_one(false)?;
    pool.close();
    try_one(true)?;
    trial.note("submit to a closed pool, which must not wait");
    let number = accepted as u64 + 3;
    match pool.submit(ledger.job(number)) {
        Ok(_) => return Err(trial.fail("a closed pool accepted a job")),
        Err(closed) => {
            same(trial, &closed.0, number)?;
            refused.push(closed.0);
        }
    }

    gate.open();
    trial.note("the completions of the accepted jobs");
    let received = Way::OneByOne.drain(trial, &pool);
    for job in &refused {
        let number = job.number();
        let (runs, drops) = (ledger.runs(number), ledger.kept_drops(number));
        ensure!(trial, runs == 0, "a refused job was run");
        ensure!(trial, drops == 0, "a refused job came back dropped");
    }
    // What came back is whole: another pool runs it.
    let other = trial.pool();
    let count = refused.len();
    for job in refused {
        let number = job.number();
        submit(trial, &other, job)?;
        trial.note("a job that was refused elsewhere");
        let answer = receive(trial, &other)?.done();
        let Some(Ok(answer)) = answer else {
            return Err(trial.fail("a job that was refused does not run"));
        };
        ensure!(trial, answer.number() == number, "its answer is another's");
        ensure!(trial, ledger.runs(number) == 1, "it did not run once");
    }
    ensure!(
        trial,
        received.len() == accepted,
        "{accepted} accepted and {count} refused jobs had {} completions",
        received.len()
    );
    Ok(())
}

/// Law 7.
pub(super) fn exact_workers(trial: &Trial) -> Result {
    let workers = trial.workers();
    let pool = trial.pool();
    ensure!(
        trial,
        pool.workers().get() == workers,
        "made with {workers} workers, the pool says {}",
        pool.workers()
    );
    // Reached: when all start, when they had been idle, and after jobs so
    // short that a worker might take several at once.
    let short = trial.many(500, 20_000);
    meet(trial, &pool, trial.many(20, 1_000))?;
    trial.note("short jobs");
    for number in 0..short {
        submit(trial, &pool, LawJob::new(number))?;
    }
    for _ in 0..short {
        receive(trial, &pool)?;
    }
    meet(trial, &pool, 10)?;
    beside_their_parent(trial)?;
    never_more(trial)?;
    // Reached and not passed, whatever the pace.
    const SUBMITTERS: u64 = 3;
    let many = trial.many(60, 20_000);
    let gauge = Gauge::new();
    trial.note("short jobs");
    let pool = &pool;
    thread::scope(|scope| {
        let submitter = |_| {
            let gauge = &gauge;
            scope.spawn(move || {
                for number in 0..many {
                    let (enter, leave) = (gauge.clone(), gauge.clone());
                    let job = LawJob::new(number)
                        .then(move || enter.enter())
                        .then(thread::yield_now)
                        .then(move || leave.leave());
                    submit(trial, pool, job)?;
                }
                Ok(())
            })
        };
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        submitters.into_iter().try_for_each(|thread| trial.join(thread))
    })?;
    pool.close();
    while pool.recv().is_some() {}
    let peak = gauge.peak();
    ensure!(trial, peak <= workers, "{peak} jobs ran at once");
    ensure!(
        trial,
        pool.workers().get() == workers,
        "closed, the pool says it has {} workers",
        pool.workers()
    );
    Ok(())
}

/// What a job submits starts while that job still runs, as long as a worker
/// is idle.
fn beside_their_parent(trial: &Trial) -> Result {
    let workers = trial.workers();
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    let gate = Gate::closed();
    let children: Vec<_> = (1..workers as u64)
        .map(|number| LawJob::new(number).pass(&gate))
        .collect();
    let weak = Arc::downgrade(&pool);
    let parent = LawJob::new(0).then(move || {
        let Some(pool) = weak.upgrade() else { return };
        for child in children {
            // If it is refused, its start will be missed.
            let _ = pool.submit(child);
        }
    });
    submit(trial, &pool, parent.pass(&gate))?;
    trial.note("jobs of a job to start beside it, one for each idle worker");
    gate.wait_for(workers);
    gate.open();
    trial.note("the completions of a job and of those that it submitted");
    for _ in 0..workers {
        receive(trial, &*pool)?;
    }
    Ok(())
}

/// With jobs that are let on one at a time, and more waiting behind them.
fn never_more(trial: &Trial) -> Result {
    let steps = trial.many(30, 2_000);
    let workers = trial.workers();
    let pool = trial.pool();
    let gate = Gate::closed();
    let gauge = Gauge::new();
    let mut submitted = 0;
    let mut one_more = || {
        submitted += 1;
        let (enter, leave) = (gauge.clone(), gauge.clone());
        let job = LawJob::new(submitted)
            .then(move || enter.enter())
            .pass(&gate)
            .then(move || leave.leave());
        submit(trial, &pool, job).map(drop)
    };
    trial.note("places for as many jobs as bound() says");
    for _ in 0..pool.bound().get() {
        one_more()?;
    }
    for step in 0..steps {
        trial.note("as many jobs to start as there are workers");
        gate.wait_for(workers + step);
        let peak = gauge.peak();
        ensure!(trial, peak <= workers, "{peak} jobs ran at once");
        gate.admit(1);
        trial.note("a job that may go on");
        receive(trial, &pool)?;
        one_more()?;
    }
    ensure!(
        trial,
        never(|| gauge.peak() > workers),
        "{} jobs ran at once",
        gauge.peak()
    );
    gate.open();
    pool.close();
    trial.note("the end of the completions");
    while pool.recv().is_some() {}
    let peak = gauge.peak();
    ensure!(trial, peak <= workers, "{peak} jobs ran at once");
    Ok(())
}

/// Law 13.
///
/// The words are written and read with relaxed order: whatever makes them
/// visible is the pool's doing. Hardware that keeps the order by itself hides
/// a pool that does not; what a job writes last, as it is dropped, shows on
/// any.
pub(super) fn writes_visible(trial: &Trial, way: Way) -> Result {
    const WORDS: usize = 8;
    let many = trial.many(100, 20_000);
    struct Slip {
        words: [AtomicU64; WORDS],
    }
    impl Slip {
        fn write(&self, value: u64) {
            for word in &self.words {
                word.store(value, Ordering::Relaxed);
            }
        }
        fn reads(&self, value: u64) -> bool {
            let same =
                |word: &AtomicU64| word.load(Ordering::Relaxed) == value;
            self.words.iter().all(same)
        }
    }
    /// Writes when it is dropped, as the last act of its job.
    struct LastWrite(Arc<Slip>);
    impl Drop for LastWrite {
        fn drop(&mut self) {
            // A moment for a pool that does not wait for it.
            thread::yield_now();
            self.0.write(3);
        }
    }

    let pool = trial.pool();
    for number in 0..many {
        let slip = |value| {
            let slip = Slip { words: Default::default() };
            slip.write(value);
            Arc::new(slip)
        };
        let (own, last, seen) = (slip(1), slip(1), slip(0));
        let (writes, sees) = (Arc::clone(&own), Arc::clone(&seen));
        let mut job = LawJob::new(number)
            .then(move || {
                sees.write(u64::from(writes.reads(1)));
                writes.write(2);
            })
            .keep(LastWrite(Arc::clone(&last)));
        // However it ends.
        if number % 3 == 2 {
            job = job.throw("after it wrote");
        }
        if way.offer(&pool, job).is_err() {
            return Err(trial.fail("an open pool refused a job"));
        }
        trial.note("the completion of a job that writes");
        way.receive(trial, &pool, 1)?;
        ensure!(
            trial,
            seen.reads(1),
            "a job did not see what its submitter wrote"
        );
        ensure!(trial, own.reads(2), "what a job wrote was not visible");
        ensure!(
            trial,
            last.reads(3),
            "a completion was read before what its job captured was dropped"
        );
        ensure!(
            trial,
            Arc::into_inner(own).is_some() && Arc::into_inner(last).is_some(),
            "a completion was read while its job still held what it captured"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use manyhands_core::{
        Closed, Completion, InlinePool, Job, JobId, TrySubmitError, WorkerPool,
    };

    use super::*;

    /// Gives each job's answer another value: only the kit could, and code
    /// that is not safe.
    struct OtherValues(InlinePool<LawJob>);

    impl WorkerPool<LawJob> for OtherValues {
        fn submit(&self, job: LawJob) -> Result<JobId, Closed<LawJob>> {
            self.0.submit(job)
        }

        fn try_submit(
            &self,
            job: LawJob,
        ) -> Result<JobId, TrySubmitError<LawJob>> {
            self.0.try_submit(job)
        }

        fn recv(&self) -> Option<Completion<LawJob>> {
            let Completion { id, .. } = self.0.recv()?;
            let outcome = Outcome::Done(LawJob::new(id.get()).give(()).run());
            Some(Completion { id, outcome })
        }

        fn close(&self) {
            self.0.close();
        }

        fn cancel(&self) {
            self.0.cancel();
        }

        fn workers(&self) -> NonZeroUsize {
            self.0.workers()
        }

        fn bound(&self) -> NonZeroUsize {
            self.0.bound()
        }
    }

    #[test]
    fn an_answer_with_another_value_is_found() {
        for way in [Way::OneByOne, Way::Batches] {
            let right = Trial::of(|| Box::new(InlinePool::new()));
            assert!(answers_come_back_whole(&right, way).is_ok());
            let wrong = Trial::of(|| Box::new(OtherValues(InlinePool::new())));
            assert!(answers_come_back_whole(&wrong, way).is_err());
            let said = wrong.failure().unwrap_or_default();
            assert!(said.contains("another value than its job"), "{said}");
        }
    }
}
