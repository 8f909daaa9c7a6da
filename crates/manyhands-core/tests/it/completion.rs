use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use manyhands_core::Panic;

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
