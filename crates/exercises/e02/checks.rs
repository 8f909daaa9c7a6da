//! What is asked of exercise 2.

use exercises::{Check, Gate, Log, explore, same, thread};

use super::answer::Pool;

pub fn checks() -> Vec<Check> {
    vec![
        Check::new(
            "every_job_runs_once",
            "every job that was submitted runs, and none twice",
            "`finish` waits for workers, and they wait for jobs",
            || explore(every_job_runs_once),
        ),
        Check::new(
            "the_lock_is_free_while_a_job_runs",
            "three jobs run at the same time on three workers",
            "three jobs wait for each other, and not all of them began: a \
             worker holds the lock while its job runs, or has ended",
            || explore(the_lock_is_free_while_a_job_runs),
        ),
        Check::new(
            "finish_waits_for_the_last_job",
            "when `finish` returns, every job is done",
            "`finish` waits for workers, and they wait for jobs",
            || explore(finish_waits_for_the_last_job),
        ),
        Check::new(
            "a_pool_without_jobs_ends",
            "`finish` returns even if no job ever came",
            "`finish` waits for workers, and they wait for jobs: nobody told \
             them that no more will come",
            || explore(a_pool_without_jobs_ends),
        ),
    ]
}

fn every_job_runs_once() {
    let log = Log::new();
    let pool = Pool::new(2);
    for job in 0..4 {
        let log = log.clone();
        pool.submit(Box::new(move || log.note(job)));
    }
    pool.finish();
    same("ran", &log.all(), &[0, 1, 2, 3]);
}

fn the_lock_is_free_while_a_job_runs() {
    let gate = Gate::new(3);
    let pool = Pool::new(3);
    for _ in 0..3 {
        let gate = gate.clone();
        pool.submit(Box::new(move || gate.meet()));
    }
    gate.wait();
    // Without `finish`, so that it is about the jobs alone.
    drop(pool);
}

fn finish_waits_for_the_last_job() {
    let log = Log::new();
    let pool = Pool::new(2);
    for job in 0..3 {
        let log = log.clone();
        pool.submit(Box::new(move || {
            thread::yield_now();
            log.note(job);
        }));
    }
    pool.finish();
    let done = log.all().len();
    assert!(done == 3, "`finish` returned when {done} of 3 jobs were done");
}

fn a_pool_without_jobs_ends() {
    Pool::new(2).finish();
}
