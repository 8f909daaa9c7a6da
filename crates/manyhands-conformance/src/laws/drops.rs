//! The end of a pool, and what it leaves: laws 11 and 16.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::{WorkerPool, discard};

use super::ledger::Ledger;
use super::moves::{fill, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::{Count, Lobby, never};
use crate::os::{self, Tid};
use crate::trial::{Pool, Result, Stop, Trial, ensure};

/// Law 11.
pub(super) fn drop_waits(trial: &Trial) -> Result {
    for _ in 0..trial.many(1, 50) {
        // Never used, and dropped at once.
        for _ in 0..5 {
            let pool = trial.pool();
            trial.note("drop of an unused pool");
            drop(pool);
        }
        threads_end(trial, dropped_with_jobs)?;
        threads_end(trial, dropped_with_its_thread)?;
    }
    threads_end(trial, |trial| {
        let pool = trial.pool();
        for number in 0..pool.bound().get() as u64 {
            submit(trial, &pool, LawJob::new(number))?;
        }
        trial.note("drop, with all jobs ending");
        drop(pool);
        Ok(())
    })?;
    threads_end(trial, dropped_by_a_job)
}

/// Drops pools whose workers are busy and whose places are all taken: an open
/// one, a cancelled one, and one whose owner unwinds.
fn dropped_with_jobs(trial: &Trial) -> Result {
    struct Dropped {
        how: &'static str,
        pool: Pool,
        ledger: Ledger,
        gate: Gate,
        /// How many jobs must have run when drop returns.
        jobs: usize,
        drop_it: fn(Pool),
    }
    let filled = |how, cancel: bool, drop_it| {
        let pool = trial.pool();
        let ledger = Ledger::new(pool.bound().get());
        let gate = Gate::closed();
        let mut jobs = fill(trial, &pool, &ledger, &gate)?;
        if cancel {
            pool.cancel();
            jobs = trial.workers();
        }
        Ok(Dropped { how, pool, ledger, gate, jobs, drop_it })
    };
    let pools = [
        filled("of an open pool", false, drop)?,
        filled("of a cancelled pool", true, drop)?,
        filled("while unwinding", false, |pool| {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _dropped_on_the_way = pool;
                resume_unwind(Box::new("the owner of a pool panicked"));
            }));
            drop(unwound);
        })?,
    ];
    let returned = [const { AtomicBool::new(false) }; 3];
    let has_returned = |way: &AtomicBool| way.load(Ordering::SeqCst);
    let lobby = Lobby::new();
    thread::scope(|scope| {
        let (lobby, returned) = (&lobby, &returned);
        let (mut droppers, mut gates) = (Vec::new(), Vec::new());
        for (dropped, returned) in pools.into_iter().zip(returned) {
            let Dropped { how, pool, ledger, gate, jobs, drop_it } = dropped;
            gates.push((gate, how));
            droppers.push(scope.spawn(move || {
                lobby.enter();
                drop_it(pool);
                returned.store(true, Ordering::SeqCst);
                Ok((how, jobs, ledger.ran(), ledger))
            }));
        }
        trial.note("threads that drop their pools");
        lobby.wait_for(droppers.len());
        never(|| returned.iter().any(has_returned));
        for ((gate, how), returned) in gates.iter().zip(returned) {
            ensure!(
                trial,
                !has_returned(returned),
                "drop {how}: drop returned with {} jobs unfinished",
                trial.workers()
            );
            gate.open();
        }
        trial.note("drop, with all jobs ending");
        for dropper in droppers {
            let (how, jobs, ran, ledger) = trial.join(dropper)?;
            ensure!(
                trial,
                ran == jobs,
                "drop {how}: of {jobs} jobs {ran} had run when drop returned"
            );
            ledger.check_drops(trial)?;
        }
        Ok(())
    })
}

/// A pool in a thread-local variable is dropped as its thread ends.
fn dropped_with_its_thread(trial: &Trial) -> Result {
    struct Last {
        pool: Option<Pool>,
        quiet: Arc<AtomicBool>,
    }
    // Contains what would end the process.
    impl Drop for Last {
        fn drop(&mut self) {
            let pool = self.pool.take();
            match catch_unwind(AssertUnwindSafe(|| drop(pool))) {
                Ok(()) => self.quiet.store(true, Ordering::SeqCst),
                Err(payload) => discard(payload),
            }
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let ran = Count::new();
    let quiet = Arc::new(AtomicBool::new(false));
    let bound = thread::scope(|scope| {
        let (ran, quiet) = (&ran, Arc::clone(&quiet));
        let owner = scope.spawn(move || {
            // First there, last to go: what the pool has as a local is gone
            // when it is dropped.
            LAST.set(None);
            let pool = trial.pool();
            let bound = pool.bound().get();
            for number in 0..bound as u64 {
                let ran = ran.clone();
                let job = LawJob::new(number).then(move || {
                    ran.add();
                });
                submit(trial, &pool, job)?;
            }
            LAST.set(Some(Last { pool: Some(pool), quiet }));
            trial.note("a thread to end that has the pool as a local");
            Ok(bound)
        });
        trial.join(owner)
    })?;
    ensure!(
        trial,
        quiet.load(Ordering::SeqCst),
        "drop panicked at the end of a thread that had the pool as a local"
    );
    let ran = ran.get();
    ensure!(
        trial,
        ran == bound,
        "drop at the end of a thread that had the pool as a local: of \
         {bound} jobs {ran} had run when drop returned"
    );
    Ok(())
}

/// A job that drops its own pool, the last to hold it, goes on to its end,
/// and so do the others. Then the threads end.
fn dropped_by_a_job(trial: &Trial) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    let bound = pool.bound().get();
    let gate = Gate::closed();
    let ended = Count::new();
    trial.note("places for as many jobs as bound() says");
    for number in 0..bound as u64 {
        let own = (number == 0).then(|| Arc::clone(&pool));
        let ended = ended.clone();
        let job = LawJob::new(number)
            .pass(&gate)
            .then(move || drop(own))
            .then(move || {
                ended.add();
            });
        submit(trial, &pool, job)?;
    }
    drop(pool);
    gate.open();
    trial.note("the jobs of a pool that one of them drops");
    ended.wait_for(bound);
    Ok(())
}

/// After drop the threads of the pool are gone.
fn threads_end(trial: &Trial, act: fn(&Trial) -> Result) -> Result {
    returns(trial, os::threads, more_threads, || act(trial))
}

/// Does something that must leave no more behind than there was. A system
/// takes a moment to clear up after a thread; and somebody else may have
/// started one, but hardly each time.
pub(super) fn returns<T>(
    trial: &Trial,
    measure: impl Fn() -> Option<T>,
    more: impl Fn(&T, &T) -> Option<String>,
    mut act: impl FnMut() -> Result,
) -> Result {
    const MOMENT: Duration = Duration::from_millis(500);
    const ATTEMPTS: usize = 3;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Some(before) = measure() else { return act() };
        act()?;
        let since = Instant::now();
        let left = loop {
            let Some(now) = measure() else { return Ok(()) };
            match more(&now, &before) {
                None => return Ok(()),
                Some(left) if since.elapsed() > MOMENT => break left,
                Some(_) => thread::sleep(Duration::from_millis(1)),
            }
        };
        if attempt == ATTEMPTS {
            return Err(trial.fail(left));
        }
    }
}

pub(super) fn more_threads(
    now: &BTreeSet<Tid>,
    before: &BTreeSet<Tid>,
) -> Option<String> {
    let left = now.difference(before).count();
    (left > 0).then(|| format!("{left} threads were left after drop"))
}

/// Law 16.
pub(super) fn all_given_back(trial: &Trial) -> Result {
    let many = trial.many(20, 1_000);
    let cycles = || (0..many).try_for_each(|n| use_and_drop(trial, n));
    // Once for what is kept for the process, and not for the pool.
    cycles()?;
    returns(trial, Holdings::measure, Holdings::exceed, cycles)?;
    match Holdings::measure() {
        Some(_) => Ok(()),
        None => Err(Stop::Skipped("no /proc/self")),
    }
}

/// What the process has of the system.
struct Holdings {
    threads: BTreeSet<Tid>,
    files: usize,
    memory: usize,
}

impl Holdings {
    fn measure() -> Option<Self> {
        Some(Self {
            threads: os::threads()?,
            files: os::open_files()?,
            memory: os::resident()?,
        })
    }

    /// Says what there is more of.
    fn exceed(&self, before: &Self) -> Option<String> {
        /// What allocators and the system hold back for their own reasons:
        /// some hundred KiB at times. Less than 100 KiB a pool goes unseen,
        /// and less than 2 KiB in the long form.
        const SLACK: usize = 2 << 20;
        let files = self.files.saturating_sub(before.files);
        let memory = self.memory.saturating_sub(before.memory);
        // Memory last: whatever else is left takes some of it, too.
        if files > 0 {
            return Some(format!("{files} files were left open after drop"));
        }
        more_threads(&self.threads, &before.threads).or_else(|| {
            let mib = memory >> 20;
            let what = format!("{mib} MiB of memory were left after drop");
            (memory > SLACK).then_some(what)
        })
    }
}

/// A pool's life, ended in one of several ways, with all its places taken.
fn use_and_drop(trial: &Trial, cycle: usize) -> Result {
    // Its holders are the values of jobs that are still alive.
    let alive = Arc::new(());
    let pool = trial.pool();
    let gate = Gate::closed();
    let bound = pool.bound().get();
    trial.note("places for as many jobs as bound() says");
    for number in 0..bound as u64 {
        let job = LawJob::new(number)
            .keep(Arc::clone(&alive))
            .give(Arc::clone(&alive))
            .pass(&gate);
        // One only: what is left by each would soon be too much.
        let job = match number {
            2 => job.throw(Arc::clone(&alive)),
            _ => job,
        };
        submit(trial, &pool, job)?;
    }
    match cycle % 4 {
        0 => pool.close(),
        1 => pool.cancel(),
        2 => {
            gate.open();
            trial.note("the first completion");
            receive(trial, &pool)?;
        }
        _ => {
            gate.open();
            pool.close();
            trial.note("the end of the completions");
            while pool.recv().is_some() {}
        }
    }
    gate.open();
    trial.note("drop, with all jobs ending");
    drop(pool);
    let left = Arc::strong_count(&alive) - 1;
    ensure!(
        trial,
        left == 0,
        "{left} values of jobs were not dropped with the pool"
    );
    Ok(())
}
