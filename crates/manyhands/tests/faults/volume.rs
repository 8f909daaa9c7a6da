//! Much of everything: jobs, submitters, pools.

use std::iter;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use manyhands::WorkerPoolExt;

use crate::act::Act;
use crate::child::alone;
use crate::kit::{Count, Pool, drain, pool, receive, submit};
use crate::os;
use crate::support::gate::Gate;
use crate::support::or_deep;

#[test]
fn millions_of_jobs_through_run_all_leave_memory_flat() {
    alone(Duration::from_secs(or_deep(60, 1_200)), |variant| {
        /// What one run may differ from the next, without a leak.
        const NOISE_KIB: u64 = 1024;
        // A thread is no small thing.
        let few = if variant.claims.thread_per_job { 10 } else { 1 };
        let jobs: u64 = or_deep(200_000, 10_000_000) / few;
        let pool = pool(variant, 2, 64);
        let (mut sum, mut received) = (0, 0);
        let (mut early, mut most) = (0, 0);
        let all = (0..jobs).map(|n| Act::new(move || n));
        let fed = pool.run_all(all, |completion| {
            let value = completion.done().unwrap().unwrap();
            sum += *value.downcast::<u64>().unwrap();
            received += 1;
            if received == jobs / 20 {
                early = os::resident();
            }
            if received % (jobs / 20) == 0 {
                most = most.max(os::resident());
            }
        });
        assert_eq!((fed.unwrap(), received), (jobs, jobs));
        assert_eq!(sum, jobs * (jobs - 1) / 2);
        println!("{early} KiB after a twentieth, {most} KiB at most");
        assert!(most <= early + NOISE_KIB, "memory grows with the jobs");
    });
}

#[test]
fn a_job_that_outlasts_all_the_others_costs_no_memory_for_each() {
    alone(Duration::from_secs(or_deep(60, 300)), |variant| {
        /// Less than six bytes a job, and what an allocator takes at a time.
        const NOISE_KIB: u64 = 1024;
        let few = if variant.claims.thread_per_job { 10 } else { 1 };
        let jobs: u64 = or_deep(200_000, 400_000 / few);
        let pool = pool(variant, 2, 64);
        let gate = Gate::new();
        let long = iter::once(Act::new(|| ()).after(&gate));
        let short = iter::repeat_with(|| Act::new(|| ())).take(jobs as usize);
        let (mut received, mut early) = (0, 0);
        let fed = pool.run_all(long.chain(short), |_| {
            received += 1;
            if received == jobs / 20 {
                early = os::resident();
            }
            if received == jobs {
                let grown = os::resident().saturating_sub(early);
                println!("{grown} KiB for {jobs} jobs");
                assert!(grown <= NOISE_KIB, "memory grows with the jobs");
                gate.open();
            }
        });
        assert_eq!((fed.unwrap(), received), (jobs + 1, jobs + 1));
    });
}

#[test]
fn thousands_of_submitters_each_get_their_jobs_in() {
    alone(Duration::from_secs(or_deep(60, 300)), |variant| {
        /// Enough for `submit`, and not for ten thousand times much more.
        const STACK: usize = 64 * 1024;
        const EACH: usize = 3;
        let submitters: usize = or_deep(500, 10_000);
        let ran = Count::new();
        let pool: Arc<Pool> = Arc::new(pool(variant, 2, 2));
        let submitters: Vec<_> = (0..submitters)
            .map(|_| {
                let (pool, ran) = (Arc::clone(&pool), ran.clone());
                let submits = move || {
                    for _ in 0..EACH {
                        submit(&*pool, ran.job());
                    }
                };
                let thread = thread::Builder::new().stack_size(STACK);
                thread.spawn(submits).unwrap()
            })
            .collect();
        let jobs = submitters.len() * EACH;
        for submitter in submitters {
            submitter.join().unwrap();
        }
        pool.close();
        assert_eq!(drain(&*pool), [jobs, 0, 0]);
        assert_eq!(ran.get(), jobs);
    });
}

#[test]
fn cycles_of_build_use_and_drop_leave_threads_memory_and_files_flat() {
    alone(Duration::from_secs(or_deep(60, 300)), |variant| {
        const WARM_UP: u64 = 50;
        /// Beside what a leak of a KiB a cycle would make.
        const NOISE_KIB: u64 = 128;
        let cycles: u64 = or_deep(100, 1_000);
        let cycle = || {
            let ran = Count::new();
            let pool = pool(variant, 3, 4);
            for _ in 0..10 {
                submit(&pool, ran.job());
            }
            for _ in 0..5 {
                drop(receive(&pool));
            }
            drop(pool);
            assert_eq!(ran.get(), 10);
        };
        let threads = os::threads().len();
        (0..WARM_UP).for_each(|_| cycle());
        os::threads_back_to(threads);
        // Not before: tokio's signals, once there, have two for the process.
        let files = os::open_files();
        let resident = os::resident();
        (0..cycles).for_each(|_| cycle());
        let grown = os::resident().saturating_sub(resident);
        os::threads_back_to(threads);
        println!("{grown} KiB in {cycles} cycles");
        let after = (os::threads().len(), os::open_files());
        assert_eq!(after, (threads, files), "threads and files");
        assert!(grown <= cycles + NOISE_KIB, "{grown} KiB are left behind");
    });
}
