//! Plays begin and end while other threads panic, in a process of their own:
//! the hook is the process's.

#![allow(clippy::print_stderr, reason = "the report, where none may panic")]

use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{io, panic, thread};

use manyhands_museum::{Act, Ends, play};

const ACT: Act = Act {
    source: "",
    anchor: "",
    schedule: &[],
    run: |_| {},
    ends: Ends::Returns,
};

#[test]
fn a_play_ends_though_threads_elsewhere_panic() {
    panic::set_hook(Box::new(|_| {}));
    let is_over = Arc::new(AtomicBool::new(false));
    for _ in 0..2 {
        let is_over = Arc::clone(&is_over);
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let _ = panic::catch_unwind(|| panic!("elsewhere"));
            }
        });
    }
    let (done, ended) = channel();
    thread::spawn(move || {
        for _ in 0..2000 {
            play(&ACT, io::sink());
        }
        done.send(())
    });
    if ended.recv_timeout(Duration::from_secs(60)).is_err() {
        eprintln!("a play did not end");
        // A panic would not end either.
        abort();
    }
    is_over.store(true, Ordering::Relaxed);
}
