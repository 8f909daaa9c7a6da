//! The laws: each pool with a runtime of its own, on a caller's runtime, and
//! with blocking jobs. In a binary of its own, since some of them count the
//! threads and file handles of the whole process.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::num::NonZeroUsize;

use manyhands_conformance::{Claim, Kit, LawJob};
use manyhands_core::{
    Closed, Completion, Config, Job, JobId, Outcome, TrySubmitError,
    WorkerPool,
};
use manyhands_tokio::{Blocking, JoinSetPool, TaskPool};
use tokio::runtime::Runtime;

#[test]
fn the_task_pool_keeps_all_laws() {
    check_all([Claim::InOrder], |config| TaskPool::new(config).unwrap());
}

#[test]
fn the_join_set_pool_keeps_all_laws() {
    check_all([], |config| JoinSetPool::new(config).unwrap());
}

#[test]
fn the_task_pool_keeps_all_laws_on_a_callers_runtime() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    check_all([Claim::InOrder], move |config| TaskPool::on(&handle, config));
}

#[test]
fn the_join_set_pool_keeps_all_laws_on_a_callers_runtime() {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    check_all([], move |config| JoinSetPool::on(&handle, config));
}

#[test]
fn the_task_pool_keeps_all_laws_with_blocking_jobs() {
    check_all([Claim::InOrder], |config| {
        Unwrapped(TaskPool::new(config).unwrap())
    });
}

#[test]
fn the_join_set_pool_keeps_all_laws_with_blocking_jobs() {
    check_all([], |config| Unwrapped(JoinSetPool::new(config).unwrap()));
}

/// Holds a pool to all laws, and to the claims that it makes.
fn check_all<P: WorkerPool<LawJob> + 'static, const CLAIMS: usize>(
    claims: [Claim; CLAIMS],
    make: impl Fn(Config) -> P + Send + Sync + 'static,
) {
    Kit::new().claims(claims).check(make).assert_passed();
}

/// A pool of blocking jobs as a pool of the jobs themselves.
struct Unwrapped<P>(P);

impl<J: Job, P: WorkerPool<Blocking<J>>> WorkerPool<J> for Unwrapped<P> {
    fn submit(&self, job: J) -> Result<JobId, Closed<J>> {
        self.0.submit(Blocking(job)).map_err(|Closed(job)| Closed(job.0))
    }

    fn try_submit(&self, job: J) -> Result<JobId, TrySubmitError<J>> {
        self.0.try_submit(Blocking(job)).map_err(|refused| match refused {
            TrySubmitError::Full(job) => TrySubmitError::Full(job.0),
            TrySubmitError::Closed(job) => TrySubmitError::Closed(job.0),
        })
    }

    fn recv(&self) -> Option<Completion<J>> {
        let Completion { id, outcome } = self.0.recv()?;
        let outcome = match outcome {
            Outcome::Done(output) => Outcome::Done(output),
            Outcome::Panicked(panic) => Outcome::Panicked(panic),
            Outcome::Cancelled(job) => Outcome::Cancelled(job.0),
        };
        Some(Completion { id, outcome })
    }

    fn close(&self) {
        self.0.close();
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.0.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.0.bound()
    }
}
