//! The kit's own behaviour.

use std::panic::{catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;

use manyhands_conformance::{
    Check, Claim, Finding, Kit, Law, LawJob, Report, Verdict, check, check_all,
};
use manyhands_core::{Config, InlinePool, Panic, WorkerPool};

/// What the kit says of a pool that it cannot hold to the laws.
const INLINE: &str = "workers 1, queue 0: jobs run on the thread that \
                      submits them, and the laws are about pools with \
                      workers of their own";

fn inline(_: Config) -> InlinePool<LawJob> {
    InlinePool::new()
}

#[test]
fn a_pool_without_workers_is_told_so_at_once() {
    let report = check_all(inline);
    assert_eq!(report.verdicts().len(), Law::ALL.len());
    for (verdict, law) in report.verdicts().iter().zip(Law::ALL) {
        assert_eq!(verdict.check, Check::Law(law));
        let Finding::Failed(how) = &verdict.finding else {
            panic!("{verdict}");
        };
        let (_size, how) = how.split_once(": ").unwrap();
        assert!(INLINE.ends_with(how), "{verdict}");
    }
}

#[test]
fn a_boxed_pool_will_do() {
    let verdict = check(Law::ExactBound, |config| {
        Box::new(inline(config)) as Box<dyn WorkerPool<LawJob>>
    });
    assert_eq!(verdict.finding, Finding::Failed(INLINE.to_owned()));
}

#[test]
fn a_maker_that_panics_is_one_line() {
    let verdict = check(Law::CloseIsFinal, |_| -> InlinePool<LawJob> {
        resume_unwind(Box::new("no threads today"))
    });
    assert_eq!(
        verdict.to_string(),
        "law 3, close is final: FAILED: \
         workers 1, queue 0: panicked: no threads today"
    );
}

#[test]
fn a_hang_says_what_was_waited_for_and_what_the_threads_do() {
    let report = Kit::new()
        .only([Law::CloseIsFinal])
        .watchdog(Duration::from_millis(200))
        .check(|_| -> InlinePool<LawJob> {
            loop {
                thread::park();
            }
        });
    let said = report.to_string();
    let what = "workers 1, queue 0: hung for 200ms, waiting for the pool to \
                be made";
    assert!(said.contains(what), "{said}");
    if cfg!(target_os = "linux") {
        assert!(said.contains("; threads: "), "{said}");
        assert!(said.contains("law 3 sleeping"), "{said}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_pool_that_says_nothing_of_itself_is_held_to_the_laws_alone() {
    let checks = |kit: Kit<'_>| kit.check(inline).verdicts().len();
    assert_eq!(checks(Kit::new()), Law::ALL.len());
    let all = Law::ALL.len() + Claim::ALL.len();
    assert_eq!(checks(Kit::new().claims([])), all);
}

#[test]
fn what_is_not_claimed_is_said_and_does_not_count_against_a_pool() {
    let report = Kit::new().only([Claim::InOrder]).check(inline);
    assert_eq!(report.verdicts()[0].finding, Finding::NotClaimed);
    assert!(report.is_passed());
    assert_eq!(report.to_string(), "claim \"starts in order\": not claimed");
}

#[test]
fn chosen_laws_are_checked_in_the_order_given_and_reported_one_by_one() {
    let laws = [Law::FullMeansOwed, Law::DropWaits];
    let mut seen = Vec::new();
    let report =
        Kit::new().only(laws).on_verdict(|v| seen.push(v.check)).check(inline);
    let reported: Vec<Check> =
        report.verdicts().iter().map(|verdict| verdict.check).collect();
    assert_eq!(seen, laws.map(Check::Law));
    assert_eq!(reported, laws.map(Check::Law));
}

#[test]
fn a_failed_report_names_each_broken_law_in_a_line() {
    let laws = [Law::ExactBound, Law::PanicsContained];
    let report = Kit::new().only(laws).check(inline);
    assert!(!report.is_passed());
    let payload = catch_unwind(|| report.assert_passed()).unwrap_err();
    assert_eq!(
        Panic::new(payload).message(),
        format!(
            "the pool fails 2 of 2 checks:\n  \
             law 8, exactly that bound: FAILED: {INLINE}\n  \
             law 9, panics are contained: FAILED: {INLINE}"
        )
    );
}

#[test]
fn a_report_is_one_line_a_law() {
    let laws = [Law::ExactBound, Law::PanicsContained];
    let report: Report = Kit::new().only(laws).check(inline);
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("law 8, exactly that bound: FAILED: "));
    assert!(lines[1].starts_with("law 9, panics are contained: FAILED: "));
}

#[test]
fn only_a_failure_counts_against_a_pool() {
    let verdict = |finding| Verdict { check: Law::IdleIsFree.into(), finding };
    let passed = verdict(Finding::Passed);
    let skipped = verdict(Finding::Skipped("no /proc".to_owned()));
    assert!(passed.is_passed());
    assert!(skipped.is_passed());
    assert_eq!(passed.to_string(), "law 15, idle costs nothing: passed");
    assert_eq!(
        skipped.to_string(),
        "law 15, idle costs nothing: skipped: no /proc"
    );
}

#[test]
fn laws_are_numbered_from_1_to_19_and_have_names_of_their_own() {
    let numbers = Law::ALL.map(Law::number);
    assert!(numbers.iter().copied().eq(1..=19));
    let mut names = Law::ALL.map(Law::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 19);
    for law in Law::ALL {
        assert_eq!(Check::Law(law).name(), law.name());
        assert!(law.statement().ends_with('.'), "{}", law.statement());
    }
    for claim in Claim::ALL {
        assert_eq!(Check::Claim(claim).name(), claim.name());
        assert!(claim.statement().ends_with('.'), "{}", claim.statement());
    }
}
