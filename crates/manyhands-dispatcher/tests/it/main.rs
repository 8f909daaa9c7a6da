//! The observable behaviour of the "job queue with worker pool" of the Go
//! notes on Stack Overflow's documentation, and a defined answer wherever the
//! original has none.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{Closed, Job, Spawn, Task, WorkerPool, WorkerPoolExt};
use manyhands_dispatcher::{DispatcherPool, JobQueue};

/// The tutorial's job: it has an id, and processing it is all it does.
struct TestJob {
    id: usize,
    processed: Sender<usize>,
}

impl Job for TestJob {
    type Output = ();

    fn run(self) {
        self.processed.send(self.id).unwrap();
    }
}

fn test_jobs(count: usize) -> (Vec<TestJob>, Receiver<usize>) {
    let (processed, seen) = mpsc::channel();
    let job = |id| TestJob { id, processed: processed.clone() };
    ((0..count).map(job).collect(), seen)
}

#[test]
fn every_submitted_job_is_processed_before_stop_returns() {
    watchdog(|| {
        let queue = JobQueue::new(2).unwrap();
        queue.start().unwrap();
        let (jobs, seen) = test_jobs(8);
        jobs.into_iter().for_each(|job| queue.submit(job).unwrap());
        queue.stop();
        let mut seen: Vec<_> = seen.try_iter().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..8).collect::<Vec<_>>());
    });
}

#[test]
fn jobs_are_handed_out_in_the_order_they_were_submitted() {
    watchdog(|| {
        let queue = JobQueue::new(1).unwrap();
        queue.start().unwrap();
        let (jobs, seen) = test_jobs(100);
        jobs.into_iter().for_each(|job| queue.submit(job).unwrap());
        queue.stop();
        assert!(seen.try_iter().eq(0..100));
    });
}

#[test]
fn all_workers_work_at_the_same_time() {
    watchdog(|| {
        let together = Arc::new(Barrier::new(4));
        let queue = JobQueue::new(4).unwrap();
        queue.start().unwrap();
        for _ in 0..4 {
            let together = Arc::clone(&together);
            let job = move || {
                together.wait();
            };
            queue.submit(job).unwrap();
        }
        queue.stop();
    });
}

#[test]
fn stop_may_be_called_twice_and_from_two_threads() {
    watchdog(|| {
        let queue = Arc::new(JobQueue::<fn()>::new(2).unwrap());
        queue.start().unwrap();
        let stops = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.stop())
        });
        stops.into_iter().for_each(|stop| stop.join().unwrap());
        queue.stop();
    });
}

#[test]
fn stop_before_start_returns() {
    watchdog(|| {
        let queue = JobQueue::<fn()>::new(2).unwrap();
        queue.stop();
        assert!(queue.submit(|| ()).is_err());
    });
}

#[test]
fn stop_before_start_runs_what_a_submitter_was_waiting_to_hand_over() {
    watchdog(|| {
        let queue = Arc::new(JobQueue::new(2).unwrap());
        let (mut jobs, seen) = test_jobs(1);
        let job = jobs.remove(0);
        let submitter = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.submit(job).is_ok())
        };
        // Whether the submitter comes before or after the stop: its job was
        // run if and only if it was accepted.
        queue.stop();
        let accepted = submitter.join().unwrap();
        assert_eq!(seen.try_iter().count(), usize::from(accepted));
    });
}

#[test]
fn start_may_be_called_twice() {
    watchdog(|| {
        let queue = JobQueue::new(1).unwrap();
        queue.start().unwrap();
        queue.start().unwrap();
        let (mut jobs, seen) = test_jobs(1);
        queue.submit(jobs.remove(0)).unwrap();
        queue.stop();
        queue.start().unwrap(); // a stopped queue stays stopped
        assert_eq!(seen.try_iter().count(), 1);
    });
}

#[test]
fn submit_after_stop_gives_the_job_back() {
    watchdog(|| {
        let queue = JobQueue::new(2).unwrap();
        queue.start().unwrap();
        queue.stop();
        let (mut jobs, seen) = test_jobs(1);
        let Err(Closed(job)) = queue.submit(jobs.remove(0)) else {
            panic!("accepted after stop");
        };
        assert_eq!(job.id, 0);
        assert_eq!(seen.try_iter().count(), 0);
    });
}

#[test]
fn stop_while_every_worker_is_busy_loses_nothing() {
    watchdog(|| {
        let queue = Arc::new(JobQueue::new(2).unwrap());
        queue.start().unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let (ran, gate) = (Arc::clone(&ran), Arc::clone(&gate));
            let job: Box<dyn FnOnce() + Send> = Box::new(move || {
                gate.wait();
                ran.fetch_add(1, Ordering::SeqCst);
            });
            queue.submit(job).unwrap();
        }
        // Both workers are busy; the dispatcher takes one more into its hand.
        let more = Arc::clone(&ran);
        let job: Box<dyn FnOnce() + Send> = Box::new(move || {
            more.fetch_add(1, Ordering::SeqCst);
        });
        queue.submit(job).unwrap();
        let stopper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.stop())
        };
        gate.wait();
        stopper.join().unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_panicking_job_does_not_cost_a_worker() {
    // In the original with a `recover` in each worker, a job that comes after
    // as many panics as workers is accepted, and `Stop` waits for ever.
    watchdog(|| {
        let queue = JobQueue::<Box<dyn FnOnce() + Send>>::new(2).unwrap();
        queue.start().unwrap();
        for _ in 0..20 {
            let job = || std::panic::resume_unwind(Box::new("boom"));
            queue.submit(Box::new(job)).unwrap();
        }
        let together = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let together = Arc::clone(&together);
            let job = move || {
                together.wait();
            };
            queue.submit(Box::new(job)).unwrap();
        }
        queue.stop();
    });
}

#[test]
fn no_workers_are_refused() {
    let error = JobQueue::<fn()>::new(0).unwrap_err();
    assert_eq!(error.to_string(), "workers is 0, allowed is 1 to 1024");
}

#[test]
fn a_job_may_stop_its_own_queue() {
    watchdog(|| {
        type Queue = JobQueue<Box<dyn FnOnce() + Send>>;
        let queue = Arc::new(Queue::new(2).unwrap());
        queue.start().unwrap();
        let inside = Arc::clone(&queue);
        let both = Arc::new(Barrier::new(2));
        let ready = Arc::clone(&both);
        queue
            .submit(Box::new(move || {
                ready.wait();
                inside.stop();
            }))
            .unwrap();
        both.wait();
        queue.stop(); // beside the job's own
        assert!(queue.submit(Box::new(|| ())).is_err());
    });
}

#[test]
fn dropping_the_queue_stops_it() {
    watchdog(|| {
        let queue = JobQueue::new(3).unwrap();
        queue.start().unwrap();
        let (jobs, seen) = test_jobs(30);
        jobs.into_iter().for_each(|job| queue.submit(job).unwrap());
        drop(queue);
        assert_eq!(seen.iter().count(), 30);
    });
}

#[test]
fn the_pool_starts_jobs_in_the_order_of_their_ids() {
    watchdog(|| {
        let pool = DispatcherPool::builder().workers(1).build().unwrap();
        let started = Arc::new(Mutex::new(Vec::new()));
        for n in 0..100 {
            let started = Arc::clone(&started);
            pool.submit(move || started.lock().unwrap().push(n)).unwrap();
        }
        pool.close();
        assert_eq!(pool.completions().count(), 100);
        assert!(started.lock().unwrap().iter().copied().eq(0..100));
    });
}

#[test]
fn spawned_closures_answer_their_handles_and_pile_up_nowhere() {
    watchdog(|| {
        let pool: DispatcherPool<Task<'static>> =
            DispatcherPool::builder().workers(2).build().unwrap();
        assert_eq!(pool.spawn(|| 6 * 7).unwrap().join().unwrap(), 42);
        pool.close();
        assert!(pool.recv().is_none());
    });
}

/// Waits long enough for a drop that does not wait to be over first.
fn linger() {
    (0..1000).for_each(|_| thread::yield_now());
}

#[test]
fn dropping_the_queue_waits_for_its_jobs() {
    watchdog(|| {
        let queue = JobQueue::new(1).unwrap();
        queue.start().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let ended = Arc::clone(&ended);
            let job = move || {
                linger();
                ended.fetch_add(1, Ordering::SeqCst);
            };
            queue.submit(job).unwrap();
        }
        drop(queue);
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    });
}

/// Counts the threads that it was put on, as they end.
struct Farewell(Arc<AtomicUsize>);

impl Drop for Farewell {
    fn drop(&mut self) {
        linger();
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static FAREWELL: RefCell<Option<Farewell>> =
        const { RefCell::new(None) };
}

#[test]
fn when_stop_returns_the_workers_have_ended() {
    watchdog(|| {
        let queue = JobQueue::new(3).unwrap();
        queue.start().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        // One on each.
        let all = Arc::new(Barrier::new(3));
        for _ in 0..3 {
            let (ended, all) = (Arc::clone(&ended), Arc::clone(&all));
            let job = move || {
                FAREWELL.set(Some(Farewell(ended)));
                all.wait();
            };
            queue.submit(job).unwrap();
        }
        queue.stop();
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    });
}
