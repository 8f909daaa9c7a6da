//! What shows that the kit can fail: a pool that keeps the laws, and the same
//! pool with one fault at a time, each caught by the law that forbids it.

mod fault;
mod reference;

use std::time::Duration;

use manyhands_conformance::{Finding, Kit, Law, check_all};

use fault::CAUGHT_BY;
use reference::ReferencePool;

#[test]
fn the_pool_without_a_fault_keeps_all_laws() {
    check_all(|config| ReferencePool::new(config, None)).assert_passed();
}

#[test]
fn each_fault_is_caught_by_the_law_that_forbids_it() {
    /// A step takes milliseconds. What takes this long hangs.
    const PATIENCE: Duration = Duration::from_secs(1);
    let mut missed = String::new();
    for &(fault, law, expected) in CAUGHT_BY {
        let report = Kit::new()
            .laws([law])
            .watchdog(PATIENCE)
            .check(move |config| ReferencePool::new(config, Some(fault)));
        let caught = report.failures().any(|verdict| {
            let Finding::Failed(how) = &verdict.finding else { return false };
            how.contains(expected)
        });
        if !caught {
            missed += &format!("\n{fault:?} ({expected:?}): {report}");
        }
    }
    assert!(missed.is_empty(), "not caught, or not for its fault:{missed}");
}

#[test]
fn each_law_has_a_fault_that_it_catches() {
    for law in Law::ALL {
        let catches = CAUGHT_BY.iter().any(|&(_, by, _)| by == law);
        assert!(catches, "no fault for {law}");
    }
}
