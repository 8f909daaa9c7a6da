//! What ends the process: no pool can contain it, and none makes it worse.
//! The exit code says so, nothing hangs, and what was written before under
//! its final name is whole.

use std::fs;
use std::hint::black_box;
use std::mem::forget;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

use crate::act::Act;
use crate::child::{End, ending, folder};
use crate::kit::{Pool, Variant, drain, pool, receive, submit};
use crate::os;
use crate::support::gate::Gate;
use crate::support::hostile::{Hostile, throw};

const PATIENCE: Duration = Duration::from_secs(30);

/// What each job writes, in two halves.
const HALVES: [&str; 2] = ["one half, ", "and the other\n"];

/// Writes a file under its final name when it is whole, and does something
/// in the middle.
fn write(name: &'static str, meanwhile: impl FnOnce()) {
    let (part, whole) = (folder().join("part"), folder().join(name));
    fs::write(&part, HALVES[0]).unwrap();
    meanwhile();
    fs::write(&part, HALVES.concat()).unwrap();
    fs::rename(part, whole).unwrap();
}

/// One job has come to its end, one waits and never will, and then one does
/// what is fatal.
fn scene(variant: &Variant, fatal: fn()) {
    let pool = pool(variant, 2, 2);
    let gate = Gate::new();
    submit(&pool, Act::new(|| write("before", || ())));
    assert!(receive(&pool).outcome.is_done());
    submit(&pool, Act::new(|| ()).after(&gate));
    gate.wait_for(1);
    submit(&pool, Act::new(move || write("during", fatal)));
    panic!("survived: {:?}", receive(&pool));
}

/// The first job's file is whole, the last one's not there.
fn assert_nothing_is_half(end: &End) {
    let written = |name| fs::read_to_string(end.folder.path().join(name));
    assert_eq!(written("before").unwrap(), HALVES.concat());
    assert!(written("during").is_err());
    // The fatal job had begun.
    assert_eq!(written("part").unwrap(), HALVES[0]);
}

fn assert_aborted(end: &End, why: &str) {
    assert_eq!(end.signal(), Some(Signal::SIGABRT as i32));
    assert!(end.said.contains(why), "nothing is said of: {why}");
    assert_nothing_is_half(end);
}

#[test]
fn a_job_that_overflows_its_stack_aborts_the_process() {
    fn deeper(level: u64) -> u64 {
        let frame = black_box([level; 128]);
        if black_box(level) == u64::MAX {
            return 0;
        }
        deeper(frame[0] + 1) + black_box(frame)[1]
    }
    ending(
        PATIENCE,
        |variant| {
            scene(variant, || {
                black_box(deeper(0));
            });
        },
        |end| assert_aborted(end, "overflowed its stack"),
    );
}

#[test]
fn a_job_that_finds_no_memory_aborts_the_process() {
    ending(
        PATIENCE,
        |variant| {
            scene(variant, || {
                let (_, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
                let room = (os::addresses() + 64 * 1024) * 1024;
                setrlimit(Resource::RLIMIT_AS, room, hard).unwrap();
                black_box(vec![1_u8; 1 << 30]);
            });
        },
        |end| assert_aborted(end, "memory allocation of"),
    );
}

#[test]
fn a_job_that_panics_while_it_unwinds_aborts_the_process() {
    ending(
        PATIENCE,
        |variant| {
            scene(variant, || {
                let _second = Hostile(1);
                throw("the first")
            });
        },
        |end| assert_aborted(end, "panic in a destructor"),
    );
}

#[test]
fn a_job_that_exits_ends_the_process_with_its_code_while_others_run() {
    const CODE: i32 = 7;
    #[expect(clippy::disallowed_methods, reason = "this is the fault")]
    fn exit() {
        std::process::exit(CODE);
    }
    ending(
        PATIENCE,
        |variant| scene(variant, exit),
        |end| {
            assert_eq!(end.code(), Some(CODE));
            assert_nothing_is_half(end);
        },
    );
}

/// Leaves a pool behind whose jobs wait for ever, and returns.
fn leak(variant: &Variant, workers: usize) -> Pool {
    let pool = pool(variant, workers, 4);
    let gate = Gate::new();
    for _ in 0..pool.bound().get() {
        submit(&pool, Act::new(|| ()).after(&gate));
    }
    gate.wait_for(workers);
    forget(gate);
    pool
}

#[test]
fn main_returns_while_jobs_of_a_leaked_pool_run() {
    ending(
        PATIENCE,
        |variant| forget(leak(variant, 3)),
        |end| assert_eq!(end.code(), Some(0)),
    );
}

#[test]
fn main_returns_while_a_thread_waits_for_jobs_that_never_end() {
    ending(
        PATIENCE,
        |variant| {
            let pool = leak(variant, 2);
            let waiter = crate::kit::Waiter::start(move || {
                pool.close();
                drain(&pool);
            });
            waiter.asleep();
        },
        |end| assert_eq!(end.code(), Some(0)),
    );
}
