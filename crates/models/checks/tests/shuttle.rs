//! Whole pools, on schedules that shuttle draws at random and by priority.
//! A thread that waits for ever is a deadlock there, and fails the model.
#![cfg(shuttle)]

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use checks::{Make, POOLS, Pool, Work, answer, config, managed};
use manyhands_core::crew::{self, Crew};
use manyhands_core::{
    Closed, Completion, JobError, Outcome, Spawn, Task, ThreadOptions,
    TrySubmitError, WorkerPool, WorkerPoolExt,
};
use manyhands_semaphore::{AcquireError, Semaphore};
use shuttle::future::block_on;
use shuttle::sync::{Barrier, mpsc};
use shuttle::{check_pct, check_random, thread};

/// How many schedules, of each kind: `MODEL_SCHEDULES`, or a few.
fn schedules() -> usize {
    match std::env::var("MODEL_SCHEDULES") {
        Ok(number) => number.parse().expect("MODEL_SCHEDULES is a number"),
        Err(_) => 300,
    }
}

/// Tries a model on schedules of both kinds.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    let same = Arc::clone(&model);
    check_random(move || same(), schedules());
    check_pct(move || model(), schedules(), 3);
}

/// Tries a model on every pool, or on the one that `MODEL_POOL` names.
fn check_pools(model: fn(Make)) {
    let chosen = std::env::var("MODEL_POOL").ok();
    let mut tried = 0;
    for &(name, make) in POOLS {
        if chosen.as_deref().is_none_or(|chosen| chosen == name) {
            eprintln!("{name}");
            check(move || model(make));
            tried += 1;
        }
    }
    assert!(tried > 0, "MODEL_POOL={chosen:?} names no pool");
}

/// Every completion that is still to come.
fn drain(pool: &Pool) -> Vec<Completion<Work>> {
    std::iter::from_fn(|| pool.recv()).collect()
}

/// The answers, sorted; all must be done.
fn answers(completions: Vec<Completion<Work>>) -> Vec<u64> {
    let mut answers: Vec<u64> = completions
        .into_iter()
        .map(|it| it.done().expect("it is done").expect("it is Ok"))
        .collect();
    answers.sort_unstable();
    answers
}

#[test]
fn every_job_has_one_completion() {
    check_pools(|make| {
        let pool = Arc::new(make(config(2, 0)));
        let submitters: Vec<_> = [0, 10]
            .map(|first| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || {
                    [first, first + 1].map(|number| {
                        let id = pool.submit(answer(number));
                        (id.expect("it is open"), number)
                    })
                })
            })
            .into();
        let mut received: Vec<_> = (0..4)
            .map(|_| pool.recv().expect("four were submitted"))
            .map(|it| (it.id, it.done().expect("done").expect("it is Ok")))
            .collect();
        let mut submitted = Vec::new();
        for submitter in submitters {
            submitted.extend(submitter.join().expect("no submitter panics"));
        }
        pool.close();
        assert!(pool.recv().is_none());
        received.sort_unstable();
        submitted.sort_unstable();
        assert_eq!(received, submitted);
        submitted.dedup_by_key(|&mut (id, _)| id);
        assert_eq!(submitted.len(), 4, "an id was given twice");
    });
}

#[test]
fn a_submit_that_races_a_close_is_accepted_or_refused() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 0)));
        let submitters: Vec<_> = [0, 10]
            .map(|first| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || {
                    let mut accepted = Vec::new();
                    for number in first..first + 2 {
                        match pool.submit(answer(number)) {
                            Ok(_) => accepted.push(number),
                            Err(Closed(job)) => {
                                assert_eq!(job(), Ok(number));
                            }
                        }
                    }
                    accepted
                })
            })
            .into();
        let closer = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                pool.close();
                pool.close();
            })
        };
        let received = answers(drain(&pool));
        let mut accepted = Vec::new();
        for submitter in submitters {
            accepted.extend(submitter.join().expect("no submitter panics"));
        }
        closer.join().expect("close does not panic");
        accepted.sort_unstable();
        assert_eq!(received, accepted);
    });
}

#[test]
fn what_cancel_gives_back_was_not_run() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 1)));
        let ran = Arc::new(AtomicUsize::new(0));
        let submitter = {
            let (pool, ran) = (Arc::clone(&pool), Arc::clone(&ran));
            thread::spawn(move || {
                let job = || -> Work {
                    let ran = Arc::clone(&ran);
                    Box::new(move || {
                        ran.fetch_add(1, Ordering::SeqCst);
                        Ok(1)
                    })
                };
                (0..3).filter(|_| pool.submit(job()).is_ok()).count()
            })
        };
        pool.cancel();
        let before = ran.load(Ordering::SeqCst);
        let received = drain(&pool);
        let accepted = submitter.join().expect("no submitter panics");
        assert_eq!(received.len(), accepted);
        let done = received.iter().filter(|it| it.outcome.is_done()).count();
        let ran = ran.load(Ordering::SeqCst);
        assert_eq!(done, ran);
        // The worker may have been just about to start one.
        assert!(ran - before <= 1, "{} ran after cancel", ran - before);
    });
}

#[test]
fn a_place_that_becomes_free_goes_to_a_submitter_that_waits() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 0)));
        let submitters: Vec<_> = (0..3)
            .map(|number| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || {
                    pool.submit(answer(number)).expect("it is open");
                })
            })
            .collect();
        // Nobody reads: the places alone let them through.
        for submitter in submitters {
            submitter.join().expect("no submitter panics");
        }
        pool.close();
        assert_eq!(answers(drain(&pool)), [0, 1, 2]);
    });
}

#[test]
fn full_means_that_a_completion_is_owed() {
    check_pools(|make| {
        let pool = make(config(2, 0));
        let bound = pool.bound().get();
        // What was accepted and not received: never less than what is
        // unfinished.
        let mut owed = 0;
        for number in 0..4 {
            let mut job = answer(number);
            loop {
                match pool.try_submit(job) {
                    Ok(_) => break,
                    Err(TrySubmitError::Full(back)) => job = back,
                    Err(TrySubmitError::Closed(_)) => panic!("it is open"),
                }
                // Full at the bound, and only there.
                assert!(owed >= bound, "Full was said with {owed} owed");
                pool.recv().expect("one is owed");
                owed -= 1;
            }
            owed += 1;
        }
        pool.close();
        assert_eq!(drain(&pool).len(), owed);
    });
}

#[test]
fn the_bound_is_never_passed() {
    check_pools(|make| {
        const BOUND: usize = 1;
        let pool = Arc::new(make(config(1, 0)));
        assert_eq!(pool.bound().get(), BOUND);
        let [accepted, ended] =
            [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let submitters: Vec<_> = (0..3)
            .map(|_| {
                let pool = Arc::clone(&pool);
                let (accepted, ended) =
                    (Arc::clone(&accepted), Arc::clone(&ended));
                thread::spawn(move || {
                    let ends = Arc::clone(&ended);
                    let job: Work = Box::new(move || {
                        thread::yield_now();
                        ends.fetch_add(1, Ordering::SeqCst);
                        Ok(1)
                    });
                    pool.submit(job).expect("it is open");
                    // Counted after the pool did, and the ends before it
                    // did, so never more than there are.
                    let accepted = accepted.fetch_add(1, Ordering::SeqCst) + 1;
                    let unfinished =
                        accepted.saturating_sub(ended.load(Ordering::SeqCst));
                    assert!(unfinished <= BOUND, "{unfinished} unfinished");
                })
            })
            .collect();
        for submitter in submitters {
            submitter.join().expect("no submitter panics");
        }
    });
}

#[test]
fn several_readers_share_the_completions_and_all_find_the_end() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 2)));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || drain(&pool))
            })
            .collect();
        for number in 0..3 {
            pool.submit(answer(number)).expect("it is open");
        }
        pool.close();
        let received = readers
            .into_iter()
            .flat_map(|reader| reader.join().expect("no reader panics"))
            .collect();
        assert_eq!(answers(received), [0, 1, 2]);
    });
}

#[test]
fn batches_lose_nothing_and_wait_for_one() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 1)));
        let submitter = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let accepted = pool.submit_all(&mut (0..4).map(answer));
                assert_eq!(accepted.expect("it is open"), 4);
                pool.close();
            })
        };
        let mut received = Vec::new();
        while pool.recv_many(&mut received, 3) > 0 {}
        submitter.join().expect("no submitter panics");
        assert_eq!(answers(received), [0, 1, 2, 3]);
    });
}

#[test]
fn a_full_pool_is_read_in_rows_to_its_end() {
    check_pools(|make| {
        let pool = make(config(1, 8));
        for n in 0..9 {
            pool.submit(answer(n)).expect("it is open");
        }
        pool.close();
        let received: Vec<_> = pool.completions().collect();
        assert!(answers(received).into_iter().eq(0..9));
    });
}

/// Hands jobs over together, as far as there are places.
fn submit_together<const N: usize>(pool: &Pool, jobs: [Work; N]) {
    let mut jobs = VecDeque::from(jobs);
    // Full, or some had no place: wait for one.
    while pool.try_submit_some(&mut jobs).is_err() || !jobs.is_empty() {
        let job = jobs.pop_front().expect("some are left");
        pool.submit(job).expect("it is open");
    }
}

/// A pool that has run a few jobs, so that one that claims several has learned
/// to.
fn warm(make: Make, workers: usize, queue: usize) -> Pool {
    let pool = make(config(workers, queue));
    let ran = pool.run_all((0..2).map(answer), |_| ());
    assert_eq!(ran.expect("it is open"), 2);
    pool
}

/// A job that ends when the other has begun.
fn one_that_waits() -> (Work, Work) {
    let (open, gate) = mpsc::channel();
    let waits = Box::new(move || {
        gate.recv().expect("it is opened");
        Ok(10)
    });
    let opens = Box::new(move || {
        open.send(()).expect("somebody waits");
        Ok(11)
    });
    (waits, opens)
}

#[test]
fn a_job_that_waits_for_one_behind_it_gets_it() {
    check_pools(|make| {
        let pool = warm(make, 2, 2);
        let (waits, opens) = one_that_waits();
        submit_together(&pool, [waits, opens, answer(12), answer(13)]);
        // Before the end, which wakes everybody.
        let received = (0..4).map(|_| pool.recv().expect("four are owed"));
        assert_eq!(answers(received.collect()), [10, 11, 12, 13]);
    });
}

/// Who was called for the one may have found the other first.
#[test]
fn a_job_that_waits_gets_the_one_behind_it_although_another_came() {
    check_pools(|make| {
        let pool = warm(make, 3, 3);
        let (waits, opens) = one_that_waits();
        let (last, release) = one_that_waits();
        submit_together(&pool, [waits, opens]);
        pool.submit(last).expect("it is open");
        let received = (0..2).map(|_| pool.recv().expect("three are owed"));
        assert_eq!(answers(received.collect()), [10, 11]);
        release().expect("it is released");
        assert_eq!(answers(pool.recv().into_iter().collect()), [10]);
    });
}

#[test]
fn what_has_ended_can_be_read_while_the_next_job_blocks() {
    check_pools(|make| {
        let pool = warm(make, 1, 2);
        let (waits, opens) = one_that_waits();
        submit_together(&pool, [answer(1), waits]);
        let first = pool.recv().expect("two are owed");
        assert_eq!(first.done(), Some(Ok(1)));
        opens().expect("it opens");
        pool.close();
        assert_eq!(answers(drain(&pool)), [10]);
    });
}

#[test]
fn jobs_that_are_held_back_are_handed_over_or_come_back() {
    check_pools(|make| {
        let pool = Arc::new(make(config(1, 1)));
        let submitter = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let mut submitter = pool.submitter();
                let mut back = Vec::new();
                let mut refuse = |refused: Vec<Work>| {
                    back.extend(refused.into_iter().map(|job| job()));
                };
                for number in 0..3 {
                    if let Err(error) = submitter.submit(answer(number)) {
                        refuse(error.refused);
                    }
                }
                if let Err(error) = submitter.flush() {
                    refuse(error.refused);
                }
                back
            })
        };
        pool.close();
        let mut all = answers(drain(&pool));
        let back = submitter.join().expect("no submitter panics");
        all.extend(back.into_iter().map(|job| job.expect("it is Ok")));
        assert_eq!(all, [0, 1, 2], "accepted, and then refused");
    });
}

#[test]
fn cancel_brings_back_what_a_busy_worker_has_claimed() {
    check(|| {
        let (_, make) = POOLS[5];
        let pool = warm(make, 1, 2);
        let (started, runs) = mpsc::channel();
        let (waits, opens) = one_that_waits();
        let waits = Box::new(move || {
            started.send(()).expect("somebody waits");
            waits()
        });
        submit_together(&pool, [waits, answer(1), answer(2)]);
        runs.recv().expect("it starts");
        pool.cancel();
        for _ in 0..2 {
            let back = pool.recv().expect("three are owed");
            assert!(back.outcome.is_cancelled());
        }
        opens().expect("it opens");
        assert_eq!(answers(drain(&pool)), [10]);
    });
}

#[test]
fn drop_waits_for_what_was_accepted() {
    check_pools(|make| {
        let pool = make(config(2, 2));
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let ran = Arc::clone(&ran);
            let job: Work = Box::new(move || {
                thread::yield_now();
                ran.fetch_add(1, Ordering::SeqCst);
                Ok(1)
            });
            pool.submit(job).expect("it is open");
        }
        drop(pool);
        assert_eq!(ran.load(Ordering::SeqCst), 3);
        assert_eq!(Arc::strong_count(&ran), 1);
    });
}

#[test]
fn a_pool_may_be_dropped_by_its_own_job() {
    check_pools(|make| {
        let pool = Arc::new(make(config(2, 1)));
        let last = Arc::clone(&pool);
        let (done, wait) = shuttle::sync::mpsc::channel();
        let job: Work = Box::new(move || {
            drop(last);
            let _ = done.send(());
            Ok(1)
        });
        pool.submit(job).expect("it is open");
        pool.submit(answer(2)).expect("it is open");
        drop(pool);
        wait.recv().expect("the job comes to its end");
    });
}

#[test]
fn a_panic_is_a_completion_and_costs_no_place() {
    check_pools(|make| {
        let pool = make(config(1, 0));
        for number in 0..3 {
            let job: Work = match number {
                1 => answer(1),
                _ => Box::new(|| resume_unwind(Box::new("on purpose"))),
            };
            pool.submit(job).expect("it is open");
        }
        pool.close();
        let received = drain(&pool);
        let panicked = |it: &&Completion<Work>| it.outcome.is_panicked();
        assert_eq!(received.iter().filter(panicked).count(), 2);
        assert_eq!(received.len(), 3);
    });
}

#[test]
fn after_the_first_error_no_job_starts_in_an_error_group() {
    let (_, make) = POOLS[4];
    for workers in [1, 2] {
        check(move || {
            let pool = make(config(workers, 0));
            let started = Arc::new(AtomicUsize::new(0));
            let job = || -> Work {
                let started = Arc::clone(&started);
                Box::new(move || {
                    started.fetch_add(1, Ordering::SeqCst);
                    Ok(1)
                })
            };
            pool.submit(Box::new(|| Err(()))).expect("it is open");
            let others = (0..2).filter(|_| pool.submit(job()).is_ok());
            let accepted = 1 + others.count();

            let failed = |it: &Completion<Work>| {
                matches!(it.outcome, Outcome::Done(Err(())))
            };
            let mut received = vec![pool.recv().expect("one is owed")];
            while !received.iter().any(failed) {
                received.push(pool.recv().expect("the error is owed"));
            }
            // It is closed by that, and comes to an end.
            assert!(pool.submit(job()).is_err(), "it has failed");
            received.extend(drain(&pool));
            assert_eq!(received.len(), accepted);

            let started = started.load(Ordering::SeqCst);
            let done =
                received.iter().filter(|it| it.outcome.is_done()).count();
            assert_eq!(done, started + 1);
            // With two workers, one may start beside the job that fails.
            assert!(workers > 1 || started == 0, "{started} started");
        });
    }
}

/// With no place free before it, a job is accepted only where the error frees
/// one, and by then the group has failed.
#[test]
fn the_place_that_an_error_frees_starts_no_job() {
    let (_, make) = POOLS[4];
    check(move || {
        let pool = make(config(2, 0));
        let (open, gate) = mpsc::channel::<()>();
        let held = move || -> Result<u64, ()> {
            // Until the other end is dropped.
            let _ = gate.recv();
            Ok(0)
        };
        let started = Arc::new(AtomicUsize::new(0));
        let late = {
            let started = Arc::clone(&started);
            move || {
                started.fetch_add(1, Ordering::SeqCst);
                Ok(1)
            }
        };
        pool.submit(Box::new(held)).expect("it is open");
        pool.submit(Box::new(|| Err(()))).expect("it has two places");
        drop(pool.submit(Box::new(late)));
        drop(open);
        drop(drain(&pool));
        assert_eq!(started.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_handle_is_woken_whether_it_blocks_or_polls() {
    type Tasks = manyhands_channel::ChannelPool<Task<'static>>;
    check(|| {
        let pool = Tasks::new(config(1, 1)).expect("it starts");
        let joined = pool.spawn(|| 1).expect("it is open");
        let awaited = pool.spawn(|| 2).expect("it is open");
        assert_eq!(block_on(awaited).expect("it ran"), 2);
        assert_eq!(joined.join().expect("it ran"), 1);
    });
}

#[test]
fn a_handle_of_a_cancelled_pool_is_told() {
    type Tasks = manyhands_channel::ChannelPool<Task<'static>>;
    check(|| {
        let pool = Tasks::new(config(1, 1)).expect("it starts");
        let first = pool.spawn(|| 1).expect("it is open");
        let second = pool.spawn(|| 2).expect("it is open");
        let canceller = thread::spawn(move || pool.cancel());
        for (handle, answer) in [(first, 1), (second, 2)] {
            match handle.join() {
                Ok(it) => assert_eq!(it, answer),
                Err(JobError::Cancelled) => {}
                Err(other) => panic!("{other}"),
            }
        }
        canceller.join().expect("cancel does not panic");
    });
}

#[test]
fn a_waiter_that_gives_up_passes_its_turn_on() {
    check(|| {
        let semaphore = Semaphore::new(2);
        let first = semaphore.acquire().expect("it is open");
        // Asks for more than is free, and gives up some time.
        let impatient = {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                let limit = Duration::from_millis(2);
                match semaphore.acquire_timeout(2, limit) {
                    Ok(permit) => drop(permit),
                    Err(error) => assert_eq!(error, AcquireError::TimedOut),
                }
            })
        };
        // One permit is free for this one, as soon as it is its turn.
        let patient = {
            let semaphore = semaphore.clone();
            thread::spawn(move || drop(semaphore.acquire()))
        };
        impatient.join().expect("it does not panic");
        patient.join().expect("it does not panic");
        drop(first);
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn a_semaphore_never_gives_out_more_than_it_has() {
    check(|| {
        let semaphore = Semaphore::new(3);
        let out = Arc::new(AtomicUsize::new(0));
        let users: Vec<_> = [1, 2, 3, 1]
            .into_iter()
            .map(|weight| {
                let (semaphore, out) = (semaphore.clone(), Arc::clone(&out));
                thread::spawn(move || {
                    let permit = semaphore.acquire_many(weight);
                    let permit = permit.expect("it is open");
                    let now = out.fetch_add(weight, Ordering::SeqCst);
                    assert!(now + weight <= 3, "{} are out", now + weight);
                    thread::yield_now();
                    out.fetch_sub(weight, Ordering::SeqCst);
                    drop(permit);
                })
            })
            .collect();
        for user in users {
            user.join().expect("no user panics");
        }
        semaphore.wait_idle();
        assert_eq!(semaphore.available(), 3);
    });
}

#[test]
fn a_closed_semaphore_sends_everybody_away() {
    check(|| {
        let semaphore = Semaphore::new(1);
        let held = semaphore.acquire().expect("it is open");
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = semaphore.clone();
                thread::spawn(move || semaphore.acquire().map(drop))
            })
            .collect();
        semaphore.close();
        drop(held);
        for waiter in waiters {
            // No permit was free before the close.
            let ended = waiter.join().expect("no waiter panics");
            assert_eq!(ended, Err(AcquireError::Closed));
        }
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn a_job_queue_runs_what_it_accepted_whoever_stops_it() {
    check(|| {
        let ran = Arc::new(AtomicUsize::new(0));
        let queue = manyhands_dispatcher::JobQueue::new(2).expect("two");
        let queue = Arc::new(queue);
        queue.start().expect("it starts");
        let submitter = {
            let (queue, ran) = (Arc::clone(&queue), Arc::clone(&ran));
            thread::spawn(move || {
                let job = || {
                    let ran = Arc::clone(&ran);
                    move || ran.fetch_add(1, Ordering::SeqCst)
                };
                (0..2).filter(|_| queue.submit(job()).is_ok()).count()
            })
        };
        let stopper = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.stop())
        };
        queue.stop();
        stopper.join().expect("stop does not panic");
        let accepted = submitter.join().expect("no submitter panics");
        assert_eq!(ran.load(Ordering::SeqCst), accepted);
    });
}

#[test]
fn a_crew_has_a_thread_for_each_piece_of_work() {
    check(|| {
        let (way_in, way_out) = crew::channel();
        let work = |both: Arc<Barrier>| {
            both.wait();
        };
        let crew = Crew::new("pairs", 2, way_out, work);
        // In pairs that meet: each wants both threads, whatever these are at.
        for _ in 0..3 {
            let both = Arc::new(Barrier::new(3));
            for _ in 0..2 {
                let taker = way_in.hand_over(Arc::clone(&both));
                let Ok(taker) = taker else { panic!("it is open") };
                crew.see_to(taker);
            }
            both.wait();
        }
    });
}

#[test]
fn each_of_two_submitters_finds_a_thread_of_a_crew() {
    check(|| two_submitters_find_threads(ThreadOptions::new()));
}

#[test]
fn each_of_two_submitters_finds_a_thread_though_threads_give_up() {
    let brief = ThreadOptions::new().keep_alive(Duration::from_millis(1));
    let one_stays = brief.clone().min_threads(1);
    for options in [brief, one_stays] {
        check(move || two_submitters_find_threads(options.clone()));
    }
}

fn two_submitters_find_threads(options: ThreadOptions) {
    let (way_in, way_out) = crew::channel();
    let work = |both: Arc<Barrier>| {
        both.wait();
    };
    let crew = Crew::new("pairs", 2, way_out, work);
    let crew = crew.with_options(options);
    let hand_over = move |both: &Arc<Barrier>| {
        let taker = way_in.hand_over(Arc::clone(both));
        let Ok(taker) = taker else { panic!("it is open") };
        crew.see_to(taker);
    };
    let hand_over = Arc::new(hand_over);
    // One thread, which may be parked by the time the others come.
    let alone = Arc::new(Barrier::new(2));
    hand_over(&alone);
    alone.wait();
    let both = Arc::new(Barrier::new(3));
    let submitters = [(); 2].map(|()| {
        let (hand_over, both) = (Arc::clone(&hand_over), Arc::clone(&both));
        thread::spawn(move || hand_over(&both))
    });
    both.wait();
    for submitter in submitters {
        submitter.join().expect("no submitter panics");
    }
}

#[test]
fn who_waits_for_a_place_in_a_job_queue_gets_it() {
    check(|| {
        let queue = manyhands_dispatcher::JobQueue::new(1).expect("one");
        let queue = Arc::new(queue);
        queue.start().expect("it starts");
        let (done, ended) = shuttle::sync::mpsc::channel();
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (queue, done) = (Arc::clone(&queue), done.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let done = done.clone();
                        let job = move || done.send(()).is_ok();
                        assert!(queue.submit(job).is_ok(), "it is open");
                    }
                })
            })
            .collect();
        // Nobody stops it before, which would let them through.
        for _ in 0..4 {
            ended.recv().expect("each job runs");
        }
        for submitter in submitters {
            submitter.join().expect("no submitter panics");
        }
        queue.stop();
    });
}

#[test]
fn a_managed_pool_that_is_resized_meanwhile_runs_what_it_accepts() {
    check(|| {
        let pool = Arc::new(managed(config(1, 1)));
        let sizes = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                for workers in [2, 1] {
                    pool.resize(workers).expect("its threads start");
                }
            })
        };
        for number in 0..3 {
            let accepted = pool.submit(answer(number));
            assert!(accepted.is_ok(), "it is open");
        }
        for _ in 0..3 {
            assert!(pool.recv().is_some_and(|it| it.outcome.is_done()));
        }
        sizes.join().expect("resize does not panic");
    });
}

#[test]
fn a_managed_pool_that_is_resumed_runs_what_was_queued_meanwhile() {
    check(|| {
        let pool = Arc::new(managed(config(1, 1)));
        pool.pause();
        let resumer = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.resume())
        };
        for number in 0..2 {
            assert!(pool.submit(answer(number)).is_ok(), "it is open");
        }
        for _ in 0..2 {
            assert!(pool.recv().is_some_and(|it| it.outcome.is_done()));
        }
        resumer.join().expect("resume does not panic");
    });
}

#[test]
fn a_managed_place_is_not_lost_with_a_future_that_gives_up() {
    check(|| {
        let pool = Arc::new(managed(config(1, 0)));
        assert!(pool.submit(answer(0)).is_ok(), "it is open");
        let gives_up = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let mut waits = Box::pin(pool.submit_async(answer(1)));
                block_on(std::future::poll_fn(|context| {
                    let polled = waits.as_mut().poll(context);
                    Poll::Ready(polled.is_ready())
                }))
            })
        };
        let waits = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.submit(answer(2)).is_ok())
        };
        let first = gives_up.join().expect("giving up does not panic");
        assert!(waits.join().expect("submit does not panic"));
        pool.close();
        let ran = std::iter::from_fn(|| pool.recv()).count();
        assert_eq!(ran, 2 + usize::from(first));
    });
}

#[test]
fn a_managed_job_submits_to_its_own_full_pool() {
    check(|| {
        let pool = Arc::new(managed(config(1, 0)));
        let inner = Arc::downgrade(&pool);
        let parent: Work = Box::new(move || {
            let pool = inner.upgrade().expect("it is still there");
            let accepted = pool.submit(answer(1)).is_ok();
            drop(pool);
            accepted.then_some(0).ok_or(())
        });
        assert!(pool.submit(parent).is_ok(), "it is open");
        for _ in 0..2 {
            let done = pool.recv().and_then(|it| it.done());
            assert!(done.is_some_and(|answer| answer.is_ok()));
        }
    });
}
