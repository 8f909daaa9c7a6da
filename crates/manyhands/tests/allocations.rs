//! What is allocated for a job. In a binary of its own, since it counts what
//! the whole process allocates.

#![cfg(all(
    feature = "batch",
    feature = "channel",
    feature = "tokio",
    feature = "waitgroup"
))]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::alloc::System;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use manyhands::tokio::tokio::sync::Semaphore;
use manyhands::tokio::{JoinSetPool, TaskPool, tokio};
use manyhands::{
    Config, JobHandle, Spawn, Task, WorkerPool, WorkerPoolExt, channel,
    waitgroup,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is counted is counted for all tests at once: each takes this first.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const JOBS: usize = 20_000;

/// Far from one a job: queues grow now and then, and a thread that waits
/// for the first time takes notes.
const HARDLY_ANY: usize = JOBS / 100;

/// How many allocations `work` makes, when it is done the second time.
fn allocations(mut work: impl FnMut()) -> usize {
    work();
    let region = Region::new(ALLOCATOR);
    work();
    region.change().allocations
}

/// Runs jobs one submit each, and in batches.
fn by_the_job<P: WorkerPool<Job>>(pool: P) -> usize {
    let mut read = Vec::new();
    allocations(move || {
        let mut owed = 0;
        for number in 0..JOBS {
            while pool.try_submit(Job(number)).is_err() {
                owed -= pool.recv_many(&mut read, usize::MAX);
                black_box(read.drain(..).count());
            }
            owed += 1;
        }
        while owed > 0 {
            owed -= pool.recv_many(&mut read, usize::MAX);
            black_box(read.drain(..).count());
        }
    })
}

struct Job(usize);

impl manyhands::Job for Job {
    type Output = usize;

    fn run(self) -> usize {
        self.0 * 2
    }
}

fn config() -> Config {
    Config::new(2, 510).unwrap()
}

#[test]
fn nothing_is_allocated_for_a_job() {
    let _alone = alone();
    let channel = channel::ChannelPool::new(config()).unwrap();
    assert!(by_the_job(channel) < HARDLY_ANY);
    let waitgroup = waitgroup::WaitGroupPool::new(config()).unwrap();
    assert!(by_the_job(waitgroup) < HARDLY_ANY);
    let batch = manyhands::batch::BatchPool::new(config()).unwrap();
    assert!(by_the_job(batch) < HARDLY_ANY);
}

#[test]
fn run_all_allocates_nothing_for_a_job() {
    let _alone = alone();
    let pool = manyhands::batch::BatchPool::new(config()).unwrap();
    let count = allocations(|| {
        let sink = |completion| drop(black_box(completion));
        pool.run_all((0..JOBS).map(Job), sink).unwrap();
    });
    assert!(count < HARDLY_ANY, "{count}");
}

#[test]
fn a_handle_costs_one_allocation() {
    let _alone = alone();
    let pool = channel::ChannelPool::<Task<'_>>::new(config()).unwrap();
    let count = allocations(|| {
        let mut handles: VecDeque<JobHandle<'_, usize>> = VecDeque::new();
        for number in 0..JOBS {
            if handles.len() == 256 {
                let oldest = handles.pop_front().unwrap();
                black_box(oldest.join().unwrap());
            }
            handles.push_back(pool.spawn(move || number * 2).unwrap());
        }
        for handle in handles {
            black_box(handle.join().unwrap());
        }
    });
    assert!(count >= JOBS, "{count}: the allocator does not count");
    assert!(count < JOBS + HARDLY_ANY, "{count}");
}

#[test]
fn a_closure_without_a_handle_costs_one_allocation() {
    let _alone = alone();
    let pool = channel::ChannelPool::<Task<'_>>::new(config()).unwrap();
    let count = allocations(|| {
        for number in 0..JOBS {
            let work = move || {
                black_box(number);
            };
            pool.execute(work).unwrap();
        }
        pool.spawn(|| ()).unwrap().join().unwrap();
    });
    assert!(count >= JOBS, "{count}: the allocator does not count");
    assert!(count < JOBS + HARDLY_ANY, "{count}");
}

/// What a job takes in the queue beside itself, in bytes, of a pool that is
/// full: its workers are held up.
fn overhead<P: WorkerPool<Large>>(make: impl FnOnce(Config) -> P) -> usize {
    /// So many that what else the process allocates meanwhile, kilobytes of
    /// the test's own threads, is not a byte a job.
    const QUEUED: usize = 200_000;
    let region = Region::new(ALLOCATOR);
    let (gate, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let pool = make(Config::new(1, QUEUED).unwrap());
    for _ in 0..=QUEUED {
        let held = Arc::clone(&held);
        let filler = [0; 6];
        pool.try_submit(Large { held, filler }).ok().unwrap();
    }
    let change = region.change();
    let bytes = change.bytes_allocated - change.bytes_deallocated;
    drop(gate);
    bytes / QUEUED - size_of::<Large>()
}

struct Large {
    held: Arc<Mutex<std::sync::mpsc::Receiver<()>>>,
    filler: [u64; 6],
}

impl manyhands::Job for Large {
    type Output = u64;

    fn run(self) -> u64 {
        // Returns once nobody holds the other end.
        let _ = self.held.lock().unwrap().recv();
        self.filler.iter().sum()
    }
}

#[test]
fn a_queued_job_takes_its_size_and_sixteen_bytes_at_most() {
    let _alone = alone();
    assert!(overhead(|it| channel::ChannelPool::new(it).unwrap()) <= 16);
    assert!(overhead(|it| waitgroup::WaitGroupPool::new(it).unwrap()) <= 16);
    let batch = |it| manyhands::batch::BatchPool::new(it).unwrap();
    assert!(overhead(batch) <= 16);
}

/// How many bytes a pool of tasks takes whose jobs all sleep.
fn asleep<P>(make: impl FnOnce(Config) -> P) -> usize
where
    P: WorkerPool<Sleeper>,
{
    let region = Region::new(ALLOCATOR);
    let wake = Arc::new(Semaphore::new(0));
    let asleep = Arc::new(AtomicUsize::new(0));
    let pool = make(Config::tasks(SLEEPERS, 0).unwrap());
    for _ in 0..SLEEPERS {
        let (wake, asleep) = (Arc::clone(&wake), Arc::clone(&asleep));
        pool.submit(Sleeper { wake, asleep }).ok().unwrap();
    }
    while asleep.load(Ordering::SeqCst) < SLEEPERS {
        thread::yield_now();
    }
    let change = region.change();
    wake.close();
    change.bytes_allocated - change.bytes_deallocated
}

const SLEEPERS: usize = 10_000;

struct Sleeper {
    wake: Arc<Semaphore>,
    asleep: Arc<AtomicUsize>,
}

impl manyhands::Job for Sleeper {
    type Output = bool;

    fn run(self) -> bool {
        unreachable!("it runs as a task")
    }
}

impl manyhands::AsyncJob for Sleeper {
    async fn run_async(self) -> bool {
        let mut woken = pin!(self.wake.acquire());
        let asleep = poll_fn(|context| {
            let polled = woken.as_mut().poll(context);
            self.asleep.fetch_add(1, Ordering::SeqCst);
            polled
        });
        let hour = Duration::from_secs(3600);
        tokio::time::timeout(hour, asleep).await.is_ok()
    }
}

#[test]
fn ten_thousand_jobs_that_sleep_take_ten_mebibytes_at_most() {
    const MOST: usize = 10 << 20;
    let _alone = alone();
    let workers = asleep(|it| TaskPool::new(it).unwrap());
    assert!((SLEEPERS..=MOST).contains(&workers), "{workers}");
    let tasks = asleep(|it| JoinSetPool::new(it).unwrap());
    assert!((SLEEPERS..=MOST).contains(&tasks), "{tasks}");
}
