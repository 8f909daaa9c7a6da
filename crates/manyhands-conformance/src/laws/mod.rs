//! The checks, a module for each chapter of the laws, and one for the claims.

mod backpressure;
mod batches;
mod claims;
mod close;
mod drops;
mod idle;
mod jobs;
mod ledger;
mod moves;
mod panics;
mod sharing;
mod threads;
mod together;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::trial::{Plan, Result, Sizes, Trial, ensure};
use crate::{Law, LawJob};
use moves::Way;

pub(crate) use claims::plan as plan_claim;

/// Workers and queue of the pools that most laws are tried on, and in the deep
/// form all: every number of workers with every queue.
#[rustfmt::skip]
pub(crate) const EVERY: Sizes = &[
    (1, 0), (1, 1), (1, 2), (1, 64),
    (2, 0), (2, 1), (2, 2), (2, 64),
    (3, 0), (3, 1), (3, 2), (3, 64),
    (8, 0), (8, 1), (8, 2), (8, 64),
];
/// For what takes longer.
const FEW: Sizes = &[(1, 0), (2, 2), (3, 64)];
/// For what takes some tenths of a second.
const TWO: Sizes = &[(2, 2), (8, 0)];
/// With a queue whose memory shows, and with many threads.
const LARGE: Sizes = &[(3, 2048), (8, 0)];
/// For large numbers of jobs: with hardly any room, and with room to spare.
const LONG: Sizes = &[(1, 1), (3, 64)];
/// With room for what a worker might take at once.
const ROOMY: Sizes = &[(1, 64), (2, 64), (8, 64)];

/// On which sizes a law is tried, and how.
pub(crate) fn plan(law: Law) -> Plan {
    let plan = |sizes, body| Plan::new(sizes, LONG, body);
    match law {
        Law::ExactlyOneCompletion => plan(EVERY, |trial| {
            jobs::exactly_one_completion(trial, Way::OneByOne)
        }),
        Law::RefusedComesBack => plan(EVERY, jobs::refused_comes_back),
        Law::CloseIsFinal => plan(EVERY, close::close_is_final),
        Law::CloseLosesNothing => plan(EVERY, |trial| {
            close::close_loses_nothing(trial, Way::OneByOne)
        }),
        Law::DrainedThenNone => plan(EVERY, close::drained_then_none),
        Law::SubmitAllThenRead => plan(FEW, |trial| {
            backpressure::submit_all_then_read(trial, Way::OneByOne)
        }),
        Law::ExactWorkers => plan(EVERY, jobs::exact_workers),
        Law::ExactBound => plan(EVERY, backpressure::exact_bound),
        Law::PanicsContained => plan(EVERY, panics::panics_contained),
        Law::CancelGivesBack => {
            plan(EVERY, |trial| close::cancel_gives_back(trial, Way::OneByOne))
        }
        Law::DropWaits => Plan::new(EVERY, LONG, drops::drop_waits).alone(),
        Law::AnyThreads => {
            plan(EVERY, |trial| threads::any_threads(trial, Way::OneByOne))
        }
        Law::WritesVisible => {
            plan(EVERY, |trial| jobs::writes_visible(trial, Way::OneByOne))
        }
        Law::WaitingSubmitterFreed => plan(EVERY, |trial| {
            close::waiting_submitter_freed(trial, Way::OneByOne)
        }),
        Law::IdleIsFree => Plan::new(TWO, TWO, idle::idle_is_free).alone(),
        Law::AllGivenBack => {
            Plan::new(LARGE, TWO, drops::all_given_back).alone()
        }
        Law::FullMeansOwed => plan(EVERY, |trial| {
            backpressure::full_means_owed(trial, Way::OneByOne)
        }),
        Law::BatchesObey => plan(EVERY, batches::batches_obey)
            .and(EVERY, together::handed_over_together)
            .and(FEW, batches::other_laws_through_batches),
        Law::WorkIsShared => Plan::new(EVERY, ROOMY, sharing::work_is_shared)
            .and(ROOMY, sharing::work_is_shared_when_warm),
    }
}

/// Finds out whether jobs run on workers at all. A pool that runs them on
/// the thread that submits them would wait at the first gate for ever.
pub(crate) fn has_workers(trial: &Trial) -> Result {
    let pool = trial.pool();
    let submitter = thread::current().id();
    let inline = Arc::new(AtomicBool::new(false));
    let sees = Arc::clone(&inline);
    let job = LawJob::new(0).then(move || {
        let same = thread::current().id() == submitter;
        sees.store(same, Ordering::SeqCst);
    });
    moves::submit(trial, &pool, job)?;
    ensure!(
        trial,
        !inline.load(Ordering::SeqCst),
        "jobs run on the thread that submits them, \
         and the laws are about pools with workers of their own"
    );
    trial.note("drop of a pool that had one job");
    drop(pool);
    Ok(())
}
