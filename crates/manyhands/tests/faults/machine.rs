//! A machine that is small, or that interrupts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, available_parallelism};
use std::time::Duration;

use manyhands::WorkerPool;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, getpid};

use crate::act::Act;
use crate::child::alone;
use crate::kit::{
    Count, Waiter, assert_full_strength, drain, pool, receive, submit,
};
use crate::os::{self, Tid};
use crate::support::gate::Gate;
use crate::support::or_deep;

const PATIENCE: Duration = Duration::from_secs(60);

type Shared = Arc<dyn WorkerPool<Act>>;

/// Gives this thread, and those it starts, one processor only.
fn one_processor() {
    let this = Pid::from_raw(0);
    let all = sched_getaffinity(this).unwrap();
    let may = |&cpu: &usize| all.is_set(cpu).unwrap();
    let first = (0..CpuSet::count()).find(may).unwrap();
    let mut one = CpuSet::new();
    one.set(first).unwrap();
    sched_setaffinity(this, &one).unwrap();
    assert_eq!(available_parallelism().unwrap().get(), 1);
}

#[test]
fn on_one_processor_as_many_jobs_run_at_once_as_anywhere() {
    alone(PATIENCE, |variant| {
        one_processor();
        let pool = pool(variant, 8, 2);
        assert_full_strength(&pool);
    });
}

#[test]
fn on_one_processor_one_thread_submits_all_then_closes_then_reads() {
    alone(PATIENCE, |variant| {
        one_processor();
        let jobs = or_deep(2_000, 200_000);
        let (pool, ran) = (pool(variant, 3, 4), Count::new());
        let accepted = pool.submit_all(&mut (0..jobs).map(|_| ran.job()));
        assert_eq!(accepted.unwrap(), jobs as u64);
        pool.close();
        assert_eq!(drain(&pool), [jobs, 0, 0]);
        assert_eq!(ran.get(), jobs);
    });
}

#[test]
fn on_one_processor_a_job_wakes_a_pool_and_a_reader_that_have_gone_to_sleep() {
    alone(PATIENCE, |variant| {
        one_processor();
        let pool: Shared = pool(variant, 3, 4).into();
        let (tell, told) = mpsc::channel();
        let reader = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                while let Some(completion) = pool.recv() {
                    tell.send(completion.outcome.is_done()).unwrap();
                }
            })
        };
        let ran = Count::new();
        let jobs = or_deep(300, 30_000);
        for _ in 0..jobs {
            os::others_asleep();
            submit(&*pool, ran.job());
            assert_eq!(told.recv(), Ok(true));
        }
        assert_eq!(ran.get(), jobs);
        os::others_asleep();
        pool.close();
        reader.join().unwrap();
    });
}

#[test]
fn on_one_processor_any_number_of_threads_submit_and_receive() {
    alone(PATIENCE, |variant| {
        one_processor();
        traffic(&pool(variant, 3, 4).into(), || ());
    });
}

#[test]
fn on_one_processor_drop_waits_for_jobs_and_threads() {
    alone(PATIENCE, |variant| {
        one_processor();
        let threads = os::threads().len();
        let ran = Count::new();
        for _ in 0..20 {
            let pool = pool(variant, 3, 4);
            for _ in 0..20 {
                submit(&pool, ran.job());
            }
        }
        assert_eq!(ran.get(), 20 * 20);
        os::threads_back_to(threads);
    });
}

/// Four submitters, three readers, and something to do meanwhile, again and
/// again. Nothing is lost.
fn traffic(pool: &Arc<dyn WorkerPool<Act>>, mut meanwhile: impl FnMut()) {
    let each: usize = or_deep(500, 50_000);
    let ran = Count::new();
    let submitters = [(); 4].map(|()| {
        let (pool, ran) = (Arc::clone(pool), ran.clone());
        thread::spawn(move || {
            for _ in 0..each {
                submit(&*pool, ran.job());
            }
        })
    });
    let readers = [(); 3].map(|()| {
        let pool = Arc::clone(pool);
        thread::spawn(move || drain(&*pool))
    });
    while submitters.iter().any(|submitter| !submitter.is_finished()) {
        meanwhile();
        thread::yield_now();
    }
    for submitter in submitters {
        submitter.join().unwrap();
    }
    pool.close();
    let done: usize = readers
        .map(|reader| {
            let [done, panicked, cancelled] = reader.join().unwrap();
            assert_eq!(panicked + cancelled, 0);
            done
        })
        .iter()
        .sum();
    assert_eq!((done, ran.get()), (4 * each, 4 * each));
}

/// Several, since one that is pending is not sent again: so a burst reaches
/// more than one thread.
const SIGNALS: [Signal; 8] = [
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGHUP,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGWINCH,
    Signal::SIGIO,
];

/// Handles the signals, in every thread that is started from now on.
fn handle_signals() -> Arc<AtomicBool> {
    let came = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        let came = Arc::clone(&came);
        signal_hook::flag::register(signal as i32, came).unwrap();
    }
    came
}

/// Sends all signals to the process, of which this thread takes none.
fn burst() {
    for signal in SIGNALS {
        kill(getpid(), signal).unwrap();
    }
}

/// Sends signals until each of these threads was interrupted so many times
/// in its wait.
fn interrupt(threads: &[Tid], times: u64) {
    let before: Vec<_> =
        threads.iter().map(|&thread| os::waits(thread)).collect();
    let enough = |(&thread, before): (&Tid, &Option<u64>)| {
        os::waits(thread) >= before.map(|waits| waits + times)
    };
    while !threads.iter().zip(&before).all(enough) {
        burst();
    }
}

/// A handler runs, and the wait goes on: either the system takes it up again,
/// or it says that it was interrupted, as it does to the tasks' runtime.
#[test]
fn in_a_storm_of_signals_nothing_wakes_that_should_wait_and_nothing_is_lost() {
    alone(PATIENCE, |variant| {
        let came = handle_signals();
        let this = os::this_thread();
        let pool: Shared = pool(variant, 2, 2).into();
        let ran = Count::new();
        let gate = Gate::new();
        // Every place is taken, each worker has a job that waits.
        let bound = pool.bound().get();
        for _ in 0..bound {
            submit(&*pool, ran.job().after(&gate));
        }
        gate.wait_for(2);
        let submitter = {
            let (pool, job) = (Arc::clone(&pool), ran.job());
            Waiter::start(move || submit(&*pool, job))
        };
        let reader = {
            let pool = Arc::clone(&pool);
            Waiter::start(move || drop(receive(&*pool)))
        };
        submitter.asleep();
        reader.asleep();
        // Those that follow start their threads themselves.
        let mut threads = os::threads();
        threads.retain(|&thread| thread != this);
        SigSet::all().thread_block().unwrap();
        interrupt(&threads, or_deep(20, 2_000));
        assert!(came.load(Ordering::SeqCst), "no signal was handled");
        assert_eq!(ran.get(), 0, "a job passed a closed gate");
        assert!(!submitter.is_finished(), "a submitter passed the bound");
        assert!(!reader.is_finished(), "a reader returned from nothing");

        gate.open();
        submitter.join();
        reader.join();
        for _ in 0..bound {
            assert!(receive(&*pool).outcome.is_done());
        }
        assert_eq!(ran.get(), bound + 1);
    });
}

#[test]
fn in_a_storm_of_signals_jobs_and_completions_go_on() {
    alone(PATIENCE, |variant| {
        let came = handle_signals();
        let pool: Shared = pool(variant, 3, 4).into();
        traffic(&pool, burst);
        assert!(came.load(Ordering::SeqCst), "no signal was handled");
    });
}
