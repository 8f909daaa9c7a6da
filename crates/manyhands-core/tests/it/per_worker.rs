use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use manyhands_conformance::watchdog;
use manyhands_core::{InlinePool, JobError, PerWorker, Spawn, Task};

use crate::small::Small;

/// A state that says where it was made and dropped. Not `Send`.
struct Noted {
    number: usize,
    made: ThreadId,
    ended: Sender<(usize, ThreadId, ThreadId)>,
    used: Rc<Cell<usize>>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let here = thread::current().id();
        let _ = self.ended.send((self.number, self.made, here));
    }
}

/// States that are numbered as they are made, and the news of their ends.
fn noted() -> (PerWorker<Noted>, Receiver<(usize, ThreadId, ThreadId)>) {
    let (ended, ends) = channel();
    let count = AtomicUsize::new(0);
    let make = move || Noted {
        number: count.fetch_add(1, Ordering::SeqCst),
        made: thread::current().id(),
        ended: ended.clone(),
        used: Rc::default(),
    };
    (PerWorker::new(make), ends)
}

/// How often it was used, this time included.
fn use_it(state: &mut Noted) -> usize {
    assert_eq!(state.made, thread::current().id());
    state.used.set(state.used.get() + 1);
    state.used.get()
}

#[test]
fn each_worker_has_its_own_state_for_one_job_after_the_other() {
    watchdog(|| {
        const WORKERS: usize = 3;
        let (states, ends) = noted();
        let pool = Small::<Task<'static>>::new(WORKERS, 10);
        for round in 1..=20 {
            // All at once, so each has a job.
            let all = Arc::new(Barrier::new(WORKERS));
            let answers = [(); WORKERS].map(|()| {
                let all = Arc::clone(&all);
                let job = states.job(move |state| {
                    all.wait();
                    use_it(state)
                });
                pool.spawn(job).unwrap()
            });
            for answer in answers {
                assert_eq!(answer.join().unwrap(), round);
            }
        }
        assert!(ends.try_recv().is_err(), "dropped before its thread ends");
        drop(pool);
        let mut numbers: Vec<_> = ends
            .try_iter()
            .map(|(number, made, dropped)| {
                assert_eq!(made, dropped, "on another thread");
                number
            })
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
    });
}

#[test]
fn a_clone_has_the_same_states_and_another_one_has_its_own() {
    let (states, _ends) = noted();
    let (others, _other_ends) = noted();
    assert_eq!(states.with(use_it), 1);
    assert_eq!(states.clone().with(use_it), 2);
    assert_eq!(others.with(use_it), 1);
    assert_eq!(states.job(use_it)(), 3);
}

#[test]
fn a_state_that_a_panic_has_left_is_dropped_and_made_anew() {
    watchdog(|| {
        let (states, ends) = noted();
        let pool = Small::<Task<'static>>::new(1, 1);
        let run = |boom: bool| {
            let job = states.job(move |state| {
                let used = use_it(state);
                if boom {
                    resume_unwind(Box::new("boom"));
                }
                (state.number, used)
            });
            pool.spawn(job).unwrap().join()
        };
        assert_eq!(run(false).unwrap(), (0, 1));
        assert_eq!(run(false).unwrap(), (0, 2));
        let Err(JobError::Panicked(panic)) = run(true) else {
            panic!("the handle does not say so");
        };
        assert_eq!(panic.message(), "boom");
        let (number, made, dropped) = ends.recv().unwrap();
        assert_eq!((number, made), (0, dropped));
        assert_eq!(run(false).unwrap(), (1, 1));
    });
}

#[test]
fn a_job_within_a_job_has_a_state_of_its_own_which_stays() {
    watchdog(|| {
        let (states, ends) = noted();
        for round in 1..=3 {
            let (outer, inner) = states.with(|outer| {
                let inner = states.with(|inner| {
                    assert_ne!(outer.number, inner.number);
                    use_it(inner)
                });
                (use_it(outer), inner)
            });
            assert_eq!((outer, inner), (round, round));
        }
        // As with a pool that runs a job while another one is at work.
        let pool = InlinePool::<Task<'_>>::new();
        let used = states.with(|_| {
            let answer = pool.spawn(states.job(use_it)).unwrap();
            answer.join().unwrap()
        });
        assert!(used > 1);
        assert!(ends.try_recv().is_err(), "two are enough, and both stay");
    });
}

#[test]
fn what_nobody_owns_any_more_goes_with_the_next_owner_or_the_thread() {
    watchdog(|| {
        let (ended, ends) = thread::spawn(|| {
            let (states, ends) = noted();
            states.with(use_it);
            drop(states);
            assert!(ends.try_recv().is_err(), "it stays on its thread");
            let (next, next_ends) = noted();
            next.with(use_it);
            assert!(ends.recv().is_ok(), "the next one has cleared away");
            (next_ends, ends)
        })
        .join()
        .unwrap();
        assert_eq!(ended.try_iter().count(), 1, "the thread has ended");
        assert_eq!(ends.try_iter().count(), 0, "nothing was dropped twice");
    });
}

#[test]
fn a_state_whose_making_panics_is_a_job_that_panics() {
    let count = AtomicUsize::new(0);
    let states = PerWorker::new(move || {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            resume_unwind(Box::new("not yet"));
        }
        Noted::none()
    });
    let first = catch_unwind(AssertUnwindSafe(states.job(use_it)));
    assert_eq!(first.unwrap_err().downcast_ref(), Some(&"not yet"));
    assert_eq!(states.with(use_it), 1);
}

impl Noted {
    /// One whose end interests nobody.
    fn none() -> Self {
        Self {
            number: 0,
            made: thread::current().id(),
            ended: channel().0,
            used: Rc::default(),
        }
    }
}

/// Panics when dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        resume_unwind(Box::new("dropped"));
    }
}

#[test]
fn a_state_that_panics_when_dropped_harms_nobody() {
    watchdog(|| {
        let ended = thread::spawn(|| {
            let states = PerWorker::new(|| Hostile);
            // Two of them at the end of the thread, one before.
            states.with(|_| states.with(|_| ()));
            let boom = states.job(|_| resume_unwind(Box::new("boom")));
            let caught = catch_unwind(AssertUnwindSafe(boom));
            let payload = caught.unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"boom"));
            states.with(|_| states.with(|_| ()));
            let orphans = PerWorker::new(|| Hostile);
            orphans.with(|_| orphans.with(|_| ()));
            drop(orphans);
            PerWorker::new(|| 0).with(|_| ());
        });
        assert!(ended.join().is_ok());
    });
}

#[test]
fn a_state_may_use_another_one_when_its_thread_ends() {
    struct Uses(PerWorker<u32>, Sender<u32>);
    impl Drop for Uses {
        fn drop(&mut self) {
            let count = self.0.with(|count| {
                *count += 1;
                *count
            });
            self.1.send(count).unwrap();
        }
    }
    watchdog(|| {
        let (used, uses) = channel();
        let numbers = PerWorker::new(|| 0);
        let states = {
            let numbers = numbers.clone();
            PerWorker::new(move || Uses(numbers.clone(), used.clone()))
        };
        let work = move || {
            numbers.with(|count| *count += 1);
            states.with(|_| ());
        };
        thread::spawn(work).join().unwrap();
        assert_eq!(uses.recv(), Ok(1), "made for this, since its own is gone");
    });
}
