//! Ctrl-C: what there is, that it is partial, and exit code 130.
#![cfg(unix)]

use std::thread;
use std::time::Duration;

use crate::program::{Ended, entries, start, unwrapped};

const INTERRUPTED: Option<i32> = Some(130);

#[test]
fn an_interrupted_run_prints_its_totals_and_that_they_are_partial() {
    for signal in ["INT", "TERM", "HUP"] {
        let running = start(&[
            "run",
            "channel",
            "--work",
            "sleep:50ms",
            "--jobs",
            "100000",
            "--lines",
        ]);
        assert!(running.line().contains("started"));
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code, INTERRUPTED, "{ended:?}");
        let totals = unwrapped(&ended.stdout);
        assert!(totals.contains(" not run."), "{ended:?}");
        assert!(ended.stderr.contains("this is partial"), "{ended:?}");
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let mut running =
        start(&["run", "channel", "--work", "sleep:60s", "--workers", "1"]);
    assert!(running.line().contains("started"));
    running.signal("INT");
    assert!(running.said().starts_with("interrupted: "));
    assert!(running.is_running());
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, INTERRUPTED);
    // Had it waited for the job, it would have said so.
    assert_eq!(ended.stdout, "");
}

#[test]
fn an_interrupted_comparison_prints_what_it_has() {
    let ended = interrupt_until(
        &[
            "compare",
            "--variants",
            "channel",
            "--workers",
            "1",
            "--work",
            "sleep:10ms",
            "--jobs",
            "5",
            "--rounds",
            "1000",
        ],
        |ended| {
            let nothing = ended.stdout.is_empty();
            let says_so = ended.stderr.contains("nothing was measured yet");
            assert_eq!(nothing, says_so, "{ended:?}");
            !nothing
        },
    );
    assert!(ended.stdout.contains("\npartial "), "{ended:?}");
    assert!(ended.stdout.starts_with("variant "), "{ended:?}");
}

#[test]
fn an_interrupted_comparison_is_marked_as_partial_in_json() {
    let ended = interrupt_until(
        &[
            "compare",
            "--variants",
            "channel",
            "--workers",
            "1",
            "--work",
            "sleep:10ms",
            "--jobs",
            "5",
            "--rounds",
            "1000",
            "--format",
            "json",
        ],
        |ended| !ended.stdout.is_empty(),
    );
    let report: serde_json::Value =
        serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["partial"], true);
    assert!(!report["runs"].as_array().unwrap().is_empty());
}

#[test]
fn an_interrupted_verify_prints_what_it_has() {
    let ended = interrupt_until(&["verify"], |ended| {
        let nothing = ended.stdout.is_empty();
        let says_so = ended.stderr.contains("nothing was verified yet");
        assert_eq!(nothing, says_so, "{ended:?}");
        !nothing
    });
    assert!(ended.stdout.starts_with("variant "), "{ended:?}");
    assert!(ended.stderr.contains("this is partial"), "{ended:?}");
}

/// Starts the program and interrupts it, a little later each time, until
/// `is_enough`. It does not tell how far it is, so it cannot be waited for.
fn interrupt_until(
    arguments: &[&str],
    is_enough: impl Fn(&Ended) -> bool,
) -> Ended {
    for doublings in 0..10 {
        let running = start(arguments);
        thread::sleep(Duration::from_millis(20 << doublings));
        running.signal("INT");
        let ended = running.end();
        // Before it listens for signals, they end it.
        if ended.code.is_none() {
            continue;
        }
        assert_eq!(ended.code, INTERRUPTED, "{ended:?}");
        if is_enough(&ended) {
            return ended;
        }
    }
    panic!("{arguments:?} has nothing to print after 20 s");
}

#[test]
fn a_page_of_which_a_work_is_missing_never_gets_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    std::fs::write(&page, "mine").unwrap();
    let page = page.to_str().unwrap();
    let works = ["--work", "noop,sleep:60s", "--jobs", "20"];
    let few = ["--variants", "channel", "--rounds", "6", "--time", "1s"];
    let words = ["compare", "--processes", "1", "--report", page];
    let running = start(&[&words[..], &works, &few].concat());
    // The first is done; of the second there is nothing for a minute.
    while !running.line().starts_with("inline (again)") {}
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, INTERRUPTED, "{ended:?}");
    assert!(ended.stderr.contains("page.html is as it was"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(page).unwrap(), "mine");
    assert_eq!(entries(&dir), ["page.html"]);
}

#[test]
fn a_service_that_is_interrupted_ends_and_says_how_far_it_came() {
    for work in ["server", "signup"] {
        let few = ["--jobs", "1000", "--workers", "1", "--lines"];
        let run = ["run", "dispatcher", "--work", work];
        let running = start(&[&run[..], &few].concat());
        running.line();
        running.signal("INT");
        let ended = running.end();
        assert_eq!(ended.code, INTERRUPTED, "{ended:?}");
        assert!(ended.stderr.contains("this is partial"), "{ended:?}");
        let printed = unwrapped(&ended.stdout);
        assert!(printed.contains(" accepted, "), "{ended:?}");
        assert!(printed.contains(" not run."), "{ended:?}");
    }
}
