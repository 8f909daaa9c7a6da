//! Chapter 3 of the course: the results end with the last sender, whoever
//! holds it.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_03_who_closes
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

fn main() {
    // ANCHOR: senders
    let (results, collected) = channel();
    let workers: Vec<_> = (1..=3)
        .map(|id| {
            let results = results.clone(); // One more sender.
            thread::spawn(move || results.send(id).unwrap())
        }) // A worker ends, and drops its own.
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    // ANCHOR_END: senders

    // ANCHOR: look
    let mut read = 0;
    while collected.try_recv().is_ok() {
        read += 1;
    }
    println!("{read} results, and every worker has ended");

    let at_end = collected.try_recv();
    assert_eq!(at_end, Err(TryRecvError::Empty));
    println!("while main has a sender: {}", at_end.unwrap_err());

    drop(results);
    let at_end = collected.try_recv();
    assert_eq!(at_end, Err(TryRecvError::Disconnected));
    println!("once it is dropped: {}", at_end.unwrap_err());
    // ANCHOR_END: look
}
