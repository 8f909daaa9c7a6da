//! The checks, a module for each chapter of the laws.

mod backpressure;
mod batches;
mod close;
mod jobs;
mod ledger;
mod moves;
mod panics;
mod threads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::trial::{Checked, Trial, ensure};
use crate::{Law, LawJob};
use moves::Way;

type Sizes = &'static [(usize, usize)];
type Check = fn(&Trial) -> Checked;

/// Workers and queue of the pools that most laws are tried on.
const SIZES: Sizes =
    &[(1, 0), (1, 1), (2, 0), (2, 2), (3, 1), (3, 64), (8, 2)];
/// For what takes longer.
const FEW: Sizes = &[(1, 0), (2, 2), (3, 64)];
/// For what takes some tenths of a second.
const TWO: Sizes = &[(2, 2), (8, 0)];
/// With a queue whose memory shows, and with many threads.
const LARGE: Sizes = &[(3, 2048), (8, 0)];

/// On which sizes a law is tried, and how.
pub(crate) fn plan(law: Law) -> (Sizes, Check) {
    match law {
        Law::ExactlyOneCompletion => {
            (SIZES, |trial| jobs::exactly_one_completion(trial, Way::OneByOne))
        }
        Law::RefusedComesBack => (SIZES, jobs::refused_comes_back),
        Law::CloseIsFinal => (SIZES, close::close_is_final),
        Law::CloseLosesNothing => {
            (SIZES, |trial| close::close_loses_nothing(trial, Way::OneByOne))
        }
        Law::DrainedThenNone => (SIZES, close::drained_then_none),
        Law::SubmitAllThenRead => (FEW, |trial| {
            backpressure::submit_all_then_read(trial, Way::OneByOne)
        }),
        Law::ExactWorkers => (SIZES, jobs::exact_workers),
        Law::ExactBound => (SIZES, backpressure::exact_bound),
        Law::PanicsContained => (SIZES, panics::panics_contained),
        Law::CancelGivesBack => {
            (SIZES, |trial| close::cancel_gives_back(trial, Way::OneByOne))
        }
        Law::DropWaits => (SIZES, threads::drop_waits),
        Law::AnyThreads => {
            (SIZES, |trial| threads::any_threads(trial, Way::OneByOne))
        }
        Law::WritesVisible => {
            (SIZES, |trial| jobs::writes_visible(trial, Way::OneByOne))
        }
        Law::WaitingSubmitterFreed => (SIZES, |trial| {
            close::waiting_submitter_freed(trial, Way::OneByOne)
        }),
        Law::IdleIsFree => (TWO, threads::idle_is_free),
        Law::AllGivenBack => (LARGE, threads::all_given_back),
        Law::FullMeansOwed => (SIZES, |trial| {
            backpressure::full_means_owed(trial, Way::OneByOne)
        }),
        Law::BatchesObey => (FEW, batches::batches_obey),
    }
}

/// Finds out whether jobs run on workers at all. A pool that runs them on
/// the thread that submits them would wait at the first gate for ever.
pub(crate) fn has_workers(trial: &Trial) -> Checked {
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
