//! An end at a deadline. How each pool does it is tested with the pools.

use std::mem::forget;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{
    Closed, Completion, InlinePool, Job, JobId, Ticket, TrySubmitError,
    WorkerPool, WorkerPoolExt, run_one,
};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);

type Work = Box<dyn FnOnce() -> u32 + Send>;

#[test]
fn jobs_are_counted_by_how_they_ended() {
    watchdog(|| {
        let pool = InlinePool::<Work>::new();
        for n in 0..3 {
            pool.submit(Box::new(move || n)).unwrap();
        }
        let boom = || std::panic::resume_unwind(Box::new("boom"));
        pool.submit(Box::new(boom)).unwrap();
        let mut seen = Vec::new();
        let end = pool.shutdown(LONG, |completion| {
            seen.push(completion.outcome.is_done());
        });
        let end = end.unwrap();
        assert_eq!((end.done, end.panicked, end.cancelled), (3, 1, 0));
        assert_eq!(end.abandoned, Some(0));
        assert!(end.is_complete());
        assert_eq!(seen, [true, true, true, false]);
    });
}

#[test]
fn a_job_that_never_ends_is_counted_as_abandoned() {
    watchdog(|| {
        let pool = Arc::new(InlinePool::<Work>::new());
        let (start, started) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let stuck = {
            let pool = Arc::clone(&pool);
            let job = move || {
                start.send(()).unwrap();
                let _opened = gate.recv();
                0
            };
            thread::spawn(move || pool.submit(Box::new(job)).is_ok())
        };
        started.recv().unwrap();
        let end = Arc::clone(&pool).shutdown(Duration::ZERO, drop).unwrap();
        assert_eq!((end.done, end.abandoned), (0, Some(1)));
        assert!(!end.is_complete());
        drop(open);
        assert!(stuck.join().unwrap());
        until_alone(&pool);
    });
}

/// Waits until the thread that `shutdown` has left behind is gone too.
fn until_alone<P>(pool: &Arc<P>) {
    while Arc::strong_count(pool) > 1 {
        thread::yield_now();
    }
}

/// A pool that runs nothing, and gives its jobs back once it was cancelled so
/// many times. It does not count them.
struct Idle {
    patience: u32,
    state: Mutex<State>,
    cancelled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Ticket<Work>>,
    cancels: u32,
}

impl Idle {
    fn new(patience: u32) -> Arc<Self> {
        let (state, cancelled) = Default::default();
        Arc::new(Self { patience, state, cancelled })
    }
}

impl WorkerPool<Work> for Idle {
    fn submit(&self, job: Work) -> Result<JobId, Closed<Work>> {
        let mut state = self.state.lock().unwrap();
        let id = JobId::new(state.jobs.len() as u64);
        state.jobs.push(Ticket { id, job });
        Ok(id)
    }

    fn try_submit(&self, job: Work) -> Result<JobId, TrySubmitError<Work>> {
        Ok(self.submit(job)?)
    }

    fn recv(&self) -> Option<Completion<Work>> {
        let state = self.state.lock().unwrap();
        let waits = |state: &mut State| state.cancels < self.patience;
        let mut state = self.cancelled.wait_while(state, waits).unwrap();
        Some(run_one(state.jobs.pop()?, true))
    }

    fn close(&self) {}

    fn cancel(&self) {
        self.state.lock().unwrap().cancels += 1;
        self.cancelled.notify_all();
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MAX
    }
}

#[test]
fn what_comes_too_late_for_the_sink_is_counted_as_unread() {
    watchdog(|| {
        let pool = Idle::new(1);
        for n in 0..3 {
            pool.submit(Box::new(move || n)).unwrap();
        }
        let (told, all_read) = mpsc::channel();
        let pool = Told { pool, told };
        let slow = |_| {
            // The others are at hand, and the time for them is over: longer
            // than the tenth of a second for what comes back.
            all_read.recv().unwrap();
            thread::sleep(Duration::from_millis(200));
        };
        let end = pool.shutdown(Duration::ZERO, slow).unwrap();
        assert_eq!((end.cancelled, end.unread), (3, 2));
        assert!(!end.is_complete());
    });
}

/// A pool that tells when its reader comes to the end, and so has handed on
/// all that there was.
struct Told<P> {
    pool: P,
    told: mpsc::Sender<()>,
}

impl<J: Job, P: WorkerPool<J>> WorkerPool<J> for Told<P> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.pool.submit(job)
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.pool.try_submit(job)
    }

    fn recv(&self) -> Option<Completion<J>> {
        let received = self.pool.recv();
        if received.is_none() {
            self.told.send(()).unwrap();
        }
        received
    }

    fn close(&self) {
        self.pool.close();
    }

    fn cancel(&self) {
        self.pool.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.pool.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.pool.bound()
    }
}

/// A pool that always has a completion at hand, until it is cancelled.
#[derive(Default)]
struct Endless(AtomicBool);

impl WorkerPool<Work> for Endless {
    fn submit(&self, job: Work) -> Result<JobId, Closed<Work>> {
        Err(Closed(job))
    }

    fn try_submit(&self, job: Work) -> Result<JobId, TrySubmitError<Work>> {
        Err(TrySubmitError::Closed(job))
    }

    fn recv(&self) -> Option<Completion<Work>> {
        let job: Work = Box::new(|| 1);
        let ticket = Ticket { id: JobId::new(0), job };
        let cancelled = self.0.load(Ordering::SeqCst);
        (!cancelled).then(|| run_one(ticket, false))
    }

    fn close(&self) {}

    fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MAX
    }
}

#[test]
fn a_stream_without_end_does_not_put_the_deadline_off() {
    watchdog(|| {
        let pool = Endless::default();
        let end = pool.shutdown(Duration::from_millis(10), drop).unwrap();
        assert_eq!((end.abandoned, end.cancelled), (Some(0), 0));
    });
}

#[test]
fn a_sink_that_panics_is_not_joined_by_what_is_unread() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    watchdog(|| {
        let pool = InlinePool::new();
        for _ in 0..3 {
            pool.submit(|| Hostile).unwrap();
        }
        let (told, all_read) = mpsc::channel();
        let pool = Told { pool, told };
        let first = AssertUnwindSafe(|| {
            pool.shutdown(LONG, |completion| {
                forget(completion);
                // The others have come meanwhile.
                all_read.recv().unwrap();
                resume_unwind(Box::new("sunk"));
            })
        });
        let payload = catch_unwind(first).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"sunk"));
    });
}

#[test]
fn what_has_not_started_at_the_deadline_is_cancelled_and_comes_back() {
    watchdog(|| {
        let pool = Idle::new(1);
        for n in 0..3 {
            pool.submit(Box::new(move || n)).unwrap();
        }
        let mut back = 0;
        let end = pool.shutdown(Duration::ZERO, |completion| {
            back += u32::from(completion.outcome.is_cancelled());
        });
        let end = end.unwrap();
        assert_eq!((end.done, end.cancelled, back), (0, 3, 3));
        assert!(end.is_complete());
    });
}

#[test]
fn a_pool_that_does_not_count_leaves_an_unknown_number_behind() {
    watchdog(|| {
        let pool = Idle::new(2);
        pool.submit(Box::new(|| 1)).unwrap();
        let end = Arc::clone(&pool).shutdown(Duration::ZERO, drop).unwrap();
        assert_eq!(end.abandoned, None);
        assert!(!end.is_complete());
        pool.cancel();
        until_alone(&pool);
    });
}
