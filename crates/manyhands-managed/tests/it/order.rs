//! Which job is next.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use manyhands_channel::ChannelPool;
use manyhands_conformance::watchdog;
use manyhands_core::{Job, WorkerPool, WorkerPoolExt};
use manyhands_managed::{ManagedPool, Order, WhenFull};

/// A number to know it by, a priority and a key.
struct Ranked {
    number: u32,
    priority: i32,
    key: Option<&'static str>,
    meets: Option<Arc<Barrier>>,
}

impl Job for Ranked {
    type Output = u32;

    fn run(self) -> u32 {
        if let Some(barrier) = self.meets {
            barrier.wait();
        }
        self.number
    }
}

fn ranked(number: u32, priority: i32) -> Ranked {
    Ranked { number, priority, key: None, meets: None }
}

fn keyed(number: u32, key: &'static str) -> Ranked {
    Ranked { number, priority: 0, key: Some(key), meets: None }
}

/// A pool over the basic one, with that order.
fn over_channel<J: Job + 'static>(
    workers: usize,
    queue: usize,
    order: Order<J>,
) -> ManagedPool<J> {
    ManagedPool::builder()
        .workers(workers)
        .queue(queue)
        .order(order)
        .over(ChannelPool::new)
        .unwrap()
}

/// One worker, paused, and plenty of room.
fn paused(order: Order<Ranked>) -> ManagedPool<Ranked> {
    let pool = over_channel(1, 100, order);
    pool.pause();
    pool
}

fn by_priority(step: Duration) -> Order<Ranked> {
    Order::fifo().by_priority(step, |job: &Ranked| job.priority)
}

fn by_key() -> Order<Ranked> {
    Order::fifo().one_at_a_time(|job: &Ranked| job.key)
}

/// The numbers of the jobs, as they come out.
fn numbers(pool: &ManagedPool<Ranked>) -> Vec<u32> {
    pool.resume();
    pool.close();
    std::iter::from_fn(|| pool.recv()).filter_map(|c| c.done()).collect()
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn jobs_of_a_higher_priority_are_first_and_equals_in_their_order() {
    watchdog(|| {
        let pool = paused(by_priority(HOUR));
        for (number, priority) in [(1, 0), (2, 5), (3, -1), (4, 5), (5, 0)] {
            pool.submit(ranked(number, priority)).unwrap();
        }
        assert_eq!(numbers(&pool), [2, 4, 1, 5, 3]);
    });
}

#[test]
fn a_job_that_has_waited_long_enough_is_not_overtaken() {
    watchdog(|| {
        let step = Duration::from_millis(2);
        let pool = paused(by_priority(step));
        pool.submit(ranked(1, 0)).unwrap();
        // It has aged by more than a step of priority is worth.
        while pool.snapshot().oldest.unwrap() <= 2 * step {
            std::hint::spin_loop();
        }
        pool.submit(ranked(2, 1)).unwrap();
        pool.submit(ranked(3, 1_000_000)).unwrap();
        assert_eq!(numbers(&pool), [3, 1, 2]);
    });
}

#[test]
fn priorities_of_any_size_are_ordered() {
    watchdog(|| {
        let pool = paused(by_priority(Duration::MAX));
        for (number, priority) in [(1, i32::MIN), (2, 0), (3, i32::MAX)] {
            pool.submit(ranked(number, priority)).unwrap();
        }
        assert_eq!(numbers(&pool), [3, 2, 1]);
    });
}

#[test]
fn jobs_of_one_key_run_one_at_a_time_and_others_beside_them() {
    watchdog(|| {
        let pool = over_channel(3, 100, by_key());
        // These two meet: they run beside each other, with others of their
        // keys in between.
        let both = Arc::new(Barrier::new(2));
        let meets = |number, key| Ranked {
            meets: Some(Arc::clone(&both)),
            ..keyed(number, key)
        };
        pool.pause();
        pool.submit(meets(1, "a")).unwrap();
        pool.submit(keyed(2, "a")).unwrap();
        pool.submit(keyed(3, "a")).unwrap();
        pool.submit(meets(4, "b")).unwrap();
        pool.submit(keyed(5, "b")).unwrap();
        let numbers = numbers(&pool);
        let of = |these: [u32; 3]| -> Vec<_> {
            numbers.iter().filter(|n| these.contains(n)).copied().collect()
        };
        assert_eq!(of([1, 2, 3]), [1, 2, 3]);
        assert_eq!(of([4, 5, 0]), [4, 5]);
    });
}

#[test]
fn a_key_that_is_busy_holds_up_nobody_else() {
    watchdog(|| {
        let pool = over_channel(2, 10, by_key());
        let meet = Arc::new(Barrier::new(2));
        let meets = Some(Arc::clone(&meet));
        pool.submit(Ranked { meets, ..keyed(1, "busy") }).unwrap();
        pool.submit(keyed(2, "busy")).unwrap();
        pool.submit(ranked(3, 0)).unwrap();
        pool.submit(keyed(4, "other")).unwrap();
        let first = [pool.recv(), pool.recv()];
        assert_eq!(first.map(|c| c.unwrap().done()), [Some(3), Some(4)]);
        meet.wait();
        let then = [pool.recv(), pool.recv()];
        assert_eq!(then.map(|c| c.unwrap().done()), [Some(1), Some(2)]);
    });
}

/// Two that should be one after the other are noticed, whatever the schedule.
#[test]
fn jobs_of_one_key_are_never_at_work_together() {
    watchdog(|| {
        const JOBS: u32 = 400;
        let busy: Arc<[AtomicBool; 3]> = Arc::default();
        let counted = {
            let busy = Arc::clone(&busy);
            move |key: usize| {
                assert!(!busy[key].swap(true, SeqCst), "two of key {key}");
                thread::yield_now();
                busy[key].store(false, SeqCst);
                key
            }
        };
        struct Of<F>(usize, F);
        impl<F: Fn(usize) -> usize + Send> Job for Of<F> {
            type Output = usize;
            fn run(self) -> usize {
                (self.1)(self.0)
            }
        }
        let pool = over_channel(
            4,
            50,
            Order::fifo().one_at_a_time(|job: &Of<_>| Some(job.0)),
        );
        let jobs = (0..JOBS).map(|n| Of(n as usize % 3, counted.clone()));
        let mut done = 0;
        pool.run_all(jobs, |c| done += u32::from(c.outcome.is_done()))
            .unwrap();
        assert_eq!(done, JOBS);
    });
}

#[test]
fn the_oldest_of_a_key_can_be_given_up_and_the_next_takes_its_turn() {
    watchdog(|| {
        let pool = over_channel(1, 2, by_key());
        pool.pause();
        for number in 1..=3 {
            pool.submit(keyed(number, "a")).unwrap();
        }
        pool.offer(keyed(4, "a"), WhenFull::DropOldest).unwrap();
        pool.offer(keyed(5, "b"), WhenFull::DropOldest).unwrap();
        assert_eq!(numbers(&pool), [3, 4, 5]);
    });
}

#[test]
fn after_a_cancel_everything_comes_back_whatever_the_order() {
    watchdog(|| {
        let order = by_priority(HOUR).one_at_a_time(|job: &Ranked| job.key);
        let pool = paused(order);
        for number in 1..=3 {
            pool.submit(keyed(number, "a")).unwrap();
            pool.submit(ranked(number, 1)).unwrap();
        }
        pool.cancel();
        let all: Vec<_> = std::iter::from_fn(|| pool.recv()).collect();
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|c| c.outcome.is_cancelled()));
    });
}

/// With a look at all of the others for each, this takes minutes, under the
/// pool's lock.
#[test]
fn a_long_queue_behind_one_busy_key_is_cancelled_in_no_time() {
    watchdog(|| {
        const JOBS: u32 = 200_000;
        let pool = ManagedPool::builder()
            .workers(1)
            .queue(JOBS as usize)
            .order(by_key())
            .over(ChannelPool::new)
            .unwrap();
        let meet = Arc::new(Barrier::new(2));
        let meets = Some(Arc::clone(&meet));
        pool.submit(Ranked { meets, ..keyed(0, "busy") }).unwrap();
        while pool.snapshot().running == 0 {
            thread::yield_now();
        }
        for number in 0..JOBS {
            pool.submit(keyed(number, "busy")).unwrap();
        }
        pool.cancel();
        assert_eq!(pool.snapshot().cancelled, u64::from(JOBS));
        meet.wait();
    });
}

#[test]
fn an_order_asks_of_each_job_once_however_long_it_waits() {
    watchdog(|| {
        let asked = Arc::new(AtomicU32::new(0));
        let ask = |asked: &Arc<AtomicU32>| {
            let asked = Arc::clone(asked);
            move || {
                asked.fetch_add(1, SeqCst);
            }
        };
        let (rank, key) = (ask(&asked), ask(&asked));
        let order = Order::fifo()
            .by_priority(HOUR, move |job: &Ranked| {
                rank();
                job.priority
            })
            .one_at_a_time(move |job: &Ranked| {
                key();
                job.key
            });
        let pool = over_channel(1, 0, order);
        pool.pause();
        pool.submit(ranked(1, 0)).unwrap();
        let short = Duration::from_millis(1);
        pool.submit_timeout(ranked(2, 0), short).unwrap_err();
        for policy in
            [WhenFull::Refuse, WhenFull::DropNewest, WhenFull::DropOldest]
        {
            let _ = pool.offer(ranked(3, 0), policy);
        }
        thread::scope(|scope| {
            scope.spawn(|| pool.submit(ranked(4, 0)).unwrap());
            scope.spawn(|| pool.offer(ranked(5, 0), WhenFull::Wait).unwrap());
            while asked.load(SeqCst) < 2 * 7 {
                thread::yield_now();
            }
            pool.resume();
            (0..5).for_each(|_| drop(pool.recv().unwrap()));
        });
        assert_eq!(asked.load(SeqCst), 2 * 7);
    });
}

#[test]
fn a_caller_runs_no_job_whose_key_is_in_use() {
    watchdog(|| {
        const POLICY: WhenFull = WhenFull::CallerRuns;
        let pool = over_channel(1, 0, by_key());
        let [begins, ends] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let meets = |barrier| Some(Arc::clone(barrier));
        pool.submit(Ranked { meets: meets(&ends), ..keyed(1, "a") }).unwrap();
        thread::scope(|scope| {
            let waits =
                scope.spawn(|| pool.offer(keyed(2, "a"), POLICY).unwrap());
            // Of another key, it runs here, though later than that one.
            let other = Ranked { meets: meets(&begins), ..keyed(3, "b") };
            let runs = scope.spawn(|| pool.offer(other, POLICY).unwrap());
            while pool.snapshot().running < 2 {
                thread::yield_now();
            }
            assert!(!waits.is_finished());
            begins.wait();
            runs.join().unwrap();
            assert_eq!(pool.recv().unwrap().done(), Some(3));
            ends.wait();
            assert_eq!(pool.recv().unwrap().done(), Some(1));
            assert_eq!(pool.recv().unwrap().done(), Some(2));
        });
    });
}

#[test]
fn a_job_waits_for_one_of_its_key_that_a_caller_runs() {
    watchdog(|| {
        let pool = over_channel(1, 2, by_key());
        let [held, meet] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let meets = |barrier| Some(Arc::clone(barrier));
        let first = Ranked { meets: meets(&held), ..keyed(1, "a") };
        pool.submit(first).unwrap();
        while pool.snapshot().running == 0 {
            thread::yield_now();
        }
        pool.submit(keyed(2, "b")).unwrap();
        pool.submit(keyed(3, "b")).unwrap();
        thread::scope(|scope| {
            let caller = Ranked { meets: meets(&meet), ..keyed(4, "c") };
            scope.spawn(|| pool.offer(caller, WhenFull::CallerRuns).unwrap());
            while pool.snapshot().running < 2 {
                thread::yield_now();
            }
            held.wait();
            let answer = || pool.recv().unwrap().done().unwrap();
            assert_eq!([answer(), answer(), answer()], [1, 2, 3]);
            pool.submit(keyed(5, "c")).unwrap();
            pool.submit(keyed(6, "d")).unwrap();
            assert_eq!(answer(), 6);
            meet.wait();
            assert_eq!([answer(), answer()], [4, 5]);
        });
    });
}

#[test]
fn the_oldest_is_the_one_that_came_first_whatever_its_priority() {
    watchdog(|| {
        let pool = paused(by_priority(HOUR));
        pool.submit(ranked(1, 0)).unwrap();
        let little = Duration::from_millis(1);
        while pool.snapshot().oldest.unwrap() < little {
            thread::yield_now();
        }
        pool.submit(ranked(2, 1)).unwrap();
        assert!(pool.snapshot().oldest.unwrap() >= little);
        pool.cancel();
    });
}
