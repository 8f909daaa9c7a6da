//! A system that refuses threads.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use manyhands::{BuildError, Config, WorkerPool};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::act::Act;
use crate::child::alone;
use crate::kit::{
    Variant, assert_full_strength, drain, pool, receive, submit,
};
use crate::os;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a thread takes of the addresses: its stack as the library has it,
/// and a little beside it.
const THREAD_KIB: u64 = 2 * 1024 + 24;

/// Half a thread: what is left over when the next one is refused. A thread
/// that gets its stack and not the little beside it dies as it starts, and
/// takes the process along.
const REST_KIB: u64 = THREAD_KIB / 2;

/// Runs something that finds room for no more threads than this. What is on
/// the heap beside them has been asked for before.
fn with_room_for<T>(threads: u64, run: impl FnOnce() -> T) -> T {
    /// Kept by the allocator once it was given back piece by piece: for what
    /// a thousand workers need beside their stacks.
    const PIECES: usize = 20_000;
    let mut pieces: Vec<_> =
        (0..PIECES).map(|_| black_box(vec![0_u8; 1024])).collect();
    // The last one stays, and keeps those below from going to the system.
    std::mem::forget(pieces.pop());
    drop(pieces);

    let (soft, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    let room = os::addresses() + threads * THREAD_KIB + REST_KIB;
    setrlimit(Resource::RLIMIT_AS, room * 1024, hard).unwrap();
    let result = run();
    setrlimit(Resource::RLIMIT_AS, soft, hard).unwrap();
    result
}

/// True for the variants that start their threads as jobs come.
fn starts_threads_later(variant: &Variant) -> bool {
    with_room_for(0, || variant.make(Config::new(2, 0).unwrap()).is_ok())
}

#[test]
fn with_too_few_threads_for_its_workers_there_is_no_pool_and_no_thread() {
    alone(PATIENCE, |variant| {
        let threads = os::threads().len();
        let tasks = variant.name.starts_with("tokio");
        // Tasks need a thread a core, not a worker: none is too few, there.
        let (workers, room) = if tasks { (2, 0) } else { (1000, 20) };
        let config = Config::new(workers, 0).unwrap();
        match with_room_for(room, || variant.make(config)) {
            Err(BuildError::Spawn(_)) => {
                os::threads_back_to(threads);
            }
            Err(other) => panic!("{other}"),
            Ok(_) => assert!(
                starts_threads_later(variant),
                "a pool of {workers} workers with room for {room} threads"
            ),
        }
        // What was in the way is gone: a small one can be built.
        let pool = pool(variant, 2, 2);
        assert_full_strength(&pool);
        drop(pool);
        os::threads_back_to(threads);
    });
}

#[test]
fn whichever_of_its_threads_is_refused_there_is_no_pool_or_a_whole_one() {
    alone(PATIENCE, |variant| {
        let threads = os::threads().len();
        let config = Config::new(5, 0).unwrap();
        // The first one, one in the middle, the last worker, whoever comes
        // after the workers, and none.
        for room in 0..8 {
            match with_room_for(room, || variant.make(config)) {
                Err(BuildError::Spawn(_)) => {}
                Err(other) => panic!("{other}"),
                Ok(pool) => {
                    println!("built with room for {room}");
                    assert_full_strength(&pool);
                }
            }
            os::threads_back_to(threads);
        }
    });
}

#[test]
fn a_pool_that_starts_a_thread_a_job_runs_the_job_itself_if_there_is_none() {
    alone(PATIENCE, |variant| {
        if !starts_threads_later(variant) {
            return;
        }
        let threads = os::threads().len();
        let pool = pool(variant, 2, 0);
        let this = thread::current().id();
        with_room_for(0, || {
            for _ in 0..10 {
                submit(&pool, Act::new(|| thread::current().id()));
                let answer = receive(&pool).done().unwrap().unwrap();
                let ran_on = *answer.downcast::<thread::ThreadId>().unwrap();
                assert_eq!(ran_on, this);
            }
        });
        assert_full_strength(&pool);
        pool.close();
        assert_eq!(drain(&pool), [0, 0, 0]);
        drop(pool);
        os::threads_back_to(threads);
    });
}
