//! What the pieces cost that every hand-over is made of, on one thread, with
//! nobody else near: no pool can be below their sum.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::Criterion;
use manyhands::Job;
use manyhands_trace::{Recorder, Traced};

/// How many jobs one recorder takes.
const MOST_TRACED: usize = 100_000;

pub(crate) fn define(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floors");
    let mutex = Mutex::new(0u64);
    group.bench_function("lock-and-unlock", |bencher| {
        bencher.iter(|| {
            *mutex.lock().expect("nobody panics with it") += 1;
        });
    });
    let number = AtomicU64::new(0);
    group.bench_function("fetch-add", |bencher| {
        bencher.iter(|| number.fetch_add(1, Ordering::SeqCst));
    });
    let (sender, receiver) = crossbeam_channel::bounded(1024);
    group.bench_function("channel-send-and-recv", |bencher| {
        bencher.iter(|| {
            sender.try_send([1u64, 2]).expect("there is room");
            receiver.try_recv()
        });
    });
    group.bench_function("catch-unwind", |bencher| {
        bencher
            .iter(|| catch_unwind(AssertUnwindSafe(|| black_box(1))).is_ok());
    });
    group.bench_function("allocate-and-free", |bencher| {
        bencher.iter(|| Box::new(black_box(1u64)));
    });
    group.bench_function("clock", |bencher| {
        bencher.iter(Instant::now);
    });
    // What it adds to a job to be recorded, from when it is made to its end.
    group.bench_function("traced-job", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for first in (0..times).step_by(MOST_TRACED) {
                let jobs = first..times.min(first + MOST_TRACED as u64);
                // With room for all of them, and its memory given back.
                let recorder = Recorder::new(MOST_TRACED);
                let clock = Instant::now();
                for number in jobs {
                    let job = || black_box(1);
                    black_box(Traced::new(number, job, &recorder).run());
                }
                spent += clock.elapsed();
            }
            spent
        });
    });
    group.bench_function("yield", |bencher| bencher.iter(thread::yield_now));
    group.finish();
}
