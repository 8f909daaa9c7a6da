//! The worker-pool program of the Go tutorial on concurrency patterns, with
//! the alternative that it names: an error group with a limit. Job 3 fails.
//!
//! ```console
//! $ cargo run --release -p manyhands-errgroup --example first_error
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread;
use std::time::{Duration, Instant};

use manyhands_errgroup::{Context, Group};

fn work(ctx: &Context, job: usize) -> Result<(), String> {
    println!("started  job {job}");
    if job == 3 {
        return Err(format!("job {job} found nothing to do"));
    }
    // A second's work, in steps, so that it can stop.
    for _step in 0..10 {
        if ctx.is_cancelled() {
            println!("stopped  job {job}");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    println!("finished job {job}");
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const NUM_JOBS: usize = 5;
    const LIMIT: usize = 3;
    let start = Instant::now();

    // ANCHOR: group
    let group = Group::with_limit(LIMIT)?;
    for job in 1..=NUM_JOBS {
        if group.go(move |ctx| work(ctx, job)).is_err() {
            println!("refused  job {job}");
        }
    }
    match group.wait() {
        Ok(()) => println!("all done"),
        Err(error) => println!("failed: {error}"),
    }
    // ANCHOR_END: group

    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
