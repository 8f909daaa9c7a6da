//! How one queue is shared out: a worker claims as much as it leaves for each
//! of the others, so the last claims are small and nobody ends long after the
//! rest.
//!
//! ```console
//! $ cargo run --release -p manyhands-batch --example claims
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::thread;

use manyhands_batch::{Queue, worker};
use manyhands_core::results;

fn main() {
    // By hand: what three workers would claim, one after the other.
    let queue = Queue::new(3);
    for job in 1..=12 {
        queue.send(job);
    }
    queue.close();
    let mut batch = Vec::new();
    while queue.claim(&mut batch, usize::MAX) {
        let jobs: Vec<String> =
            batch.drain(..).map(|job: u32| job.to_string()).collect();
        println!("claimed {}: {}", jobs.len(), jobs.join(" "));
    }

    // By three workers. How much each claims also goes by how long its jobs
    // take.
    let queue = Queue::new(3);
    let (sender, results) = results::channel();
    thread::scope(|scope| {
        for _ in 0..3 {
            let sender = sender.clone();
            scope.spawn(|| worker(&queue, sender, |job: u64| job * job));
        }
        drop(sender);
        for job in 1..=1000 {
            queue.send(job);
        }
        queue.close();
        println!("sum {}", results.iter().sum::<u64>());
    });
}
