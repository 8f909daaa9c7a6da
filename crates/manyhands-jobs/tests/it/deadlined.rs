//! Closures that look at their deadline.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{CancelToken, Job, WorkerPool};
use manyhands_jobs::Deadlined;

use crate::support::{HOUR, Held, on_each, on_each_beside};

#[test]
fn a_closure_is_told_that_its_time_is_over() {
    watchdog(|| {
        on_each(
            || {
                let short = Duration::from_millis(1);
                [short, HOUR, Duration::MAX]
                    .map(|limit| {
                        Deadlined::new(limit, move |token: &CancelToken| {
                            limit < HOUR && token.wait_timeout(HOUR)
                        })
                    })
                    .into()
            },
            |name, answers| {
                let told = [true, false, false].map(Some);
                assert_eq!(answers, told, "{name}");
            },
        );
    });
}

type Boxed = Box<dyn FnOnce(&CancelToken) -> Option<Instant> + Send>;

#[test]
fn the_limit_counts_from_the_start_of_the_job_and_not_from_its_submission() {
    watchdog(|| {
        let held = Held::new(|work| {
            let work: Boxed = Box::new(move |_| {
                work();
                None
            });
            Deadlined::new(HOUR, work)
        });
        let ask = || -> Boxed { Box::new(|token| token.deadline()) };
        held.pool.submit(Deadlined::new(HOUR, ask())).unwrap();
        let moment = Instant::now() + HOUR;
        held.pool.submit(Deadlined::until(moment, ask())).unwrap();
        let released = Instant::now();
        let pool = held.let_go();
        let deadline = pool.recv().unwrap().done().unwrap();
        assert!(deadline.unwrap() >= released + HOUR);
        let deadline = pool.recv().unwrap().done().unwrap();
        assert_eq!(deadline, Some(moment));
    });
}

#[test]
fn a_closure_is_told_when_the_token_above_its_own_is_cancelled() {
    watchdog(|| {
        on_each_beside(
            || {
                let (begin, begun) = channel();
                let parent = CancelToken::new();
                let job = Deadlined::new(HOUR, move |token: &CancelToken| {
                    begin.send(()).unwrap();
                    token.wait();
                });
                (vec![job.token(&parent)], (begun, parent))
            },
            |(begun, parent)| {
                begun.recv().unwrap();
                parent.cancel();
            },
            |name, answers| assert_eq!(answers, [Some(())], "{name}"),
        );
    });
}

#[test]
fn the_end_of_one_closure_is_not_that_of_its_siblings() {
    let parent = CancelToken::new();
    let over = Deadlined::new(Duration::ZERO, CancelToken::is_cancelled);
    assert!(over.token(&parent).run());
    assert!(!parent.is_cancelled());
}
