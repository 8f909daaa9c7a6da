//! Chapter 4 of the course: a hundred jobs through two channels of five places
//! each, sent and read by one thread.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_04_select
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::thread;

use crossbeam_channel::{bounded, select};

fn main() {
    let (jobs, queue) = bounded::<u32>(5);
    let (results, collected) = bounded::<u32>(5);
    let worker = thread::spawn(move || {
        for job in queue {
            results.send(job * 2).unwrap();
        }
    });

    // ANCHOR: both
    let mut to_send = 0..100;
    let (mut next, mut read) = (to_send.next(), 0);
    while let Some(job) = next {
        select! {
            send(jobs, job) -> sent => {
                sent.unwrap();
                next = to_send.next();
            }
            recv(collected) -> result => {
                result.unwrap();
                read += 1;
            }
        }
    }
    drop(jobs);
    read += collected.iter().count(); // What is still to come.
    // ANCHOR_END: both

    worker.join().unwrap();
    println!("{read} results");
}
