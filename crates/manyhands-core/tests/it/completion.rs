use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use manyhands_core::{InlinePool, Outcome, Panic, WorkerPool};

fn thrown(payload: impl Any + Send) -> Panic {
    Panic::new(Box::new(payload))
}

#[test]
fn a_panic_has_the_message_of_str_and_string_payloads() {
    assert_eq!(thrown("a str").message(), "a str");
    assert_eq!(thrown(String::from("a String")).message(), "a String");
    assert_eq!(thrown(42).message(), "non-string panic");
    assert_eq!(thrown("x").to_string(), "the job panicked: x");
}

#[test]
fn a_panic_gives_its_payload_back_and_goes_on_with_it() {
    let payload = thrown(42_u8).into_payload();
    assert_eq!(payload.downcast_ref(), Some(&42_u8));

    let resumed = catch_unwind(AssertUnwindSafe(|| thrown(7_u8).resume()));
    assert_eq!(resumed.unwrap_err().downcast_ref(), Some(&7_u8));
}

#[test]
fn a_panic_names_the_thread_that_it_was_caught_on() {
    let named = |name: &str| {
        let builder = thread::Builder::new().name(name.to_owned());
        builder.spawn(|| thrown("x")).unwrap().join().unwrap()
    };
    assert_eq!(named("worker 7").thread(), Some("worker 7"));
    assert_eq!(thread::spawn(|| thrown("x")).join().unwrap().thread(), None);
    let shown = format!("{:?}", named("worker 7"));
    let expected = r#"Panic { message: "x", thread: Some("worker 7") }"#;
    assert_eq!(shown, expected);
}

/// Panics when dropped, with a payload that does the same, so many deep.
struct Hostile(u32);

impl Drop for Hostile {
    fn drop(&mut self) {
        if let Some(depth) = self.0.checked_sub(1) {
            std::panic::resume_unwind(Box::new(Hostile(depth)));
        }
    }
}

#[test]
fn dropping_a_panic_contains_its_payload() {
    drop(thrown(Hostile(3)));
    drop(thrown(Hostile(1000))); // leaked in the end, and no abort
}

#[test]
fn an_outcome_is_one_of_three_and_has_an_answer_if_it_is_done() {
    type Work = fn() -> u32;
    let outcome: Outcome<Work> = Outcome::Done(42);
    assert!(outcome.is_done());
    assert!(!outcome.is_panicked() && !outcome.is_cancelled());
    assert_eq!(outcome.done(), Some(42));

    let outcome: Outcome<Work> = Outcome::Panicked(thrown("no"));
    assert!(outcome.is_panicked());
    assert!(!outcome.is_done() && !outcome.is_cancelled());
    assert_eq!(outcome.done(), None);

    let outcome: Outcome<Work> = Outcome::Cancelled(|| 42);
    assert!(outcome.is_cancelled());
    assert!(!outcome.is_done() && !outcome.is_panicked());
    assert_eq!(outcome.done(), None);
}

#[test]
fn a_completion_has_the_answer_of_its_outcome() {
    let pool = InlinePool::new();
    pool.submit(|| 42).unwrap();
    assert_eq!(pool.recv().unwrap().done(), Some(42));
}
