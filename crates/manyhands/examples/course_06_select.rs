//! Chapter 6 of the course: a job and the word to quit have both come. Which
//! does `select!` take?
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_06_select
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use crossbeam_channel::{bounded, select};

fn main() {
    const TRIALS: u32 = 10_000;
    let mut lost = 0;
    for _ in 0..TRIALS {
        // ANCHOR: both
        let (assigned, jobs) = bounded(1);
        let (quit, told_to_quit) = bounded(1);
        assigned.send("a job").unwrap();
        quit.send(()).unwrap();
        select! {
            recv(jobs) -> _job => {} // It runs.
            recv(told_to_quit) -> _ => lost += 1, // It stays where it is.
        }
        // ANCHOR_END: both
    }
    println!("{lost} of {TRIALS} jobs were left behind");
}
