//! Each broken pool is found out, by a program of a few calls.

use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::Strategy;

use crate::broken::{Broken, Fault};
use crate::program::{self, Program};
use crate::search::{Finding, Play, Subject, search_the_same};
use crate::variants::subjects;
use crate::{alone, together};

/// The first variant, with a fault.
fn subject(fault: Fault) -> Subject {
    /// What hangs does so each time that it is made smaller.
    const SHORT: Duration = Duration::from_millis(500);
    let (_, whole) = subjects().swap_remove(0);
    let patience = if fault.hangs() { SHORT } else { whole.patience };
    let make = Arc::clone(&whole.make);
    let make = move |config| Box::new(Broken::new(fault, make(config))) as _;
    Subject { make: Arc::new(make), patience, ..whole }
}

/// The fault is found, in words like these, and shown in so many calls.
fn assert_found<P: Program>(
    fault: Fault,
    programs: impl Strategy<Value = P>,
    play: Play<P>,
    most: usize,
    words: &str,
) {
    const PROGRAMS: u32 = 5_000;
    /// What only a race shows may first be seen in a program of which no part
    /// shows it often enough; the next time it is seen in another.
    const SEARCHES: usize = 3;
    let subject = subject(fault);
    let mut smallest: Option<Finding<P>> = None;
    for _ in 0..SEARCHES {
        let found = search_the_same(&subject, &programs, play, PROGRAMS);
        let Some(found) = found else { panic!("{fault:?} was not found") };
        let calls = found.program.calls();
        if smallest.as_ref().is_none_or(|it| calls < it.program.calls()) {
            smallest = Some(found);
        }
        if calls <= most {
            break;
        }
    }
    let Finding { program, fault: said } = smallest.expect("found each time");
    let calls = program.calls();
    let shown = format!("{fault:?}: {said}\nin {calls} calls: {program:#?}");
    assert!(calls <= most, "made no smaller than: {shown}");
    assert!(said.contains(words), "not as {words:?}: {shown}");
}

fn alone_in(fault: Fault, most: usize, words: &str) {
    assert_found(fault, program::alone(), alone::play, most, words);
}

fn together_in(fault: Fault, most: usize, words: &str) {
    assert_found(fault, program::together(), together::play, most, words);
}

#[test]
fn a_pool_that_loses_every_seventh_completion_is_found_in_a_few_calls() {
    alone_in(Fault::LosesEverySeventhCompletion, 10, "owed");
}

#[test]
fn a_pool_that_loses_every_seventh_completion_is_found_by_several_threads() {
    // Seven jobs, and what lets them in.
    together_in(Fault::LosesEverySeventhCompletion, 14, "received");
}

#[test]
fn a_pool_that_loses_what_panicked_is_found_in_a_few_calls() {
    alone_in(Fault::LosesWhatPanicked, 4, "owed");
}

#[test]
fn a_pool_that_says_full_with_nothing_owed_is_found_in_three_calls() {
    alone_in(Fault::SaysFullWithNothingOwed, 3, "full with");
}

#[test]
fn a_pool_that_says_full_with_nothing_owed_is_found_by_several_threads() {
    together_in(Fault::SaysFullWithNothingOwed, 8, "full with");
}

#[test]
fn a_pool_that_runs_a_cancelled_job_is_found_in_a_few_calls() {
    alone_in(Fault::RunsWhatItGivesBackAsCancelled, 8, "started");
}

#[test]
fn a_pool_whose_cancel_only_closes_is_found_in_a_few_calls() {
    alone_in(Fault::CancelOnlyCloses, 8, "after cancel");
}

#[test]
fn a_pool_that_accepts_after_close_is_found_in_two_calls() {
    alone_in(Fault::AcceptsAfterClose, 2, "after close");
}

#[test]
fn a_pool_that_tells_another_id_is_found_in_two_calls() {
    alone_in(Fault::TellsAnotherId, 2, "reference");
}

#[test]
fn a_pool_that_gives_one_after_the_end_is_found_in_no_call() {
    alone_in(Fault::GivesOneAfterTheEnd, 0, "not owed");
}

#[test]
fn a_pool_whose_recv_many_waits_for_all_is_found_in_a_few_calls() {
    alone_in(Fault::WaitsForAllThatRecvManyMayGive, 6, "still waiting");
}

#[test]
fn a_pool_whose_reader_is_not_told_of_the_end_is_found_in_no_call() {
    alone_in(Fault::ForgetsToWakeTheReaderOnClose, 0, "still waiting");
}

#[test]
fn a_pool_that_loses_a_job_to_a_close_between_is_found_by_several_threads() {
    together_in(Fault::LosesAJobWhenCloseComesBetween, 8, "accepted");
}
