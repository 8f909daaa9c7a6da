use std::convert::Infallible;
use std::error::Error;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::{
    BuildError, CancelToken, GroupError, InlinePool, Task, TaskGroup,
    WorkerPool,
};

use crate::held::Held;
use crate::often;
use crate::small::Small;

/// What jobs of the tests return.
type Answer = Result<u32, String>;

fn fails() -> Answer {
    Err(String::from("no"))
}

fn panics() -> Answer {
    resume_unwind(Box::new("boom"))
}

/// Panics when dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        resume_unwind(Box::new("dropped"));
    }
}

/// A job that runs on a thread until the group's token is cancelled: returns
/// when it has begun, with what says whether it has ended.
fn begin_long_job(
    pool: &Arc<Held>,
    group: &mut TaskGroup<'static, u32, String, Arc<Held>>,
) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let ended = Arc::new(AtomicBool::new(false));
    let (token, ends) = (group.token().clone(), Arc::clone(&ended));
    let (begin, begun): (_, Receiver<()>) = channel();
    let work = move || {
        begin.send(()).unwrap();
        token.wait();
        ends.store(true, Ordering::SeqCst);
        Ok(0)
    };
    group.spawn(work).unwrap();
    let pool = Arc::clone(pool);
    let runner = thread::spawn(move || pool.run());
    begun.recv().unwrap();
    (ended, runner)
}

#[test]
fn answers_are_in_the_order_of_spawning_however_the_jobs_end() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        for n in 0..10 {
            assert_eq!(
                group.spawn(move || Ok::<_, Infallible>(n)).unwrap(),
                n
            );
        }
        assert_eq!((group.len(), group.unfinished()), (10, 10));
        pool.jobs.lock().unwrap().reverse();
        pool.run();
        assert_eq!((group.len(), group.unfinished()), (10, 0));
        assert!(group.wait_first_error().unwrap().into_iter().eq(0..10));

        let mut group = TaskGroup::new(&pool);
        for n in 0..10 {
            group.spawn(move || if n == 7 { fails() } else { Ok(n) }).unwrap();
        }
        pool.jobs.lock().unwrap().reverse();
        pool.run();
        let all = group.wait_all();
        assert_eq!(all.len(), 10);
        for (n, result) in (0..).zip(all) {
            match result {
                Ok(answer) => assert_eq!(answer, n),
                Err(error) => assert_eq!((error.job(), n), (7, 7)),
            }
        }
    });
}

#[test]
fn results_come_one_by_one_in_order_of_finishing_with_their_numbers() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        assert!(group.next().is_none() && group.is_empty());
        for n in 10..13 {
            group.spawn(move || Answer::Ok(n)).unwrap();
        }
        pool.run_at(2);
        let (number, answer) = group.next().unwrap();
        assert_eq!((number, answer.unwrap()), (2, 12));
        assert_eq!(group.size_hint(), (2, Some(2)));
        pool.run();
        assert!(group.by_ref().map(|(number, _)| number).eq([0, 1]));
        // It goes on after an end.
        group.spawn(|| Ok(13)).unwrap();
        pool.run();
        assert!(matches!(group.next(), Some((3, Ok(13)))));
        assert!(group.wait_all().is_empty());
    });
}

#[test]
fn the_first_error_keeps_what_has_not_started_from_starting() {
    watchdog(|| {
        for first in [fails, panics] {
            let pool = Held::default();
            let mut group = TaskGroup::new(&pool);
            let token = group.token().clone();
            let held = Arc::new(());
            for n in 0..5 {
                let held = Arc::clone(&held);
                let work = move || {
                    if n == 1 {
                        first()
                    } else {
                        drop(held);
                        Ok(n)
                    }
                };
                group.spawn(work).unwrap();
            }
            pool.run_at(1);
            pool.run_at(3);
            // Three are queued, and nobody runs them.
            let error = group.wait_first_error().unwrap_err();
            assert_eq!(error.job(), 1);
            assert!(!matches!(error, GroupError::Cancelled { .. }));
            assert!(token.is_cancelled());
            assert_eq!(Arc::strong_count(&held), 1, "captures are kept");
            assert_eq!(pool.len(), 3);
            pool.run();
        }
    });
}

#[test]
fn the_first_error_is_returned_after_what_runs_has_ended() {
    watchdog(|| {
        let pool = Arc::new(Held::default());
        let mut group = TaskGroup::new(Arc::clone(&pool));
        let (ended, runner) = begin_long_job(&pool, &mut group);
        group.spawn(fails).unwrap();
        pool.run();
        let error = group.wait_first_error().unwrap_err();
        assert_eq!(error.into_error().unwrap(), "no");
        assert!(ended.load(Ordering::SeqCst));
        runner.join().unwrap();
    });
}

#[test]
fn a_group_that_is_dropped_is_cancelled_and_waited_for() {
    watchdog(|| {
        let pool = Arc::new(Held::default());
        let mut group = TaskGroup::new(Arc::clone(&pool));
        let (ended, runner) = begin_long_job(&pool, &mut group);
        group.spawn(|| panic!("it starts")).unwrap();
        drop(group);
        assert!(ended.load(Ordering::SeqCst));
        pool.run();
        runner.join().unwrap();
    });
}

#[test]
fn what_was_cancelled_says_so_and_a_failure_says_more() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        for _ in 0..3 {
            group.spawn(fails).unwrap();
        }
        group.cancel();
        let all = group.wait_all();
        for (n, result) in all.iter().enumerate() {
            let Err(GroupError::Cancelled { job }) = result else {
                panic!("{result:?}");
            };
            assert_eq!(*job, n);
        }

        // The pool drops the first; the other is already at work then.
        let mut group = TaskGroup::new(&pool);
        for work in [|| Ok(0), fails] {
            group.spawn(work).unwrap();
        }
        drop(pool.jobs.lock().unwrap().remove(3));
        pool.run();
        let error = group.wait_first_error().unwrap_err();
        assert!(matches!(error, GroupError::Failed { job: 1, .. }), "{error}");

        let mut group = TaskGroup::new(&pool);
        group.spawn(|| Answer::Ok(0)).unwrap();
        pool.jobs.lock().unwrap().clear();
        let error = group.wait_first_error().unwrap_err();
        assert!(matches!(error, GroupError::Cancelled { job: 0 }), "{error}");
    });
}

#[test]
fn what_is_spawned_after_a_cancel_never_reaches_the_pool() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        group.token().cancel();
        assert_eq!(group.spawn(fails).unwrap(), 0);
        assert_eq!(group.try_spawn(fails).unwrap(), 1);
        assert_eq!(pool.len(), 0);
        let all = group.wait_all();
        assert!(matches!(
            all[..],
            [
                Err(GroupError::Cancelled { job: 0 }),
                Err(GroupError::Cancelled { job: 1 })
            ]
        ));
    });
}

#[test]
fn a_group_ends_with_the_token_that_it_is_under_and_not_the_other_way() {
    watchdog(|| {
        let pool = Held::default();
        let request = CancelToken::new();
        for cancel in [false, true] {
            let mut group = TaskGroup::under(&request, &pool);
            group.spawn(|| Answer::Ok(1)).unwrap();
            if cancel {
                request.cancel();
            }
            assert_eq!(group.token().is_cancelled(), cancel);
            pool.run();
            assert_eq!(group.wait_first_error().is_err(), cancel);
            assert_eq!(request.is_cancelled(), cancel);
        }

        let over = CancelToken::new().child_for(Duration::ZERO);
        let mut group = TaskGroup::under(&over, &pool);
        group.spawn(|| Answer::Ok(1)).unwrap();
        assert!(group.wait_first_error().is_err());
    });
}

#[test]
fn who_waits_for_a_group_needs_no_worker_when_its_token_is_cancelled() {
    watchdog(|| {
        // Nobody runs its jobs.
        let pool = Held::default();
        for _ in 0..often(50) {
            let request = CancelToken::new();
            let mut group = TaskGroup::under(&request, &pool);
            let held = Arc::new(());
            for _ in 0..2 {
                let held = Arc::clone(&held);
                let work = move || {
                    drop(held);
                    Answer::Ok(1)
                };
                group.spawn(work).unwrap();
            }
            let canceller = thread::spawn(move || request.cancel());
            let all = group.wait_all();
            assert_eq!(all.into_iter().filter(Result::is_err).count(), 2);
            assert_eq!(Arc::strong_count(&held), 1);
            canceller.join().unwrap();
        }
    });
}

#[test]
fn who_waits_for_a_group_needs_no_worker_when_its_deadline_is_over() {
    watchdog(|| {
        let pool = Held::default();
        let request = CancelToken::new().child_for(Duration::from_millis(5));
        let mut group = TaskGroup::under(&request, &pool);
        group.spawn(|| Answer::Ok(1)).unwrap();
        let error = group.wait_first_error().unwrap_err();
        assert!(matches!(error, GroupError::Cancelled { job: 0 }), "{error}");
    });
}

#[test]
fn a_refused_closure_comes_back_and_has_no_number() {
    watchdog(|| {
        let pool = Held { refuse: true, ..Held::default() };
        let mut group = TaskGroup::new(&pool);
        let word = String::from("mine");
        let refused = group.spawn(move || Err::<u32, _>(word)).unwrap_err();
        assert_eq!((refused.0)(), Err(String::from("mine")));
        let refused = group.try_spawn(fails).unwrap_err();
        assert!(refused.is_full());
        assert_eq!((group.len(), group.unfinished()), (0, 0));
        assert!(group.wait_all().is_empty());

        let pool = InlinePool::<Task<'_>>::new();
        let mut group = TaskGroup::new(&pool);
        assert_eq!(group.try_spawn(|| Answer::Ok(1)).unwrap(), 0);
        pool.close();
        assert!(group.try_spawn(fails).unwrap_err().is_closed());
        assert_eq!(group.wait_first_error().unwrap(), [1]);
    });
}

#[test]
fn a_number_that_a_refused_closure_had_goes_to_the_next() {
    watchdog(|| {
        let pool = Small::<Task<'static>>::new(1, 0);
        let mut group = TaskGroup::new(&pool);
        let (release, gate) = channel::<()>();
        let work = move || Answer::Ok(u32::from(gate.recv().is_err()));
        assert_eq!(group.spawn(work).unwrap(), 0);
        assert!(group.try_spawn(fails).unwrap_err().is_full());
        drop(release);
        assert_eq!(group.spawn(|| Ok(2)).unwrap(), 1);
        assert_eq!(group.wait_first_error().unwrap(), [1, 2]);
    });
}

#[test]
fn a_group_keeps_of_its_jobs_what_is_queued_and_no_more() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        for n in 0..3 {
            group.spawn(move || Answer::Ok(n)).unwrap();
        }
        pool.run_at(1);
        let shown = format!("{group:?}");
        let expected =
            "TaskGroup { spawned: 3, queued: 2, unfinished: 2, .. }";
        assert_eq!(shown, expected);
    });
}

#[test]
fn groups_on_one_pool_have_nothing_of_each_other_and_leave_nothing() {
    watchdog(|| {
        let words = [String::from("many"), String::from("hands")];
        let pool = InlinePool::<Task<'_>>::new();
        let mut lengths = TaskGroup::new(&pool);
        let mut broken = TaskGroup::new(&pool);
        for word in &words {
            lengths.spawn(|| Ok::<_, Infallible>(word.len())).unwrap();
            broken.spawn(panics).unwrap();
        }
        assert!(broken.wait_first_error().is_err());
        assert_eq!(lengths.wait_first_error().unwrap(), [4, 5]);
        pool.close();
        assert!(pool.recv().is_none());
    });
}

#[test]
fn what_a_group_drops_is_contained() {
    watchdog(|| {
        let pool = Held::default();
        let mut group = TaskGroup::new(&pool);
        for n in 0..4 {
            let hostile = Hostile;
            let work = move || if n == 2 { Err(hostile) } else { Ok(hostile) };
            group.spawn(work).unwrap();
        }
        // One answer, one error, and two that never start.
        pool.run_at(0);
        pool.run_at(1);
        drop(group);

        let mut group = TaskGroup::new(&pool);
        group.spawn(|| Ok(Hostile)).unwrap();
        group.spawn(|| Err(())).unwrap();
        pool.run();
        assert_eq!(group.wait_first_error().err().unwrap().job(), 1);

        let mut group = TaskGroup::new(&pool);
        group.spawn(|| Err(())).unwrap();
        group.spawn(|| Ok(Hostile)).unwrap();
        pool.run();
        assert_eq!(group.wait_first_error().err().unwrap().job(), 0);
    });
}

#[test]
fn whoever_waits_is_woken_by_each_end() {
    watchdog(|| {
        for _ in 0..often(200) {
            let pool = Arc::new(Held::default());
            let mut group = TaskGroup::new(Arc::clone(&pool));
            for n in 0..3 {
                group.spawn(move || Answer::Ok(n)).unwrap();
            }
            let runner = {
                let pool = Arc::clone(&pool);
                thread::spawn(move || pool.run())
            };
            assert_eq!(group.wait_first_error().unwrap(), [0, 1, 2]);
            runner.join().unwrap();
        }
    });
}

#[test]
fn an_error_of_a_group_says_which_job_and_what_and_where() {
    watchdog(|| {
        let errors = |name: Option<&str>| {
            let pool = Arc::new(Held::default());
            let mut group = TaskGroup::new(Arc::clone(&pool));
            for work in [fails, panics, fails] {
                group.spawn(work).unwrap();
            }
            pool.jobs.lock().unwrap().pop();
            let mut builder = thread::Builder::new();
            if let Some(name) = name {
                builder = builder.name(name.to_owned());
            }
            builder.spawn(move || pool.run()).unwrap().join().unwrap();
            let errors = group.wait_all().into_iter().map(Result::unwrap_err);
            errors.map(|error| error.to_string()).collect::<Vec<_>>()
        };
        let expected = [
            "job 0 failed: no",
            "job 1 panicked on the thread \"worker 7\": boom",
            "job 2 was cancelled, not run",
        ];
        assert_eq!(errors(Some("worker 7")), expected);
        assert_eq!(errors(None)[1], "job 1 panicked: boom");

        let error = BuildError::Spawn(std::io::Error::other("no room"));
        let error = GroupError::Failed { job: 0, error };
        assert_eq!(error.source().unwrap().to_string(), "no room");
        assert!(
            GroupError::<String>::Cancelled { job: 0 }.into_error().is_none()
        );
    });
}
