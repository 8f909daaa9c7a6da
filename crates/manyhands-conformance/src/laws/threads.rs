//! Threads and what they cost: laws 11, 12, 15 and 16.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::WorkerPool;

use super::ledger::{Ends, Ledger};
use super::moves::{Way, fill, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::{Count, Lobby, never};
use crate::os::{self, Tid};
use crate::trial::{Checked, Pool, Stop, Trial, ensure};

/// Law 11.
pub(super) fn drop_waits(trial: &Trial) -> Checked {
    // Never used, and dropped at once.
    for _ in 0..5 {
        let pool = trial.pool();
        trial.note("drop of an unused pool");
        drop(pool);
    }
    dropped_with_jobs(trial, false, drop)?;
    dropped_with_jobs(trial, true, drop)?;
    dropped_with_jobs(trial, false, |pool| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _dropped_on_the_way = pool;
            resume_unwind(Box::new("the owner of a pool panicked"));
        }));
        drop(unwound);
    })?;
    threads_end(trial)
}

/// Drops a pool whose workers are busy and whose places are all taken.
fn dropped_with_jobs(
    trial: &Trial,
    cancel: bool,
    drop_it: fn(Pool),
) -> Checked {
    let pool = trial.pool();
    let ledger = Ledger::new(pool.bound().get());
    let gate = Gate::closed();
    let accepted = fill(trial, &pool, &ledger, &gate)?;
    if cancel {
        pool.cancel();
    }
    let expected = if cancel { trial.workers() } else { accepted };
    let returned = AtomicBool::new(false);
    let lobby = Lobby::new();
    let ran = thread::scope(|scope| {
        let (lobby, returned, ledger) = (&lobby, &returned, &ledger);
        let dropper = scope.spawn(move || {
            lobby.enter();
            drop_it(pool);
            returned.store(true, Ordering::SeqCst);
            Ok(ledger.ran())
        });
        trial.note("a thread that drops the pool");
        lobby.wait_for(1);
        ensure!(
            trial,
            never(|| returned.load(Ordering::SeqCst)),
            "drop returned with {} jobs unfinished",
            trial.workers()
        );
        gate.open();
        trial.note("drop, with all jobs ending");
        trial.join(dropper)
    })?;
    ensure!(
        trial,
        ran == expected,
        "of {expected} jobs {ran} had run when drop returned"
    );
    ledger.check_drops(trial)
}

/// After drop the threads of the pool are gone.
fn threads_end(trial: &Trial) -> Checked {
    returns(trial, os::threads, more_threads, || {
        let pool = trial.pool();
        for number in 0..pool.bound().get() as u64 {
            submit(trial, &pool, LawJob::new(number))?;
        }
        trial.note("drop, with all jobs ending");
        drop(pool);
        Ok(())
    })
}

/// Does something that must leave no more behind than there was. A system
/// takes a moment to clear up after a thread; and somebody else may have
/// started one, but hardly each time.
fn returns<T>(
    trial: &Trial,
    measure: impl Fn() -> Option<T>,
    more: impl Fn(&T, &T) -> Option<String>,
    mut act: impl FnMut() -> Checked,
) -> Checked {
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

fn more_threads(
    now: &BTreeSet<Tid>,
    before: &BTreeSet<Tid>,
) -> Option<String> {
    let left = now.difference(before).count();
    (left > 0).then(|| format!("{left} threads were left after drop"))
}

/// Law 12.
pub(super) fn any_threads(trial: &Trial, way: Way) -> Checked {
    const READERS: usize = 4;
    const SUBMITTERS: u64 = 8;
    const JOBS: u64 = 60;
    one_at_a_time(trial, way)?;
    few_at_a_time(trial, way)?;
    let pool = trial.pool();
    let pool = &*pool;
    let ledger = Ledger::new((SUBMITTERS * JOBS) as usize);
    let closed = AtomicBool::new(false);
    trial.note("many submitters and many readers to come to an end");
    let received = thread::scope(|scope| {
        let reader = |_| {
            let closed = &closed;
            scope.spawn(move || {
                let received = way.drain(pool);
                ensure!(
                    trial,
                    closed.load(Ordering::SeqCst),
                    "one of several readers was told None by an open pool"
                );
                Ok(received)
            })
        };
        let submitter = |who: u64| {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut last = None;
                for number in who * JOBS..(who + 1) * JOBS {
                    let Ok(id) = way.offer(pool, ledger.job(number)) else {
                        return Err(trial.fail("an open pool refused a job"));
                    };
                    ensure!(
                        trial,
                        id.is_none() || last < id,
                        "{id:?} was accepted after {last:?} from the same \
                         thread"
                    );
                    last = id;
                    ledger.accept(number, id);
                }
                Ok(())
            })
        };
        let readers: Vec<_> = (0..READERS).map(reader).collect();
        let submitters: Vec<_> = (0..SUBMITTERS).map(submitter).collect();
        let submitted: Checked =
            submitters.into_iter().try_for_each(|one| trial.join(one));
        closed.store(true, Ordering::SeqCst);
        pool.close();
        let mut received = Vec::new();
        for reader in readers {
            received.extend(trial.join(reader)?);
        }
        submitted.map(|()| received)
    })?;
    let ends = ledger.settle(trial, received)?;
    ensure!(
        trial,
        ends == Ends::done((SUBMITTERS * JOBS) as usize),
        "jobs of many submitters ended as {ends:?}"
    );
    from_inside_a_job(trial)
}

/// One job, one completion, many times over: each time some worker has to be
/// woken, and then the reader.
fn one_at_a_time(trial: &Trial, way: Way) -> Checked {
    const JOBS: u64 = 300;
    let pool = trial.pool();
    for number in 0..JOBS {
        trial.note("a place in an idle pool");
        if way.offer(&pool, LawJob::new(number)).is_err() {
            return Err(trial.fail("an open pool refused a job"));
        }
        trial.note("a job submitted to an idle pool");
        way.receive(trial, &pool, 1)?;
    }
    Ok(())
}

/// A few jobs, and more readers that compete for their completions: none
/// leaves with nothing while the pool is open, and none keeps a completion to
/// itself while it waits for another.
fn few_at_a_time(trial: &Trial, way: Way) -> Checked {
    const READERS: usize = 4;
    const JOBS: usize = 3;
    const ROUNDS: usize = 150;
    let pool = trial.pool();
    let pool = &pool;
    let read = Count::new();
    let closed = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = |_| {
            let (read, closed) = (&read, &closed);
            scope.spawn(move || {
                let count = |_| {
                    read.add();
                };
                while way.receive_some(pool, count) {}
                ensure!(
                    trial,
                    closed.load(Ordering::SeqCst),
                    "one of several readers was told None by an open pool"
                );
                Ok(())
            })
        };
        let readers: Vec<_> = (0..READERS).map(reader).collect();
        for round in 1..=ROUNDS {
            for number in 0..JOBS as u64 {
                trial.note("places for jobs whose readers compete");
                submit(trial, pool, LawJob::new(number))?;
            }
            trial.note("completions that readers compete for");
            read.wait_for(round * JOBS);
        }
        closed.store(true, Ordering::SeqCst);
        pool.close();
        trial.note("several readers to find the end");
        readers.into_iter().try_for_each(|thread| trial.join(thread))
    })
}

/// A job is on some thread too: it may submit while there is room, and so may
/// the drop of what it captured.
fn from_inside_a_job(trial: &Trial) -> Checked {
    struct SubmitsOnDrop(Box<dyn Fn() + Send>);
    impl Drop for SubmitsOnDrop {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    if pool.bound().get() < 2 {
        return Ok(());
    }
    let accepted = Count::new();
    let submits = |number: u64| {
        let (pool, accepted) = (Arc::downgrade(&pool), accepted.clone());
        move || {
            let Some(pool) = pool.upgrade() else { return };
            let job = LawJob::new(number);
            let submitted = if number % 2 == 0 {
                pool.submit(job).is_ok()
            } else {
                pool.try_submit(job).is_ok()
            };
            if submitted && pool.workers() <= pool.bound() {
                accepted.add();
            }
        }
    };
    for number in 0..4 {
        let job = LawJob::new(number);
        let job = if number < 2 {
            job.then(submits(number))
        } else {
            job.keep(SubmitsOnDrop(Box::new(submits(number))))
        };
        submit(trial, &pool, job)?;
        trial.note("a job that submits a job to its own pool");
        receive(trial, &pool)?;
        trial.note("a job that was submitted by a job");
        receive(trial, &pool)?;
    }
    let accepted = accepted.get();
    ensure!(
        trial,
        accepted == 4,
        "of 4 jobs submitted by jobs, with room for them, {accepted} \
         were accepted"
    );
    Ok(())
}

/// Law 15.
pub(super) fn idle_is_free(trial: &Trial) -> Checked {
    let Some(others) = os::threads() else {
        return Err(Stop::Skipped("no /proc/self/task"));
    };
    if os::this_thread().and_then(os::usage).is_none() {
        return Err(Stop::Skipped("no schedstat of threads"));
    }
    let pool = trial.pool();
    let pool = &pool;
    let bound = pool.bound().get();
    for number in 0..2 * bound as u64 {
        submit(trial, pool, LawJob::new(number))?;
        trial.note("a job, to warm up");
        receive(trial, pool)?;
    }
    let gate = Gate::closed();
    let lobby = Lobby::new();
    let result = thread::scope(|scope| {
        // Nothing to do, and a reader that waits.
        let lobby = &lobby;
        let reader = scope.spawn(move || {
            lobby.enter();
            Ok(Way::OneByOne.drain(pool).len())
        });
        lobby.wait_for(1);
        let idle = is_quiet(&others);
        // Every worker waits within its job, and a submitter for a place.
        trial.note("places for as many jobs as bound() says");
        for number in 0..bound as u64 {
            submit(trial, pool, LawJob::new(number).pass(&gate))?;
        }
        let gate = &gate;
        let submitter = scope.spawn(move || {
            lobby.enter();
            submit(trial, pool, LawJob::new(0).pass(gate)).map(drop)
        });
        lobby.wait_for(2);
        let full = is_quiet(&others);
        gate.open();
        trial.note("all to come to an end");
        let submitted = trial.join(submitter);
        pool.close();
        let read = trial.join(reader);
        submitted.and(read)?;
        let closed = is_quiet(&others);
        Ok([
            ("with nothing to do", idle),
            ("with all blocked", full),
            ("closed and drained", closed),
        ])
    })?;
    for (when, noise) in result {
        if let Some(noise) = noise {
            let how = format!("{when}, the pool {noise}");
            return Err(trial.fail(how));
        }
    }
    Ok(())
}

/// Looks at what all threads but `others` use of the processor, for a while.
/// Says what is wrong, if they use any.
fn is_quiet(others: &BTreeSet<Tid>) -> Option<String> {
    /// Long enough to tell 1 % from nothing.
    const WINDOW: Duration = Duration::from_millis(150);
    /// Threads may settle down, and the machine have its own business, but
    /// hardly each time.
    const WINDOWS: usize = 3;
    /// Who is woken more often in a window is polling.
    const WAKES: u64 = 2;
    let mut noise = None;
    for _ in 0..WINDOWS {
        let threads: Vec<Tid> =
            os::threads()?.difference(others).copied().collect();
        let usage = || -> Vec<_> {
            let usage = |&thread| os::usage(thread).unwrap_or_default();
            threads.iter().map(usage).collect()
        };
        let before = usage();
        thread::sleep(WINDOW);
        let after = usage();
        let used: Duration = before
            .iter()
            .zip(&after)
            .map(|(before, after)| after.0.saturating_sub(before.0))
            .sum();
        let woken = before
            .iter()
            .zip(&after)
            .map(|(before, after)| after.1.saturating_sub(before.1))
            .max()
            .unwrap_or(0);
        if used <= WINDOW / 100 && woken <= WAKES {
            return None;
        }
        let percent = used.as_secs_f64() / WINDOW.as_secs_f64() * 100.0;
        noise = Some(format!(
            "used {percent:.1} % of a processor and woke a thread \
             {woken} times in {WINDOW:?}"
        ));
    }
    noise
}

/// Law 16.
pub(super) fn all_given_back(trial: &Trial) -> Checked {
    const CYCLES: usize = 20;
    let cycles = || (0..CYCLES).try_for_each(|n| use_and_drop(trial, n));
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
        /// some hundred KiB at times. Less than 100 KiB a pool goes unseen.
        const SLACK: usize = 2 << 20;
        let files = self.files.saturating_sub(before.files);
        let memory = self.memory.saturating_sub(before.memory);
        if files > 0 {
            Some(format!("{files} files were left open after drop"))
        } else if memory > SLACK {
            let mib = memory >> 20;
            Some(format!("{mib} MiB of memory were left after drop"))
        } else {
            more_threads(&self.threads, &before.threads)
        }
    }
}

/// A pool's life, ended in one of several ways, with all its places taken.
fn use_and_drop(trial: &Trial, cycle: usize) -> Checked {
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
