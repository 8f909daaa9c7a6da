//! What the system knows of a crew's threads. In a process of its own, where
//! no other test has threads.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::fs::{read_dir, read_link, read_to_string};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::ThreadOptions;
use manyhands_core::crew::{self, Crew};

/// How many pieces of memory this process has. The stack of a thread that has
/// ended is one, and its guard another, until somebody has waited for it.
fn mappings() -> usize {
    read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn threads() -> usize {
    read_dir("/proc/self/task").unwrap().count()
}

/// How often a thread was put on a processor.
fn runs(thread: &str) -> u64 {
    let stat = read_to_string(format!("/proc/{thread}/schedstat")).unwrap();
    stat.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// Whether a thread waits for something, and not for a processor.
fn is_asleep(thread: &str) -> bool {
    let stat = read_to_string(format!("/proc/{thread}/stat")).unwrap();
    let (_, after_its_name) = stat.rsplit_once(')').unwrap();
    after_its_name.trim_start().starts_with('S')
}

fn until<T>(crew: &Crew<T>, line: &str) {
    while !format!("{crew:?}").contains(line) {
        thread::yield_now();
    }
}

#[test]
fn those_that_ended_leave_nothing_and_those_that_stay_have_no_timer() {
    watchdog(|| {
        let before = threads();
        let (way_in, way_out) = crew::channel();
        let (told, who) = channel();
        let work = move |()| {
            let this = read_link("/proc/thread-self").unwrap();
            told.send(this.to_str().unwrap().to_owned()).unwrap();
        };
        let brief = ThreadOptions::new().keep_alive(Duration::from_millis(1));
        let crew = Crew::new("brief", 1, way_out, work).with_options(brief);
        let hand_over = |crew: &Crew<()>| {
            crew.see_to(way_in.hand_over(()).unwrap());
            who.recv().unwrap()
        };

        let round = || {
            hand_over(&crew);
            until(&crew, "threads: 0");
        };
        (0..20).for_each(|_| round());
        let at_first = mappings();
        (0..500).for_each(|_| round());
        let grown = mappings().saturating_sub(at_first);
        assert!(grown < 50, "{grown} mappings more after 500 threads");
        // The last may be about to end.
        while threads() > before {
            thread::yield_now();
        }

        let stays = ThreadOptions::new()
            .keep_alive(Duration::from_millis(1))
            .min_threads(1);
        let crew = crew.with_options(stays);
        let thread = hand_over(&crew);
        until(&crew, "threads: 1, parked: 1");
        // It has let go of the desk, and has nothing to do but to wait.
        while !is_asleep(&thread) {
            thread::yield_now();
        }
        let then = runs(&thread);
        // A timer of a millisecond gets a moment to go off.
        thread::sleep(Duration::from_millis(50));
        assert_eq!(runs(&thread), then, "it woke up, and nobody called");
    });
}
