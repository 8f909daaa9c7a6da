//! The smallest pieces, under every order of events that loom tells apart
//! and that takes so many preemptions at most: `LOOM_MAX_PREEMPTIONS`, 3 in
//! `.ci/models`.
//! A thread that waits for ever is a deadlock there, and fails the model.
//!
//! Data that must be visible is written and read with relaxed accesses: what
//! no lock of the piece makes visible, loom may show as it was before.
#![cfg(loom)]

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use loom::future::block_on;
use loom::model::Builder;
use loom::sync::atomic::AtomicUsize;
use loom::sync::{Condvar, Mutex};
use loom::{model, thread};
use manyhands_batch::BatchPool;
use manyhands_core::crew::{self, Crew, WayIn};
use manyhands_core::results::{self, Receiver, Sender};
use manyhands_core::{
    CancelToken, Closed, Completion, Config, Intake, JobError, JobId, Spawn,
    Task, TaskGroup, ThreadOptions, Ticket, TrySubmitError, WorkerPool,
};
use manyhands_dispatcher::JobQueue;
use manyhands_semaphore::{AcquireError, Semaphore, SemaphorePool};

fn config(workers: usize, queue: usize) -> Config {
    Config::new(workers, queue).expect("a small pool")
}

type Work = fn() -> u32;
type Jobs = Intake<Sender<Ticket<Work>>>;

/// An intake for one unfinished job, and where its jobs come out.
fn intake() -> (Arc<Jobs>, Receiver<Ticket<Work>>) {
    let (sender, queue) = results::channel();
    (Arc::new(Intake::new(sender, config(1, 0))), queue)
}

fn submit(jobs: &Jobs) -> Result<JobId, Closed<Work>> {
    jobs.enter(|| 1, hand_over)
}

fn hand_over(
    queue: &mut Sender<Ticket<Work>>,
    ticket: Ticket<Work>,
) -> Result<(), Work> {
    queue.send(ticket);
    Ok(())
}

/// Runs the next job.
fn work(jobs: &Jobs, queue: &Receiver<Ticket<Work>>) {
    jobs.run(queue.recv().expect("there is one"));
}

#[test]
fn a_submitter_that_waits_gets_the_place_that_becomes_free() {
    model(|| {
        let (jobs, queue) = intake();
        submit(&jobs).expect("it is open");
        let submitter = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || submit(&jobs).is_ok())
        };
        work(&jobs, &queue);
        assert!(submitter.join().expect("it does not panic"));
    });
}

#[test]
fn each_of_two_submitters_that_wait_gets_its_place() {
    model(|| {
        let (jobs, queue) = intake();
        submit(&jobs).expect("it is open");
        let submitter = || {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || submit(&jobs).is_ok())
        };
        let submitters = [submitter(), submitter()];
        work(&jobs, &queue);
        work(&jobs, &queue);
        for submitter in submitters {
            assert!(submitter.join().expect("it does not panic"));
        }
    });
}

#[test]
fn a_submitter_that_waits_is_freed_by_close() {
    // A pattern that has its queue behind the lock shuts it first.
    for shut in [false, true] {
        model(move || {
            let (jobs, queue) = intake();
            submit(&jobs).expect("it is open");
            let submitter = {
                let jobs = Arc::clone(&jobs);
                thread::spawn(move || submit(&jobs).is_err())
            };
            if shut {
                jobs.shut();
            } else {
                drop(jobs.close());
            }
            assert!(submitter.join().expect("it does not panic"));
            drop(jobs.close());
            work(&jobs, &queue);
            assert!(queue.recv().is_none());
        });
    }
}

#[test]
fn a_submit_that_races_a_close_is_in_the_queue_or_refused() {
    model(|| {
        let (jobs, queue) = intake();
        let submitter = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || submit(&jobs).is_ok())
        };
        drop(jobs.close());
        let accepted = submitter.join().expect("it does not panic");
        assert_eq!(queue.recv().is_some(), accepted);
        assert!(queue.recv().is_none(), "nothing follows a close");
    });
}

#[test]
fn a_refused_hand_over_wakes_the_next_that_waits() {
    model(|| {
        let (jobs, queue) = intake();
        submit(&jobs).expect("it is open");
        let refused = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || {
                let refuse = |_: &mut _, ticket: Ticket<Work>| Err(ticket.job);
                jobs.enter(|| 2, refuse).is_err()
            })
        };
        let submitter = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || submit(&jobs).is_ok())
        };
        // The first job, and the one of whoever is not refused.
        work(&jobs, &queue);
        work(&jobs, &queue);
        assert!(refused.join().expect("it does not panic"));
        assert!(submitter.join().expect("it does not panic"));
    });
}

#[test]
fn a_place_is_free_before_its_completion_can_be_read() {
    model(|| {
        let (jobs, queue) = intake();
        submit(&jobs).expect("it is open");
        let (completions, received) = results::channel();
        let worker = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || {
                let ticket = queue.recv().expect("there is one");
                completions.send(jobs.run(ticket));
            })
        };
        let full = match jobs.try_enter(|| 2, |_, _| Ok(())) {
            Ok(_) => false,
            Err(TrySubmitError::Full(_)) => true,
            Err(TrySubmitError::Closed(_)) => panic!("it is open"),
        };
        received.recv().expect("a completion is owed");
        if full {
            assert!(jobs.try_enter(|| 3, |_, _| Ok(())).is_ok());
        }
        worker.join().expect("it does not panic");
    });
}

#[test]
fn who_has_waited_for_a_row_of_places_is_woken_for_one() {
    model(|| {
        let (sender, queue) = results::channel();
        let jobs: Arc<Jobs> = Arc::new(Intake::new(sender, config(1, 8)));
        for _ in 0..9 {
            submit(&jobs).expect("it is open");
        }
        let worker = {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || work(&jobs, &queue))
        };
        submit(&jobs).expect("it is open");
        worker.join().expect("it does not panic");
    });
}

#[test]
fn what_was_written_before_a_send_is_visible_to_the_reader() {
    model(|| {
        let (sender, receiver) = results::channel();
        let _not_the_end = sender.clone();
        let written = Arc::new(AtomicUsize::new(0));
        let worker = {
            let written = Arc::clone(&written);
            thread::spawn(move || {
                written.store(1, Relaxed);
                sender.send(());
            })
        };
        assert_eq!(receiver.recv(), Some(()));
        assert_eq!(written.load(Relaxed), 1);
        worker.join().expect("it does not panic");
    });
}

#[test]
fn two_readers_share_one_result_and_both_find_the_end() {
    model(|| {
        let (sender, receiver) = results::channel();
        let receiver = Arc::new(receiver);
        let reader = {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || receiver.iter().count())
        };
        let worker = thread::spawn(move || {
            sender.send(());
        });
        let here = receiver.iter().count();
        let there = reader.join().expect("it does not panic");
        assert_eq!(here + there, 1);
        worker.join().expect("it does not panic");
    });
}

#[test]
fn several_senders_lose_nothing_and_the_last_ends_it() {
    model(|| {
        let (sender, receiver) = results::channel();
        let other = sender.clone();
        let workers = [
            thread::spawn(move || sender.send(1)),
            thread::spawn(move || other.send(2)),
        ];
        let mut received = Vec::new();
        while receiver.recv_many(&mut received, 8) > 0 {}
        assert_eq!(received.iter().sum::<u32>(), 3);
        for worker in workers {
            worker.join().expect("it does not panic");
        }
    });
}

#[test]
fn who_has_waited_for_a_row_is_woken_for_one() {
    model(|| {
        let (sender, receiver) = results::channel();
        let _not_the_end = sender.clone();
        let worker = thread::spawn(move || sender.send(1));
        assert_eq!(receiver.recv_when(|| 2), Some(1));
        worker.join().expect("it does not panic");
    });
}

#[test]
fn a_handle_that_is_joined_has_the_answer_and_what_was_written() {
    model(|| {
        let pool = tasks();
        let written = Arc::new(AtomicUsize::new(0));
        let work = {
            let written = Arc::clone(&written);
            move || written.store(1, Relaxed)
        };
        let handle = pool.spawn(work).expect("it is open");
        assert!(handle.join().is_ok());
        assert_eq!(written.load(Relaxed), 1);
    });
}

#[test]
fn a_handle_that_is_polled_is_woken() {
    model(|| {
        let pool = tasks();
        let handle = pool.spawn(|| 7).expect("it is open");
        assert_eq!(block_on(handle).expect("it ran"), 7);
    });
}

#[test]
fn a_handle_whose_pool_is_cancelled_is_told() {
    model(|| {
        let pool = tasks();
        let handle = pool.spawn(|| 7).expect("it is open");
        pool.cancel();
        match handle.join() {
            Ok(answer) => assert_eq!(answer, 7),
            Err(JobError::Cancelled) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn a_handle_that_is_aborted_has_a_closure_that_ran_or_never_will() {
    model(|| {
        let pool = tasks();
        let ran = Arc::new(AtomicUsize::new(0));
        let work = {
            let ran = Arc::clone(&ran);
            move || ran.store(1, Relaxed)
        };
        let handle = pool.spawn(work).expect("it is open");
        let aborted = handle.abort();
        assert_eq!(handle.join().is_err(), aborted);
        assert_eq!(ran.load(Relaxed), usize::from(!aborted));
    });
}

#[test]
fn a_group_hears_of_the_end_of_its_job() {
    model(|| {
        let pool = tasks();
        let mut group = TaskGroup::new(&pool);
        group.spawn(|| Ok::<_, ()>(7)).expect("it is open");
        assert_eq!(group.wait_first_error().expect("it ran"), [7]);
    });
}

#[test]
fn a_group_hears_that_its_token_is_cancelled() {
    model(|| {
        let pool = Idle;
        let mut group = TaskGroup::new(&pool);
        group.spawn(|| Ok::<_, ()>(7)).expect("it is open");
        let canceller = {
            let token = group.token().clone();
            thread::spawn(move || token.cancel())
        };
        assert!(group.wait_first_error().is_err());
        canceller.join().expect("it does not panic");
    });
}

/// A pool whose workers never come to what it accepted.
struct Idle;

impl WorkerPool<Task<'static>> for Idle {
    fn submit(
        &self,
        job: Task<'static>,
    ) -> Result<JobId, Closed<Task<'static>>> {
        // As if it was queued: nobody is told of its end.
        std::mem::forget(job);
        Ok(JobId::new(0))
    }

    fn try_submit(
        &self,
        job: Task<'static>,
    ) -> Result<JobId, TrySubmitError<Task<'static>>> {
        Ok(self.submit(job)?)
    }

    fn recv(&self) -> Option<Completion<Task<'static>>> {
        None
    }

    fn close(&self) {}

    fn cancel(&self) {}

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

#[test]
fn a_group_that_is_cancelled_has_ended_when_it_is_dropped() {
    model(|| {
        let pool = tasks();
        let begun = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicUsize::new(0));
        let mut group = TaskGroup::new(&pool);
        let work = {
            let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
            move || {
                begun.store(1, Relaxed);
                thread::yield_now();
                ended.store(1, Relaxed);
                Ok::<_, ()>(())
            }
        };
        group.spawn(work).expect("it is open");
        drop(group);
        assert_eq!(begun.load(Relaxed), ended.load(Relaxed));
    });
}

#[test]
fn who_waits_for_a_token_is_told_of_its_cancel() {
    model(|| {
        let token = CancelToken::new();
        let written = Arc::new(AtomicUsize::new(0));
        let canceller = {
            let (token, written) = (token.clone(), Arc::clone(&written));
            thread::spawn(move || {
                written.store(1, Relaxed);
                token.cancel();
            })
        };
        token.wait();
        assert_eq!(written.load(Relaxed), 1);
        canceller.join().expect("it does not panic");
    });
}

#[test]
fn who_sees_a_token_cancelled_sees_what_was_written_before() {
    model(|| {
        let token = CancelToken::new();
        let written = Arc::new(AtomicUsize::new(0));
        let canceller = {
            let (token, written) = (token.clone(), Arc::clone(&written));
            thread::spawn(move || {
                written.store(1, Relaxed);
                token.cancel();
            })
        };
        if token.is_cancelled() {
            assert_eq!(written.load(Relaxed), 1);
        }
        canceller.join().expect("it does not panic");
    });
}

#[test]
fn a_future_of_a_token_is_woken_by_its_cancel() {
    model(|| {
        let token = CancelToken::new();
        let canceller = {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        };
        block_on(token.cancelled());
        canceller.join().expect("it does not panic");
    });
}

#[test]
fn a_child_that_is_born_while_its_parent_is_cancelled_is_too() {
    model(|| {
        let token = CancelToken::new();
        let canceller = {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        };
        let child = token.child();
        canceller.join().expect("it does not panic");
        assert!(child.is_cancelled());
    });
}

#[test]
fn of_two_who_cancel_a_token_each_finds_its_child_cancelled() {
    model(|| {
        let token = CancelToken::new();
        let child = token.child();
        let other = {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        };
        token.cancel();
        assert!(child.is_cancelled());
        other.join().expect("it does not panic");
    });
}

/// Hands over a piece of work, and sees to it.
fn hand_over_to<T: Send + 'static>(way_in: &WayIn<T>, crew: &Crew<T>, it: T) {
    let Ok(taker) = way_in.hand_over(it) else { panic!("it is open") };
    crew.see_to(taker);
}

#[test]
fn a_thread_of_a_crew_stays_for_the_next_piece_of_work() {
    model(|| {
        let (done, results) = results::channel();
        let (way_in, way_out) = crew::channel();
        let work = move |number: u32| done.send(number);
        let crew = Crew::new("one", 1, way_out, work);
        for number in 1..=2 {
            hand_over_to(&way_in, &crew, number);
            // Read before the end, which would wake a thread that sleeps.
            assert_eq!(results.recv(), Some(number));
        }
        drop(way_in);
        assert_eq!(results.recv(), None);
    });
}

/// Counts, and waits until the count is so high.
#[derive(Default)]
struct Meeting(Mutex<usize>, Condvar);

impl Meeting {
    fn of(&self, all: usize) {
        let mut count = self.0.lock().expect("nobody panics");
        *count += 1;
        self.1.notify_all();
        while *count < all {
            count = self.1.wait(count).expect("nobody panics");
        }
    }
}

#[test]
fn a_thread_that_two_would_call_comes_for_one_of_them() {
    model(|| {
        let (way_in, way_out) = crew::channel();
        let (first, second) = (Meeting::default(), Meeting::default());
        let meetings = Arc::new([first, second]);
        let work = {
            let meetings = Arc::clone(&meetings);
            move |(meeting, all): (usize, usize)| meetings[meeting].of(all)
        };
        let crew = Crew::new("two", 2, way_out, work);
        hand_over_to(&way_in, &crew, (0, 2));
        meetings[0].of(2);
        // Whoever is parked by now is what both count on.
        let takers = [(1, 2), (1, 2)].map(|piece| way_in.hand_over(piece));
        for taker in takers {
            crew.see_to(taker.ok().expect("it is open"));
        }
        drop(way_in);
        drop(crew);
    });
}

#[test]
fn two_pieces_of_work_that_wait_for_each_other_have_a_thread_each() {
    model(|| {
        let (way_in, way_out) = crew::channel();
        let meeting = Meeting::default();
        let work = move |()| meeting.of(2);
        let crew = Crew::new("two", 2, way_out, work);
        hand_over_to(&way_in, &crew, ());
        hand_over_to(&way_in, &crew, ());
        drop(way_in);
        drop(crew);
    });
}

#[test]
fn a_piece_that_is_handed_over_as_a_thread_gives_up_finds_one() {
    model(|| {
        let (done, results) = results::channel();
        let (way_in, way_out) = crew::channel();
        let work = move |number: u32| done.send(number);
        let crew = Crew::new("one", 1, way_out, work);
        let crew = crew.with_options(brief());
        for number in 1..=2 {
            hand_over_to(&way_in, &crew, number);
            assert_eq!(results.recv(), Some(number));
        }
        drop(way_in);
        assert_eq!(results.recv(), None);
    });
}

/// In a model: it may give up whenever it is parked.
fn brief() -> ThreadOptions {
    ThreadOptions::new().keep_alive(Duration::from_millis(1))
}

#[test]
fn a_crew_that_is_dropped_has_done_what_was_handed_over() {
    model(|| {
        let (way_in, way_out) = crew::channel();
        let ran = Arc::new(AtomicUsize::new(0));
        let work = {
            let ran = Arc::clone(&ran);
            move |()| {
                ran.fetch_add(1, Relaxed);
            }
        };
        let crew = Crew::new("two", 2, way_out, work);
        hand_over_to(&way_in, &crew, ());
        hand_over_to(&way_in, &crew, ());
        drop(crew);
        assert_eq!(ran.load(Relaxed), 2);
        assert!(way_in.hand_over(()).is_err());
    });
}

/// A pool with one thread.
fn tasks() -> SemaphorePool<Task<'static>> {
    SemaphorePool::new(config(1, 0))
}

#[test]
fn one_permit_is_held_by_one_at_a_time() {
    model(|| {
        let semaphore = Semaphore::new(1);
        let held = Arc::new(AtomicUsize::new(0));
        let user = {
            let (semaphore, held) = (semaphore.clone(), Arc::clone(&held));
            move || {
                let permit = semaphore.acquire().expect("it is open");
                // As no atomic step: whoever holds the permit is alone.
                let before = held.load(Relaxed);
                held.store(before + 1, Relaxed);
                drop(permit);
            }
        };
        let users = [thread::spawn(user.clone()), thread::spawn(user)];
        for user in users {
            user.join().expect("it does not panic");
        }
        semaphore.wait_idle();
        assert_eq!(held.load(Relaxed), 2);
    });
}

#[test]
fn a_waiter_that_gives_up_passes_its_turn_on() {
    model(|| {
        let semaphore = Semaphore::new(2);
        let first = semaphore.acquire().expect("it is open");
        let impatient = {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                let limit = Duration::from_millis(1);
                match semaphore.acquire_timeout(2, limit) {
                    Ok(permit) => drop(permit),
                    Err(error) => assert_eq!(error, AcquireError::TimedOut),
                }
            })
        };
        // A permit is free for this one, as soon as it is its turn.
        drop(semaphore.acquire().expect("it is open"));
        impatient.join().expect("it does not panic");
        drop(first);
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn a_closed_semaphore_frees_who_waits() {
    model(|| {
        let semaphore = Semaphore::new(1);
        let held = semaphore.acquire().expect("it is open");
        let waiter = {
            let semaphore = semaphore.clone();
            thread::spawn(move || semaphore.acquire().map(drop))
        };
        semaphore.close();
        let ended = waiter.join().expect("it does not panic");
        assert_eq!(ended, Err(AcquireError::Closed));
        drop(held);
    });
}

#[test]
fn a_dispatcher_hands_over_the_job_that_it_took() {
    model(|| {
        let ran = Arc::new(AtomicUsize::new(0));
        let queue = JobQueue::new(1).expect("one worker");
        queue.start().expect("it starts");
        let job = {
            let ran = Arc::clone(&ran);
            move || {
                ran.fetch_add(1, Relaxed);
            }
        };
        assert!(queue.submit(job).is_ok());
        queue.stop();
        assert_eq!(ran.load(Relaxed), 1);
    });
}

#[test]
fn a_worker_that_sleeps_is_woken_for_the_next_job() {
    model(|| {
        let (done, results) = results::channel();
        let queue = JobQueue::new(1).expect("one worker");
        queue.start().expect("it starts");
        for number in 1..=2 {
            let done = done.clone();
            assert!(queue.submit(move || done.send(number)).is_ok());
            // Read before the end, which would wake a worker that sleeps.
            assert_eq!(results.recv(), Some(number));
        }
        queue.stop();
    });
}

#[test]
fn a_batch_pool_that_sleeps_is_woken_and_so_is_its_reader() {
    model(|| {
        let pool = batches(1, 0);
        pool.submit(|| 7).expect("it is open");
        let completion = pool.recv().expect("one is owed");
        assert_eq!(completion.done(), Some(7));
    });
}

#[test]
fn a_submitter_gets_the_place_of_a_job_that_a_lane_has_counted() {
    model(|| {
        let pool = batches(1, 0);
        for _ in 0..2 {
            pool.submit(|| 7).expect("it is open");
        }
    });
}

/// A worker that has run a job claims two of the three, and the first of them
/// waits for the second: another worker runs that, and is awake for it. Three
/// threads with so much to do are tried with two preemptions.
#[test]
fn a_job_of_a_batch_that_waits_for_another_gets_it() {
    let mut model = Builder::new();
    model.preemption_bound = Some(2);
    model.max_branches = 10_000;
    model.check(|| {
        type Boxed = Box<dyn FnOnce() + Send>;
        let pool: BatchPool<Boxed> =
            BatchPool::new(config(2, 2)).expect("a model's threads start");
        pool.submit(Box::new(|| ())).expect("it is open");
        pool.recv().expect("one is owed");
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let waits = {
            let gate = Arc::clone(&gate);
            move || {
                let mut open = gate.0.lock().expect("nobody panics");
                while !*open {
                    open = gate.1.wait(open).expect("nobody panics");
                }
            }
        };
        let opens = move || {
            *gate.0.lock().expect("nobody panics") = true;
            gate.1.notify_one();
        };
        let jobs: [Boxed; 3] =
            [Box::new(waits), Box::new(opens), Box::new(|| ())];
        let mut jobs = VecDeque::from(jobs);
        pool.try_submit_some(&mut jobs).expect("there are places");
        assert!(jobs.is_empty());
        // Before the end, which wakes everybody.
        for _ in 0..3 {
            pool.recv().expect("one is owed");
        }
    });
}

fn batches(workers: usize, queue: usize) -> BatchPool<Work> {
    BatchPool::new(config(workers, queue)).expect("a model's threads start")
}
