//! Chapter 4 of the course: how many jobs fit in before somebody must read.
//!
//! Each of those jobs is waited for; the next is given a second.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_04_thirteen
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]

use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

// ANCHOR: fits
/// Sends jobs, and reads no result: how many can be sent?
fn fits(workers: usize, jobs: usize, results: usize) -> u32 {
    let (jobs, queue) = bounded::<u32>(jobs);
    let (results, collected) = bounded::<u32>(results);
    for _ in 0..workers {
        let (queue, results) = (queue.clone(), results.clone());
        thread::spawn(move || {
            for job in queue {
                if results.send(job * 2).is_err() {
                    return;
                }
            }
        });
    }
    let patience = Duration::from_secs(1);
    let mut sent = 0;
    while jobs.send_timeout(sent, patience).is_ok() {
        sent += 1;
    }
    drop(collected); // Frees the workers, which wait to send.
    sent
}
// ANCHOR_END: fits

fn main() {
    println!("workers + jobs + results");
    for (workers, jobs, results) in [(3, 5, 5), (3, 0, 0), (1, 2, 7)] {
        let sent = fits(workers, jobs, results);
        println!("{workers} + {jobs} + {results}: {sent} jobs, no more");
    }
}
