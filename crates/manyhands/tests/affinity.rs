//! Workers that are pinned, as the system sees them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::sync::Arc;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;

use manyhands::affinity::{pin_to_cores, pin_to_cores_and};
use manyhands::channel::ChannelPool;
use manyhands::{ThreadOptions, WorkerPool, WorkerPoolExt};
use manyhands_conformance::watchdog;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The cores that the calling thread may run on.
fn cores() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).unwrap();
    (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap()).collect()
}

/// Where each of so many workers may run, by its name.
fn pinned(workers: usize) -> Vec<(String, Vec<usize>)> {
    let pool = ChannelPool::builder()
        .workers(workers)
        .thread_name("on core")
        .on_start(pin_to_cores());
    let pool = pool.build().unwrap();
    // Each has one.
    let all = Arc::new(Barrier::new(workers));
    for _ in 0..workers {
        let all = Arc::clone(&all);
        let job = move || {
            all.wait();
            (thread::current().name().unwrap().to_owned(), cores())
        };
        pool.submit(job).unwrap();
    }
    pool.close();
    let mut pinned: Vec<_> =
        pool.completions().filter_map(|it| it.done()).collect();
    pinned.sort();
    pinned
}

#[test]
fn worker_n_is_on_core_n_modulo_the_number_of_cores() {
    watchdog(|| {
        let cores = cores();
        let workers = cores.len() + 2;
        let mut expected: Vec<_> = (0..workers)
            .map(|index| {
                let name = format!("on core {}", index + 1);
                (name, vec![cores[index % cores.len()]])
            })
            .collect();
        expected.sort();
        assert_eq!(pinned(workers), expected);
        assert_eq!(self::cores(), cores, "who built the pool is not pinned");
    });
}

#[test]
fn workers_are_on_cores_that_their_maker_may_run_on() {
    watchdog(|| {
        let last = *cores().last().unwrap();
        let mut only = CpuSet::new();
        only.set(last).unwrap();
        sched_setaffinity(Pid::from_raw(0), &only).unwrap();
        for (_, cores) in pinned(2) {
            assert_eq!(cores, [last]);
        }
    });
}

#[test]
fn who_asks_is_told_of_each_worker() {
    watchdog(|| {
        let (told, heard) = channel();
        let options = ThreadOptions::new().on_start(pin_to_cores_and(
            move |worker, core| told.send((worker.index(), core)).unwrap(),
        ));
        let cores = cores();
        for index in [0, cores.len()] {
            let thread = options.spawn("worker", index, || ()).unwrap();
            thread.join().unwrap();
            assert_eq!(heard.recv().unwrap(), (index, Some(cores[0])));
        }
    });
}
