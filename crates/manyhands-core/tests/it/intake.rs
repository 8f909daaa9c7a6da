use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{
    AsyncJob, Closed, Config, Intake, Job, JobId, Ticket, TrySubmitError,
};

use crate::often;

type Way = Sender<Ticket<u32>>;

fn intake(bound: usize) -> (Intake<Way>, Receiver<Ticket<u32>>) {
    let (jobs, queue) = channel();
    (Intake::new(jobs, Config::new(1, bound - 1).unwrap()), queue)
}

fn hand_over(jobs: &mut Way, ticket: Ticket<u32>) -> Result<(), u32> {
    jobs.send(ticket).map_err(|refused| refused.0.job)
}

/// Runs the next job, as a worker would.
fn finish(intake: &Intake<Way>, queue: &Receiver<Ticket<u32>>) {
    let Ticket { id, job } = queue.recv().unwrap();
    intake.run(Ticket { id, job: move || job });
}

#[test]
fn ids_count_the_accepted_and_skip_the_refused() {
    watchdog(|| {
        let (intake, queue) = intake(2);
        assert_eq!(intake.enter(0, hand_over).unwrap(), JobId::new(0));
        assert_eq!(intake.try_enter(1, hand_over).unwrap(), JobId::new(1));
        let refused = intake.try_enter(2, hand_over);
        assert!(matches!(refused, Err(TrySubmitError::Full(2))));
        finish(&intake, &queue);
        assert_eq!(intake.enter(3, hand_over).unwrap(), JobId::new(2));
    });
}

#[test]
fn the_unfinished_are_the_accepted_that_have_not_run() {
    watchdog(|| {
        let (intake, queue) = intake(3);
        for accepted in 1..=3 {
            assert_eq!(intake.unfinished(), accepted - 1);
            intake.enter(0, hand_over).unwrap();
        }
        assert!(intake.try_enter(0, hand_over).is_err());
        for left in (0..3).rev() {
            finish(&intake, &queue);
            assert_eq!(intake.unfinished(), left);
        }
    });
}

#[test]
fn a_row_is_enough_only_while_the_queue_is_full_by_half() {
    watchdog(|| {
        let (jobs, queue) = channel();
        let intake: Intake<Way> =
            Intake::new(jobs, Config::new(2, 40).unwrap());
        let mut enough = vec![intake.enough()];
        for _ in 0..42 {
            intake.enter(0, hand_over).unwrap();
            enough.push(intake.enough());
        }
        // Two with the workers, twenty in the queue: then a fourth of it.
        assert_eq!(enough[..22], [1; 22]);
        assert_eq!(enough[22..27], [5, 5, 5, 5, 6]);
        assert_eq!(enough[42], 10);
        (0..21).for_each(|_| finish(&intake, &queue));
        assert_eq!(intake.enough(), 1);
    });
}

#[test]
fn without_a_queue_every_result_is_awaited() {
    watchdog(|| {
        let (jobs, _queue) = channel();
        let intake: Intake<Way> =
            Intake::new(jobs, Config::new(42, 0).unwrap());
        for _ in 0..42 {
            intake.enter(0, hand_over).unwrap();
        }
        assert_eq!(intake.enough(), 1);
    });
}

#[test]
fn who_waits_for_a_row_of_places_settles_for_one() {
    watchdog(|| {
        let (intake, queue) = intake(41);
        for _ in 0..41 {
            intake.enter(0, hand_over).unwrap();
        }
        thread::scope(|scope| {
            let waits = scope.spawn(|| intake.enter(0, hand_over).unwrap());
            let waits_too =
                scope.spawn(|| intake.enter(0, hand_over).unwrap());
            // Each of these is one place, and no row.
            finish(&intake, &queue);
            finish(&intake, &queue);
            let ids = [waits.join().unwrap(), waits_too.join().unwrap()];
            assert_eq!(ids.iter().map(|id| id.get()).sum::<u64>(), 41 + 42);
        });
    });
}

#[test]
fn a_job_that_cannot_be_handed_over_is_refused_and_takes_no_place() {
    watchdog(|| {
        let (intake, _queue) = intake(1);
        let refused = intake.enter(1, |_jobs, ticket| Err(ticket.job));
        assert!(matches!(refused, Err(Closed(1))));
        assert_eq!(intake.enter(2, hand_over).unwrap(), JobId::new(0));
    });
}

#[test]
fn close_returns_the_way_in_once() {
    watchdog(|| {
        let (intake, queue) = intake(1);
        intake.enter(1, hand_over).unwrap();
        assert!(intake.close().is_some());
        assert!(intake.close().is_none());
        assert!(intake.cancel().is_none());
        assert!(matches!(intake.enter(2, hand_over), Err(Closed(2))));
        let refused = intake.try_enter(3, hand_over);
        assert!(matches!(refused, Err(TrySubmitError::Closed(3))));
        // The sender is gone: the queue ends after what was accepted.
        assert_eq!(queue.iter().count(), 1);
    });
}

#[test]
fn waiting_submitters_are_freed_by_close_with_their_jobs() {
    watchdog(|| {
        for _ in 0..often(50) {
            let (intake, _queue) = intake(1);
            let intake = Arc::new(intake);
            intake.enter(0, hand_over).unwrap();
            let waiting: Vec<_> = (1..=4)
                .map(|job| {
                    let intake = Arc::clone(&intake);
                    thread::spawn(move || intake.enter(job, hand_over))
                })
                .collect();
            intake.close();
            for (job, submitter) in (1..).zip(waiting) {
                let Closed(back) = submitter.join().unwrap().unwrap_err();
                assert_eq!(back, job);
            }
        }
    });
}

#[test]
fn each_place_that_becomes_free_lets_a_waiting_submitter_through() {
    watchdog(|| {
        let (intake, queue) = intake(2);
        let intake = Arc::new(intake);
        let submitters: Vec<_> = (0..8)
            .map(|_| {
                let intake = Arc::clone(&intake);
                thread::spawn(move || {
                    for _ in 0..often(500) {
                        intake.enter(0, hand_over).unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..8 * often(500) {
            finish(&intake, &queue);
        }
        submitters.into_iter().for_each(|s| s.join().unwrap());
    });
}

#[test]
fn never_more_than_the_bound_are_inside() {
    watchdog(|| {
        const BOUND: usize = 3;
        let (jobs, queue) = channel();
        let config = Config::new(1, BOUND - 1).unwrap();
        let intake = Arc::new(Intake::new(jobs, config));
        let inside = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let queue: Arc<Mutex<Receiver<Ticket<u32>>>> =
            Arc::new(Mutex::new(queue));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (intake, queue) =
                    (Arc::clone(&intake), Arc::clone(&queue));
                let inside = Arc::clone(&inside);
                thread::spawn(move || {
                    loop {
                        let next = queue.lock().unwrap().recv();
                        let Ok(Ticket { id, .. }) = next else { return };
                        let job = || inside.fetch_sub(1, Ordering::SeqCst);
                        intake.run(Ticket { id, job });
                    }
                })
            })
            .collect();
        let submitters: Vec<_> = (0..4)
            .map(|_| {
                let (intake, over) = (Arc::clone(&intake), Arc::clone(&over));
                let inside = Arc::clone(&inside);
                thread::spawn(move || {
                    for _ in 0..often(2000) {
                        let count = |jobs: &mut Way, ticket| {
                            let now = inside.fetch_add(1, Ordering::SeqCst);
                            over.fetch_or(now >= BOUND, Ordering::SeqCst);
                            hand_over(jobs, ticket)
                        };
                        intake.enter(0, count).unwrap();
                    }
                })
            })
            .collect();
        submitters.into_iter().for_each(|s| s.join().unwrap());
        intake.close();
        workers.into_iter().for_each(|w| w.join().unwrap());
        assert!(!over.load(Ordering::SeqCst));
    });
}

#[test]
fn cancel_stops_what_has_not_started() {
    watchdog(|| {
        let (intake, queue) = intake(2);
        intake.enter(1, hand_over).unwrap();
        assert!(!intake.is_stopped());
        drop(intake.cancel());
        assert!(intake.is_stopped());
        let Ticket { id, job } = queue.recv().unwrap();
        let completion = intake.run(Ticket { id, job: move || job });
        assert!(completion.outcome.is_cancelled());
    });
}

#[test]
fn a_submitter_that_hands_nothing_over_passes_its_wake_up_on() {
    watchdog(|| {
        for round in 0..often(20) {
            let (intake, queue) = intake(1);
            let intake = Arc::new(intake);
            intake.enter(0, hand_over).unwrap();
            let refused = {
                let intake = Arc::clone(&intake);
                thread::spawn(move || {
                    let refuse = |_: &mut Way, ticket: Ticket<u32>| {
                        if round % 2 == 0 {
                            std::panic::resume_unwind(Box::new("refused"));
                        }
                        Err(ticket.job)
                    };
                    let _ = intake.enter(1, refuse);
                })
            };
            let accepted = {
                let intake = Arc::clone(&intake);
                thread::spawn(move || intake.enter(2, hand_over).is_ok())
            };
            while !format!("{intake:?}").contains("waiting: 2") {
                thread::yield_now();
            }
            finish(&intake, &queue);
            assert!(accepted.join().unwrap());
            // The other may wait behind it.
            finish(&intake, &queue);
            let _ = refused.join();
        }
    });
}

#[test]
fn an_async_job_that_is_dropped_frees_its_place() {
    watchdog(|| {
        struct Never;

        impl Job for Never {
            type Output = ();

            fn run(self) {}
        }

        impl AsyncJob for Never {
            async fn run_async(self) {
                pending().await
            }
        }

        let (intake, _queue) = intake(1);
        intake.enter(0, hand_over).unwrap();
        let ticket = Ticket { id: JobId::new(0), job: Never };
        let mut running = Box::pin(intake.run_async(ticket));
        let mut context = Context::from_waker(Waker::noop());
        assert!(running.as_mut().poll(&mut context).is_pending());
        assert!(intake.try_enter(1, hand_over).unwrap_err().is_full());
        drop(running);
        assert!(intake.try_enter(1, hand_over).is_ok());
    });
}
