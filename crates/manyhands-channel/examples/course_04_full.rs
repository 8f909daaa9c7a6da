//! Chapter 4 of the course: where "full" begins, exactly, and when it ends.
//!
//! ```console
//! $ cargo run -q -p manyhands-channel --example course_04_full
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]

use crossbeam_channel::bounded;
use manyhands_channel::ChannelPool;
use manyhands_core::{TrySubmitError, WorkerPool};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: full
    // Two workers and three places: five jobs may be unfinished.
    let pool = ChannelPool::builder().workers(2).queue(3).build()?;
    let (open, gate) = bounded(0);
    let job = |number: u32| {
        let gate = gate.clone();
        move || {
            gate.recv().ok(); // Waits for leave to end.
            number
        }
    };
    let mut number = 0;
    let refused = loop {
        match pool.try_submit(job(number)) {
            Ok(_) => number += 1,
            Err(TrySubmitError::Full(job)) => break job,
            Err(TrySubmitError::Closed(_)) => return Ok(()),
        }
    };
    println!("accepted {number}, of a bound of {}", pool.bound());
    // ANCHOR_END: full

    // ANCHOR: place
    open.send(())?; // One may end,
    let finished = pool.recv().is_some(); // and has.
    println!("one has finished: {finished}");
    let again = pool.try_submit(refused);
    println!("the refused job gets in: {}", again.is_ok());
    // ANCHOR_END: place

    drop(open); // All may end.
    pool.close();
    let rest = std::iter::from_fn(|| pool.recv()).count();
    println!("{rest} more");
    Ok(())
}
