//! What shows that the kit can fail: a pool that keeps the laws, and the same
//! pool with one fault at a time, each caught by the law that forbids it, or
//! with one lie.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod fault;
mod liar;
mod reference;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{iter, thread};

use manyhands_conformance::{Claim, Depth, Finding, Kit, Law, Report};

use fault::{CAUGHT_BY, FALSE_CLAIMS, Fault};
use liar::{LIES, Liar};
use reference::ReferencePool;

/// A step takes milliseconds. What takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn the_pool_without_a_fault_keeps_all_laws() {
    Kit::new()
        .claims([Claim::InOrder])
        .check(|config| ReferencePool::new(config, None))
        .assert_passed();
}

#[test]
fn the_pool_is_what_it_truly_claims() {
    for (fault, claims) in [
        (Fault::HasNoQueue, [Claim::InOrder, Claim::NoQueue]),
        (Fault::StopsOnError, [Claim::InOrder, Claim::StopsOnError]),
    ] {
        Kit::new()
            .claims(claims)
            .check(move |config| ReferencePool::new(config, Some(fault)))
            .assert_passed();
    }
}

#[test]
fn the_pool_keeps_the_laws_with_jobs_that_run_as_tasks() {
    // The others look at threads and memory, whatever a job waits with.
    let alone = [Law::DropWaits, Law::IdleIsFree, Law::AllGivenBack];
    Kit::new()
        .only(Law::ALL.into_iter().filter(|law| !alone.contains(law)))
        .check(|config| ReferencePool::new(config, Some(Fault::RunsTasks)))
        .assert_passed();
}

#[test]
fn a_claim_that_is_kept_passes_and_one_that_is_not_made_is_not_claimed() {
    let report = Kit::new()
        .claims([Claim::InOrder])
        .only([Claim::InOrder, Claim::NoQueue])
        .check(|config| ReferencePool::new(config, None));
    let findings = report.verdicts().iter().map(|verdict| &verdict.finding);
    assert!(findings.eq(&[Finding::Passed, Finding::NotClaimed]), "{report}");
}

#[test]
fn the_deep_form_tries_every_number_of_workers_with_every_queue() {
    let sizes = |depth| {
        let sizes = Arc::new(Mutex::new(BTreeSet::new()));
        let notes = Arc::clone(&sizes);
        // Looked at on few sizes, and without large numbers.
        Kit::new()
            .only([Claim::ThreadPerJob])
            .depth(depth)
            .check(move |config| {
                let size = (config.workers().get(), config.queue());
                notes.lock().unwrap().insert(size);
                ReferencePool::new(config, None)
            })
            .assert_passed();
        sizes.lock().unwrap().clone()
    };
    let every = [1, 2, 3, 8]
        .into_iter()
        .flat_map(|workers| [0, 1, 2, 64].map(|queue| (workers, queue)));
    let deep = sizes(Depth::Deep);
    assert_eq!(deep, every.collect());
    assert!(sizes(Depth::Default).len() < deep.len());
}

#[test]
fn each_fault_is_caught_by_the_law_that_forbids_it() {
    none_missed(CAUGHT_BY, |&(fault, law, expected), patience| {
        let report = Kit::new()
            .only([law])
            .watchdog(patience)
            .check(move |config| ReferencePool::new(config, Some(fault)));
        missed(&report, format!("{fault:?}"), expected)
    });
}

#[test]
fn each_lie_is_caught_by_the_law_that_it_breaks() {
    none_missed(LIES, |&(lie, law, expected), patience| {
        let report = Kit::new()
            .only([law])
            .watchdog(patience)
            .check(move |config| Liar::new(config, lie));
        missed(&report, format!("{lie:?}"), expected)
    });
}

#[test]
fn each_false_claim_is_found_out_and_so_is_each_that_should_be_made() {
    none_missed(
        FALSE_CLAIMS,
        |&(fault, claim, claimed, expected), patience| {
            let report = Kit::new()
                .only([claim])
                .claims(claimed.then_some(claim))
                .watchdog(patience)
                .check(move |config| ReferencePool::new(config, fault));
            missed(&report, format!("{fault:?}"), expected)
        },
    );
}

#[test]
fn each_law_and_each_claim_has_a_fault_that_it_catches() {
    for law in Law::ALL {
        let catches = CAUGHT_BY.iter().any(|&(_, by, _)| by == law);
        assert!(catches, "no fault for {law}");
    }
    for claim in Claim::ALL {
        let made = |&(_, it, claimed, _): &_| it == claim && claimed;
        assert!(FALSE_CLAIMS.iter().any(made), "no fault for {claim}");
    }
}

/// Tries them all, several at once: most of the time is waiting. What is
/// missed so is tried once more by itself, with more patience: on a machine
/// that is busy, what is right may seem to hang.
fn none_missed<T: Sync>(
    all: &[T],
    try_one: fn(&T, Duration) -> Option<String>,
) {
    const AT_ONCE: usize = 12;
    let next = AtomicUsize::new(0);
    let is_missed = |one: &&T| try_one(one, PATIENCE).is_some();
    let work = || {
        let take = || all.get(next.fetch_add(1, Ordering::Relaxed));
        iter::from_fn(take).filter(is_missed).collect::<Vec<&T>>()
    };
    let missed = thread::scope(|scope| {
        let threads = [(); AT_ONCE].map(|()| scope.spawn(work));
        threads.map(|thread| thread.join().unwrap()).concat()
    });
    let missed: String =
        missed.iter().filter_map(|one| try_one(one, 5 * PATIENCE)).collect();
    assert!(missed.is_empty(), "not found, or not so:{missed}");
}

/// A line for a fault that did not make a check fail for this reason.
fn missed(report: &Report, fault: String, expected: &str) -> Option<String> {
    let found = report.failures().any(|verdict| {
        let Finding::Failed(how) = &verdict.finding else { return false };
        // What shows at one demand or at another has a word of each.
        expected.split('|').any(|word| how.contains(word))
    });
    (!found).then(|| format!("\n{fault} ({expected:?}): {report}"))
}
