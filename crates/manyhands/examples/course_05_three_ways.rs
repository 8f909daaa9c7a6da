//! Chapter 5 of the course: three ways to wait for 50 ms, and how often each
//! looks.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_05_three_ways
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::{Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Something to wait for.
#[derive(Default)]
struct Flag {
    /// When it was set.
    set: Mutex<Option<Instant>>,
    changed: Condvar,
}

// ANCHOR: ways
/// Looks again and again.
fn spin(flag: &Flag) -> u64 {
    let mut looks = 1;
    while flag.set.lock().unwrap().is_none() {
        looks += 1;
    }
    looks
}

/// Looks, sleeps a while, looks again.
fn poll(flag: &Flag) -> u64 {
    let mut looks = 1;
    while flag.set.lock().unwrap().is_none() {
        thread::sleep(Duration::from_millis(10));
        looks += 1;
    }
    looks
}

/// Looks when there is a reason to.
fn wait(flag: &Flag) -> u64 {
    let mut looks = 1;
    let mut set = flag.set.lock().unwrap();
    while set.is_none() {
        set = flag.changed.wait(set).unwrap();
        looks += 1;
    }
    looks
}
// ANCHOR_END: ways

fn main() {
    type Way = fn(&Flag) -> u64;
    let ways: [(&str, Way); 3] =
        [("spin", spin), ("poll", poll), ("wait", wait)];
    for (name, way) in ways {
        let flag = Flag::default();
        let begun = Barrier::new(2); // A thread takes a while to start.
        let (looks, late) = thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                begun.wait();
                (way(&flag), Instant::now())
            });
            begun.wait();
            thread::sleep(Duration::from_millis(50));
            let now = Instant::now();
            *flag.set.lock().unwrap() = Some(now);
            flag.changed.notify_one();
            let (looks, seen) = waiter.join().unwrap();
            (looks, seen.saturating_duration_since(now))
        });
        let late = late.as_micros();
        println!("{name}: {looks} looks, seen after {late} µs");
    }
}
