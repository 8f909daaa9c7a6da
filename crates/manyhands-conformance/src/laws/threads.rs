//! Many threads, and the pool's own: law 12.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use manyhands_core::WorkerPool;

use super::ledger::{Ends, Ledger};
use super::moves::{AnyPool, Way, meet, receive, submit};
use crate::LawJob;
use crate::latch::Count;
use crate::trial::{Result, Trial, ensure};

/// Law 12.
pub(super) fn any_threads(trial: &Trial, way: Way) -> Result {
    const READERS: usize = 4;
    const SUBMITTERS: u64 = 8;
    let many = trial.many(60, way.most(50_000));
    one_at_a_time(trial, way)?;
    just_as_it_turns_idle(trial, way)?;
    few_at_a_time(trial, way)?;
    let pool = trial.pool();
    let pool = &*pool;
    let ledger = Ledger::new((SUBMITTERS * many) as usize);
    let closed = AtomicBool::new(false);
    trial.note("many submitters and many readers to come to an end");
    let received = thread::scope(|scope| {
        let reader = |_| {
            let closed = &closed;
            scope.spawn(move || {
                let received = way.drain(trial, pool);
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
                for number in who * many..(who + 1) * many {
                    trial.goes_on();
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
        let submitted: Result =
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
        ends == Ends::done((SUBMITTERS * many) as usize),
        "jobs of many submitters ended as {ends:?}"
    );
    from_inside_a_job(trial)?;
    from_inside_a_drop(trial)?;
    two_pools(trial)
}

/// One job, one completion, many times over: each time some worker has to be
/// woken, and then the reader.
fn one_at_a_time(trial: &Trial, way: Way) -> Result {
    let pool = trial.pool();
    for number in 0..trial.many(300, way.most(100_000)) {
        trial.note("a place in an idle pool");
        if way.offer(&pool, LawJob::new(number)).is_err() {
            return Err(trial.fail("an open pool refused a job"));
        }
        trial.note("a job submitted to an idle pool");
        way.receive(trial, &pool, 1)?;
    }
    Ok(())
}

/// A job that comes just as its worker turns idle: so long after the one
/// before it has ended, and each time a little longer.
fn just_as_it_turns_idle(trial: &Trial, way: Way) -> Result {
    /// Where nobody else would see the job.
    const ROUNDS: u64 = 4_000;
    /// Beyond that, the one before is not waited for.
    const PATIENCE: u64 = 20_000;
    const MOMENTS: u64 = 100;
    let few = trial.workers() > 1 || trial.pool().bound().get() < 2;
    let usual = if few { 20 } else { ROUNDS };
    let pool = trial.pool();
    for round in 0..trial.many(usual, way.most(100_000)) {
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        let first =
            LawJob::new(0).then(move || ends.store(true, Ordering::SeqCst));
        trial.note("places for a job and the next");
        submit(trial, &pool, first)?;
        let has_ended = || ended.load(Ordering::SeqCst);
        (0..PATIENCE).take_while(|_| !has_ended()).for_each(|_| spin_loop());
        (0..round % MOMENTS).for_each(|_| spin_loop());
        if way.offer(&pool, LawJob::new(1)).is_err() {
            return Err(trial.fail("an open pool refused a job"));
        }
        trial.note("a job submitted to a worker that turned idle");
        way.receive(trial, &pool, 2)?;
    }
    Ok(())
}

/// A few jobs, and more readers that compete for their completions: none
/// leaves with nothing while the pool is open, and none keeps a completion to
/// itself while it waits for another.
fn few_at_a_time(trial: &Trial, way: Way) -> Result {
    const READERS: usize = 4;
    const JOBS: usize = 3;
    let rounds = trial.many(150, way.most(10_000) as usize);
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
        for round in 1..=rounds {
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

/// A job is on some thread too: it may submit while there is room.
fn from_inside_a_job(trial: &Trial) -> Result {
    let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
    if pool.bound().get() < 2 {
        return Ok(());
    }
    let accepted = Count::new();
    for number in 0..4 {
        let (weak, accepted) = (Arc::downgrade(&pool), accepted.clone());
        let job = LawJob::new(number).then(move || {
            let Some(pool) = weak.upgrade() else { return };
            let job = LawJob::new(number);
            let submitted = match number % 2 {
                0 => pool.submit(job).is_ok(),
                _ => pool.try_submit(job).is_ok(),
            };
            if submitted {
                accepted.add();
            }
        });
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

/// What a job captured may call the job's pool as it is dropped, any method
/// of it, whether its job ends well or panics.
fn from_inside_a_drop(trial: &Trial) -> Result {
    struct OnDrop(Box<dyn Fn() + Send>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    // What comes of a call makes no difference here, only that it returns.
    let calls: [fn(AnyPool<'_>); 7] = [
        |pool| drop(pool.try_submit(LawJob::new(2))),
        |pool| drop(pool.recv()),
        |pool| {
            pool.recv_many(&mut Vec::new(), 1);
        },
        |pool| pool.close(),
        |pool| pool.cancel(),
        // These want a second place.
        |pool| drop(pool.submit(LawJob::new(2))),
        |pool| drop(pool.submit_all(&mut [LawJob::new(2)].into_iter())),
    ];
    let room = trial.pool().bound().get() > 1;
    let calls = if room { &calls[..] } else { &calls[..5] };
    for (&call, panics) in calls.iter().flat_map(|c| [(c, false), (c, true)]) {
        let pool: Arc<dyn WorkerPool<LawJob>> = Arc::from(trial.pool());
        let called = Count::new();
        let (weak, counts) = (Arc::downgrade(&pool), called.clone());
        let calls = OnDrop(Box::new(move || {
            if let Some(pool) = weak.upgrade() {
                call(&*pool);
                counts.add();
            }
        }));
        let job = LawJob::new(1).keep(calls);
        let job = if panics { job.throw("with a value to drop") } else { job };
        // One to be received.
        submit(trial, &pool, LawJob::new(0))?;
        submit(trial, &pool, job)?;
        trial.note("a captured value that calls its pool as it is dropped");
        called.wait_for(1);
        pool.close();
        trial.note("the completions of a pool that was called by a drop");
        while pool.recv().is_some() {}
    }
    Ok(())
}

/// Two pools that submit to each other come to an end, whatever their jobs
/// throw, and one may wait for the other.
fn two_pools(trial: &Trial) -> Result {
    type Shared = Arc<dyn WorkerPool<LawJob>>;
    /// A job on one pool that submits the next to the other.
    fn link(
        number: u64,
        last: u64,
        pools: [Weak<dyn WorkerPool<LawJob>>; 2],
    ) -> LawJob {
        let job = LawJob::new(number).then(move || {
            let next = number + 1;
            let pool = pools[(next % 2) as usize].upgrade();
            if let (Some(pool), true) = (pool, next < last) {
                // If it is refused, its completion will be missed.
                let _ = pool.submit(link(next, last, pools.clone()));
            }
        });
        match number % 5 {
            4 => job.throw("in one pool, with another"),
            _ => job,
        }
    }
    let links = trial.many(60, 20_000);
    let pools: [Shared; 2] = [trial.pool().into(), trial.pool().into()];
    let weak = [0, 1].map(|which: usize| Arc::downgrade(&pools[which]));
    trial.note("two pools that submit to each other");
    submit(trial, &pools[0], link(0, links, weak))?;
    for number in 0..links {
        receive(trial, &pools[(number % 2) as usize])?;
    }
    let inner = Arc::clone(&pools[1]);
    let got = Count::new();
    let counts = got.clone();
    let job = LawJob::new(0).then(move || {
        if inner.submit(LawJob::new(1)).is_ok() && inner.recv().is_some() {
            counts.add();
        }
    });
    submit(trial, &pools[0], job)?;
    trial.note("a job that waits for a job of another pool");
    receive(trial, &pools[0])?;
    ensure!(
        trial,
        got.get() == 1,
        "a job of one pool got no completion of another"
    );
    meet(trial, &pools[0], 2)?;
    meet(trial, &pools[1], 2)
}
