//! The "job queue with worker pool" of the Go notes on Stack Overflow's
//! documentation: four jobs a processor, a second each.
//!
//! ```console
//! $ cargo run --release -p manyhands-dispatcher --example job_queue
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;
use std::time::Duration;

use manyhands_core::{Config, Job};
use manyhands_dispatcher::JobQueue;

/// Holds only an ID to show state.
struct TestJob {
    id: String,
}

impl Job for TestJob {
    type Output = ();

    fn run(self) {
        println!("Processing job '{}'", self.id);
        thread::sleep(Duration::from_secs(1));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cpus = Config::default().workers().get();
    let queue = JobQueue::new(cpus)?;
    queue.start()?;

    for i in 0..4 * cpus {
        queue.submit(TestJob { id: i.to_string() })?;
    }

    queue.stop(); // so would dropping it
    Ok(())
}
