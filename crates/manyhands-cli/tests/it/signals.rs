//! Ctrl-C: what there is, that it is partial, and exit code 130.
#![cfg(unix)]

use std::thread;
use std::time::Duration;

use crate::program::{Ended, start, unwrapped};

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
