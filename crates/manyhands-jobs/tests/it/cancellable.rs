//! Jobs that are not begun.

use std::sync::mpsc::channel;

use manyhands_conformance::watchdog;
use manyhands_core::{CancelToken, Cancelled, Job, WorkerPool};
use manyhands_jobs::{Cancellable, NotBegun};

use crate::support::{Both, Count, Held, on_each};

#[test]
fn a_job_whose_token_is_cancelled_comes_back_and_is_not_begun() {
    watchdog(|| {
        let begun = Count::default();
        let mut before = 0;
        on_each(
            || {
                let job = |n: u32| {
                    let begun = begun.clone();
                    let token = CancelToken::new();
                    if n % 2 == 1 {
                        token.cancel();
                    }
                    let job = Both(move || (n, begun.add()));
                    Cancellable::new(&token, job)
                };
                (0..6).map(job).collect()
            },
            |name, answers| {
                assert_eq!(begun.get() - before, 3, "{name}");
                for (n, answer) in (0..).zip(answers) {
                    match answer.unwrap() {
                        Ok((it, _)) => assert_eq!((it, n % 2), (n, 0)),
                        Err(NotBegun(job)) => {
                            assert_eq!(n % 2, 1, "{name}");
                            assert_eq!(job.run().0, n, "it is the job");
                        }
                    }
                }
                before = begun.get();
            },
        );
    });
}

#[test]
fn the_token_counts_when_a_worker_comes_to_the_job() {
    watchdog(|| {
        let token = CancelToken::new();
        let held = Held::new(|work| Cancellable::new(&token, work));
        let (ran, runs) = channel();
        let job: Box<dyn FnOnce() + Send> = Box::new(move || {
            ran.send(()).unwrap();
        });
        held.pool.submit(Cancellable::new(&token, job)).unwrap();
        token.cancel();
        // The one that runs runs on.
        let pool = held.let_go();
        let answer = pool.recv().unwrap().done().unwrap();
        assert_eq!(answer.map_err(Cancelled::from), Err(Cancelled));
        assert!(runs.try_recv().is_err());
    });
}
