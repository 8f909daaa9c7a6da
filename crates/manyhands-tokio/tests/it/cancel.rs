//! Tokens of two kinds, linked.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::CancelToken;
use manyhands_tokio::cancel::tokio_util::sync::CancellationToken;
use manyhands_tokio::cancel::{from_tokio_util, link, to_tokio_util};

use crate::current_thread;

#[test]
fn whichever_of_two_tokens_is_cancelled_the_other_is_too() {
    watchdog(|| {
        let theirs = CancellationToken::new();
        let ours = from_tokio_util(&theirs);
        assert!(!ours.is_cancelled() && !theirs.is_cancelled());
        theirs.cancel();
        assert!(ours.is_cancelled());

        let theirs = CancellationToken::new();
        from_tokio_util(&theirs).cancel();
        assert!(theirs.is_cancelled());

        let ours = CancelToken::new();
        let theirs = to_tokio_util(&ours);
        ours.cancel();
        assert!(theirs.is_cancelled());

        let ours = CancelToken::new();
        to_tokio_util(&ours).cancel();
        assert!(ours.is_cancelled());
    });
}

#[test]
fn a_token_is_cancelled_by_what_either_is_a_child_of() {
    watchdog(|| {
        let (ours, theirs) = (CancelToken::new(), CancellationToken::new());
        let (our_child, their_child) = (ours.child(), theirs.child_token());
        link(&our_child, &their_child);
        theirs.cancel();
        assert!(our_child.is_cancelled() && !ours.is_cancelled());

        let theirs = CancellationToken::new();
        let child = ours.child();
        link(&child, &theirs);
        ours.cancel();
        assert!(theirs.is_cancelled());
    });
}

#[test]
fn a_token_that_was_cancelled_before_is_found_so() {
    watchdog(|| {
        let theirs = CancellationToken::new();
        theirs.cancel();
        assert!(from_tokio_util(&theirs).is_cancelled());
        let ours = CancelToken::new();
        ours.cancel();
        assert!(to_tokio_util(&ours).is_cancelled());
    });
}

#[test]
fn a_deadline_that_is_found_cancels_the_other_token() {
    watchdog(|| {
        let ours = CancelToken::new().child_for(Duration::from_millis(2));
        let theirs = to_tokio_util(&ours);
        ours.wait();
        assert!(theirs.is_cancelled());
    });
}

#[test]
fn who_awaits_one_token_hears_of_the_other() {
    watchdog(|| {
        let runtime = current_thread();
        let ours = CancelToken::new();
        let theirs = to_tokio_util(&ours);
        let waits = runtime.spawn(theirs.clone().cancelled_owned());
        ours.cancel();
        runtime.block_on(waits).unwrap();

        let theirs = CancellationToken::new();
        let ours = from_tokio_util(&theirs);
        let waits = runtime.spawn(ours.cancelled());
        let blocks = thread::spawn(move || ours.wait());
        theirs.cancel();
        runtime.block_on(waits).unwrap();
        blocks.join().unwrap();
    });
}

#[test]
fn tokens_that_are_linked_do_not_keep_each_other() {
    watchdog(|| {
        let (service, theirs) = (CancelToken::new(), CancellationToken::new());
        for _ in 0..100 {
            let request = service.child();
            let weak = request.downgrade();
            link(&request, &theirs);
            let _client = to_tokio_util(&request);
            drop(request);
            assert!(weak.upgrade().is_none(), "something keeps it");
        }
        // What it has left there would wake, and find nothing.
        theirs.cancel();
        assert!(!service.is_cancelled());
    });
}

#[test]
fn both_may_be_cancelled_at_once() {
    watchdog(|| {
        for _ in 0..200 {
            let ours = CancelToken::new();
            let theirs = to_tokio_util(&ours);
            let start = Arc::new(Barrier::new(2));
            let other = {
                let (ours, start) = (ours.clone(), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    ours.cancel();
                })
            };
            start.wait();
            theirs.cancel();
            other.join().unwrap();
            assert!(ours.is_cancelled() && theirs.is_cancelled());
        }
    });
}
