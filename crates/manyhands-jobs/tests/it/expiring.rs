//! Jobs that have waited too long.

use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, CancelToken, Job, WorkerPool};
use manyhands_jobs::{Expired, Expiring};
use tokio::runtime::Builder;

use crate::support::{Both, HOUR, Held, on_each};

const SOON: Duration = Duration::from_millis(5);

#[test]
fn a_job_that_is_too_late_comes_back_and_is_not_begun() {
    watchdog(|| {
        on_each(
            || {
                let job = |n: u32| {
                    let limit = if n % 2 == 1 { Duration::ZERO } else { HOUR };
                    Expiring::new(limit, Both(move || n))
                };
                (0..6).map(job).collect()
            },
            |name, answers| {
                for (n, answer) in (0..).zip(answers) {
                    match answer.unwrap() {
                        Ok(it) => assert_eq!((it, n % 2), (n, 0), "{name}"),
                        Err(Expired(job)) => {
                            assert_eq!(n % 2, 1, "{name}");
                            assert_eq!(job.run(), n, "it is the job");
                        }
                    }
                }
            },
        );
    });
}

#[test]
fn the_time_in_the_queue_counts() {
    watchdog(|| {
        let held = Held::new(|work| Expiring::new(HOUR, work));
        let job: Box<dyn FnOnce() + Send> = Box::new(|| panic!("begun"));
        let job = Expiring::new(SOON, job);
        let deadline = job.deadline().unwrap();
        held.pool.submit(job).unwrap();
        CancelToken::new().child_until(deadline).wait();
        let answer = held.let_go().recv().unwrap().done().unwrap();
        assert!(matches!(answer, Err(Expired(_))));
    });
}

#[test]
fn a_job_that_was_begun_in_time_runs_to_its_end() {
    watchdog(|| {
        // Begun at once, it waits until its own deadline is over.
        let job = || {
            let deadline = Instant::now() + SOON * 20;
            let token = CancelToken::new().child_until(deadline);
            Expiring::until(deadline, Both(move || token.wait()))
        };
        assert!(matches!(job().run(), Ok(())));
        let runtime = Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(job().run_async());
        assert!(matches!(answer, Ok(())));
    });
}

#[test]
fn a_limit_beyond_the_clock_is_none() {
    let job = Expiring::new(Duration::MAX, || 42);
    assert_eq!(job.deadline(), None);
    assert!(matches!(job.run(), Ok(42)));
}
