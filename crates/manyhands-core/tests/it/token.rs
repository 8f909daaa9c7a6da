use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_conformance::watchdog;
use manyhands_core::{CancelToken, Cancelled};

use crate::often;

/// Longer than any test is given.
const NEVER: Duration = Duration::from_secs(3600);

fn far_off() -> Instant {
    Instant::now() + NEVER
}

/// How many listen, by what the token shows.
fn listeners(token: &CancelToken) -> usize {
    let shown = format!("{token:?}");
    let (_, count) = shown.split_once("listeners: ").unwrap();
    count.split(' ').next().unwrap().parse().unwrap()
}

fn poll(future: impl Future<Output = ()>) -> Poll<()> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl CountWakes {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_token_is_not_cancelled_until_it_is_and_then_for_good() {
    let token = CancelToken::new();
    let clone = token.clone();
    assert!(!token.is_cancelled());
    assert_eq!(clone.check(), Ok(()));
    token.cancel();
    token.cancel();
    assert!(clone.is_cancelled());
    assert_eq!(clone.check(), Err(Cancelled));
    assert_eq!(Cancelled.to_string(), "cancelled");
}

#[test]
fn a_child_is_cancelled_with_its_parent_and_by_itself_alone() {
    let parent = CancelToken::default();
    let (one, other) = (parent.child(), parent.child());
    let grandchild = one.child();
    one.cancel();
    assert!(one.is_cancelled() && grandchild.is_cancelled());
    assert!(!parent.is_cancelled() && !other.is_cancelled());
    parent.cancel();
    assert!(other.is_cancelled());
    assert!(parent.child().is_cancelled(), "born to a cancelled one");
}

#[test]
fn a_grandchild_is_cancelled_also_when_what_was_between_is_dropped() {
    let token = CancelToken::new();
    let between = token.child();
    let grandchild = between.child();
    drop(between);
    token.cancel();
    assert!(grandchild.is_cancelled());
}

#[test]
fn what_is_dropped_leaves_nothing_in_a_parent_that_lives_on() {
    let parent = CancelToken::new();
    for _ in 0..often(10_000) {
        let child = parent.child();
        let _grandchild = child.child_for(NEVER);
        assert!(poll(child.cancelled()).is_pending());
        assert!(poll(parent.cancelled()).is_pending());
        drop(parent.on_cancel(|| ()));
        assert_eq!(listeners(&parent), 1, "the child alone");
    }
    assert_eq!(listeners(&parent), 0);
}

#[test]
fn a_long_chain_of_children_is_cancelled_and_dropped_without_recursion() {
    watchdog(|| {
        for cancel in [false, true] {
            let token = CancelToken::new();
            let mut last = token.child();
            for _ in 0..often(100_000) {
                last = last.child();
            }
            if cancel {
                token.cancel();
            }
            assert_eq!(last.is_cancelled(), cancel);
            drop(token);
            drop(last);
        }
    });
}

#[test]
fn a_deadline_is_found_by_who_looks() {
    let token = CancelToken::new();
    assert!(token.deadline().is_none());
    let later = token.child_until(far_off());
    assert!(!later.is_cancelled() && later.deadline().is_some());
    let over = token.child_until(Instant::now());
    assert!(over.is_cancelled());
    assert_eq!(over.check(), Err(Cancelled));
    assert!(!token.is_cancelled());
    let child = token.child_for(Duration::ZERO).child();
    assert!(child.is_cancelled(), "it is its parent's too");
    // Further off than the clock can tell.
    assert!(!token.child_for(Duration::MAX).is_cancelled());
}

#[test]
fn of_several_deadlines_the_earliest_holds() {
    let (soon, late) = (far_off(), far_off() + NEVER);
    let parent = CancelToken::new().child_until(soon);
    assert_eq!(parent.child_until(late).deadline(), Some(soon));
    assert_eq!(parent.child_for(NEVER * 2).deadline(), Some(soon));
    let parent = CancelToken::new().child_until(late);
    assert_eq!(parent.child_until(soon).deadline(), Some(soon));
}

#[test]
fn who_finds_the_deadline_tells_all_who_listen() {
    let token = CancelToken::new().child_for(Duration::from_millis(20));
    let (called, calls) = channel();
    let _guard = token.on_cancel(move || called.send(()).unwrap());
    let wakes = Arc::new(CountWakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let child = token.child();
    let mut future = pin!(child.cancelled());
    let early = future.as_mut().poll(&mut Context::from_waker(&waker));
    thread::sleep(Duration::from_millis(20));
    // On a machine that was busy elsewhere, the poll has found it.
    assert!(early.is_ready() || wakes.get() == 0, "there is no timer");
    assert!(token.is_cancelled());
    assert_eq!(calls.try_iter().count(), 1);
    assert!(early.is_ready() || wakes.get() == 1);
}

#[test]
fn a_thread_that_waits_goes_on_when_the_token_is_cancelled() {
    watchdog(|| {
        for _ in 0..often(200) {
            let token = CancelToken::new();
            let child = token.child_until(far_off());
            thread::scope(|scope| {
                scope.spawn(|| token.wait());
                scope.spawn(|| child.wait());
                scope.spawn(|| assert!(child.wait_timeout(NEVER)));
                scope.spawn(|| assert!(token.wait_timeout(Duration::MAX)));
                token.cancel();
            });
            token.wait();
        }
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over_or_the_deadline_is() {
    watchdog(|| {
        let token = CancelToken::new();
        assert!(!token.wait_timeout(Duration::from_millis(2)));
        let child = token.child_for(Duration::from_millis(2));
        child.wait();
        assert!(child.is_cancelled());
        let child = token.child_for(Duration::from_millis(2));
        assert!(child.wait_timeout(NEVER));
        let child = token.child_for(NEVER);
        assert!(!child.wait_timeout(Duration::from_millis(2)));
    });
}

#[test]
fn a_future_wakes_who_polled_it_last_once() {
    let token = CancelToken::new();
    let mut future = pin!(token.cancelled());
    let all = [(); 2].map(|()| Arc::new(CountWakes::default()));
    for wakes in &all {
        let waker = Waker::from(Arc::clone(wakes));
        let mut context = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(listeners(&token), 1);
    token.cancel();
    token.cancel();
    assert_eq!(all.map(|wakes| wakes.get()), [0, 1]);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        assert!(future.as_mut().poll(&mut context).is_ready());
    }
    assert!(poll(token.cancelled()).is_ready());
}

#[test]
fn a_future_that_is_dropped_is_not_woken() {
    let token = CancelToken::new();
    let wakes = Arc::new(CountWakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut future = Box::pin(token.cancelled());
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop(future);
    token.cancel();
    assert_eq!(wakes.get(), 0);
}

#[test]
fn a_future_finds_the_deadline_when_it_is_polled() {
    let token = CancelToken::new().child_until(Instant::now());
    assert!(poll(token.cancelled()).is_ready());
}

#[test]
fn a_call_is_made_once_and_not_when_its_guard_is_dropped() {
    let token = CancelToken::new();
    let child = token.child();
    let (called, calls) = channel();
    let call = |name: &'static str| {
        let called = called.clone();
        move || called.send(name).unwrap()
    };
    let _kept = token.on_cancel(call("kept"));
    let _of_child = child.on_cancel(call("of the child"));
    child.on_cancel(call("detached")).detach();
    drop(token.on_cancel(call("dropped")));
    assert!(calls.try_recv().is_err());
    token.cancel();
    token.cancel();
    let mut made: Vec<_> = calls.try_iter().collect();
    made.sort_unstable();
    assert_eq!(made, ["detached", "kept", "of the child"]);
    let _late = child.on_cancel(call("late"));
    assert_eq!(calls.try_recv(), Ok("late"));
}

#[test]
fn a_call_finds_all_tokens_cancelled_and_may_use_them() {
    watchdog(|| {
        let token = CancelToken::new();
        let children: Vec<_> = (0..3).map(|_| token.child()).collect();
        let (called, calls) = channel();
        let guards: Vec<_> = children
            .iter()
            .map(|child| {
                let called = called.clone();
                let weak = token.downgrade();
                let children: Vec<_> =
                    children.iter().map(CancelToken::downgrade).collect();
                child.on_cancel(move || {
                    let token = weak.upgrade().unwrap();
                    token.cancel();
                    assert!(token.child().is_cancelled());
                    drop(token.on_cancel(|| ()));
                    for child in children {
                        assert!(child.upgrade().unwrap().is_cancelled());
                    }
                    called.send(()).unwrap();
                })
            })
            .collect();
        token.cancel();
        assert_eq!(calls.try_iter().count(), 3);
        drop(guards);
    });
}

#[test]
fn a_call_that_panics_keeps_no_other_from_being_made() {
    struct Hostile;
    impl Wake for Hostile {
        fn wake(self: Arc<Self>) {
            resume_unwind(Box::new("waker"));
        }
    }
    let token = CancelToken::new();
    let boom = || resume_unwind(Box::new("call"));
    let _guards = [token.on_cancel(boom), token.on_cancel(boom)];
    let waker = Waker::from(Arc::new(Hostile));
    let mut future = pin!(token.cancelled());
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let (called, calls) = channel();
    let _last = token.on_cancel(move || called.send(()).unwrap());
    token.cancel();
    assert_eq!(calls.try_iter().count(), 1);
    let _at_once = token.on_cancel(boom);
}

#[test]
fn a_token_that_is_gone_has_dropped_its_calls() {
    let token = CancelToken::new();
    let weak = token.downgrade();
    let held = Arc::new(());
    let in_call = Arc::clone(&held);
    token.on_cancel(move || drop(in_call)).detach();
    let child = token.child();
    drop(token);
    assert!(weak.upgrade().is_some(), "the child keeps it");
    assert_eq!(Arc::strong_count(&held), 2);
    drop(child);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_call_that_panics_when_dropped_is_dropped_with_its_token() {
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    let token = CancelToken::new();
    let hostile = Hostile;
    token.on_cancel(move || drop(hostile)).detach();
    drop(token);
    let token = CancelToken::new();
    let hostile = Hostile;
    drop(token.on_cancel(move || drop(hostile)));
}

#[test]
fn of_two_who_cancel_each_finds_the_children_cancelled() {
    watchdog(|| {
        // So many that the one who comes second finds the first at work.
        for _ in 0..often(20) {
            let token = CancelToken::new();
            let children: Vec<_> =
                (0..often(2000)).map(|_| token.child()).collect();
            let start = Barrier::new(2);
            let cancel = || {
                start.wait();
                token.cancel();
                assert!(children.iter().all(CancelToken::is_cancelled));
            };
            thread::scope(|scope| {
                scope.spawn(cancel);
                cancel();
            });
        }
    });
}

#[test]
fn a_child_that_is_born_while_its_parent_is_cancelled_is_cancelled() {
    watchdog(|| {
        for _ in 0..often(200) {
            let token = CancelToken::new();
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    token.cancel();
                });
                start.wait();
                let child = token.child();
                child.wait();
            });
        }
    });
}
