//! The "simple worker pool" of the Go notes on Stack Overflow's
//! documentation, in Rust: jobs from a source whose end is not known
//! beforehand, and results that are closed when the workers are done.
//!
//! ```console
//! $ cargo run --release -p manyhands-channel --example simple_pool
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;

use manyhands_channel::start;
use manyhands_core::Config;

/// The original leaves `getJob` and `noMoreJobs` undefined, and asks
/// `noMoreJobs` only after it has sent, so it cannot do with an empty source.
/// An `Option` says both at once.
fn get_job(remaining: &mut u32) -> Option<u32> {
    *remaining = remaining.checked_sub(1)?;
    Some(*remaining)
}

fn main() -> std::io::Result<()> {
    // Channels and workers. The original says that its 100 is arbitrary; any
    // number will do, since only the time that a sender waits depends on it.
    let num_workers = Config::default().workers().get();
    let (jobs, results, workers) =
        start(num_workers, 100, |_id, job: u32| job * job)?;

    // Sends beside the reading. `jobs` is moved in, and so closed at the end.
    let sender = thread::spawn(move || {
        let mut remaining = 10;
        while let Some(job) = get_job(&mut remaining) {
            if jobs.send(job).is_err() {
                break; // every worker has ended
            }
        }
    });

    // The channel ends when the workers have ended; no wait group is needed
    // to say when.
    for result in results {
        println!("{result}");
    }

    manyhands_core::join_all([sender].into_iter().chain(workers));
    Ok(())
}
