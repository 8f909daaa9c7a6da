//! What is asked of exercise 6.

use exercises::sync::Arc;
use exercises::{Check, Gate, Log, explore, same, thread};

use super::answer::Pool;

pub fn checks() -> Vec<Check> {
    vec![
        Check::new(
            "drain_runs_all_that_was_accepted",
            "after `drain` every job that was accepted has been run",
            "`drain` waits for workers that wait for jobs",
            || explore(drain_runs_all_that_was_accepted),
        ),
        Check::new(
            "a_drain_accepts_nothing_more",
            "`drain` refuses from its beginning on: whoever goes on \
             submitting is refused while a job still runs",
            "`drain` does not return, though the job that ran could end",
            || explore(a_drain_accepts_nothing_more),
        ),
        Check::new(
            "no_worker_leaves_early",
            "two workers stay as long as the pool is open: after other jobs, \
             two jobs that wait for each other still run at the same time",
            "two jobs that need both workers did not both begin: a worker \
             left the open pool (it was woken, found no job, and ended), or \
             held the lock while its job ran",
            || explore(no_worker_leaves_early),
        ),
        Check::new(
            "an_idle_pool_ends",
            "a pool whose workers all wait for jobs ends, by `drain` and by \
             `abort`",
            "the workers wait for jobs, and were not told that none will come",
            || explore(an_idle_pool_ends),
        ),
        Check::new(
            "abort_gives_back_what_waited",
            "what was accepted and not begun comes back from `abort`; the job \
             that runs comes to its end",
            "`abort` does not return, though the job that ran could end",
            || explore(abort_gives_back_what_waited),
        ),
        Check::new(
            "nothing_is_accepted_afterwards",
            "after the end, `submit` gives the job back",
            "`submit` waits for ever on a pool that has ended",
            || explore(nothing_is_accepted_afterwards),
        ),
        Check::new(
            "a_submit_races_an_abort",
            "a job that is submitted while the pool aborts is refused, or \
             runs, or comes back from `abort`",
            "a `submit` and an `abort` wait for each other",
            || explore(a_submit_races_an_abort),
        ),
        Check::new(
            "a_submit_races_a_drain",
            "a job that is submitted while the pool drains is refused or runs",
            "a `submit` and a `drain` wait for each other",
            || explore(a_submit_races_a_drain),
        ),
    ]
}

/// A pool that notes which jobs it has run to their end.
fn noting(workers: usize) -> (Pool, Log<u64>) {
    let log = Log::new();
    let ran = log.clone();
    let pool = Pool::start(
        workers,
        Arc::new(move |job| {
            thread::yield_now();
            ran.note(job);
        }),
    );
    (pool, log)
}

fn accepted(pool: &Pool, job: u64) {
    let submitted = pool.submit(job);
    assert!(submitted.is_ok(), "an open pool refused job {job}");
}

fn drain_runs_all_that_was_accepted() {
    let (pool, ran) = noting(2);
    for job in 0..4 {
        accepted(&pool, job);
    }
    pool.drain();
    same("ran before `drain` returned", &ran.all(), &[0, 1, 2, 3]);
}

fn a_drain_accepts_nothing_more() {
    let end = Gate::new(1);
    let log = Log::new();
    let (go, ran) = (end.clone(), log.clone());
    let work = move |job| {
        go.wait();
        ran.note(job);
    };
    let pool = Arc::new(Pool::start(1, Arc::new(work)));
    accepted(&pool, 0);
    let submitter = submits_until_refused(&pool, 1, end);
    pool.drain();
    let right: Vec<u64> = (0..submitter.join().unwrap_or_default()).collect();
    same("ran", &log.all(), &right);
}

fn no_worker_leaves_early() {
    let both = Gate::new(2);
    let meet = both.clone();
    let pool = Pool::start(
        2,
        Arc::new(move |job| {
            if job >= 2 {
                meet.meet();
            }
        }),
    );
    for job in 0..4 {
        accepted(&pool, job);
        thread::yield_now();
    }
    both.wait();
    pool.drain();
}

fn an_idle_pool_ends() {
    noting(2).0.drain();
    let left = noting(2).0.abort();
    assert!(left.is_empty(), "no job was submitted, and {left:?} came back");
}

fn abort_gives_back_what_waited() {
    let (began, end) = (Gate::new(1), Gate::new(1));
    let log = Log::new();
    let (start, go, ran) = (began.clone(), end.clone(), log.clone());
    let work = move |job| {
        start.come();
        go.wait();
        ran.note(job);
    };
    let pool = Arc::new(Pool::start(1, Arc::new(work)));
    for job in 0..3 {
        accepted(&pool, job);
    }
    began.wait();
    let other = submits_until_refused(&pool, 3, end);
    let back = pool.abort();
    let accepted = other.join().unwrap_or_default();
    let ran = log.all();
    let late = ran.iter().find(|job| **job != 0);
    assert!(
        late.is_none(),
        "job {} ran after `abort` had given back what waited",
        late.unwrap_or(&0)
    );
    same("ran", &ran, &[0]);
    let right: Vec<u64> = (1..accepted).collect();
    same("came back", &back, &right);
}

fn nothing_is_accepted_afterwards() {
    let (pool, _) = noting(1);
    pool.drain();
    let back = pool.submit(7);
    assert!(back == Err(7), "a pool that has drained answered {back:?}");
    let (pool, _) = noting(1);
    pool.abort();
    let back = pool.submit(7);
    assert!(back == Err(7), "a pool that has aborted answered {back:?}");
}

fn a_submit_races_an_abort() {
    let (pool, ran) = noting(1);
    let pool = Arc::new(pool);
    let submitter = submits_two(&pool);
    let mut all = pool.abort();
    all.extend(submitter.join().unwrap_or_default());
    all.extend(ran.all());
    same("ran, came back or was refused", &all, &[0, 1]);
}

fn a_submit_races_a_drain() {
    let (pool, ran) = noting(1);
    let pool = Arc::new(pool);
    let submitter = submits_two(&pool);
    pool.drain();
    let early = ran.all();
    let mut all = submitter.join().unwrap_or_default();
    all.extend(ran.all());
    same("ran or was refused", &all, &[0, 1]);
    assert!(
        early.len() == ran.all().len(),
        "a job ran after `drain` had returned"
    );
}

/// A thread that submits jobs until one is refused, and returns its number.
/// Only then may the job end that waits at the gate.
fn submits_until_refused(
    pool: &Arc<Pool>,
    first: u64,
    end: Gate,
) -> thread::JoinHandle<u64> {
    let pool = Arc::clone(pool);
    thread::spawn(move || {
        let mut more = first;
        while pool.submit(more).is_ok() {
            more += 1;
            thread::yield_now();
        }
        end.come();
        more
    })
}

/// A thread that submits two jobs, and returns those that were refused.
fn submits_two(pool: &Arc<Pool>) -> thread::JoinHandle<Vec<u64>> {
    let pool = Arc::clone(pool);
    thread::spawn(move || {
        (0..2).filter_map(|job| pool.submit(job).err()).collect()
    })
}
