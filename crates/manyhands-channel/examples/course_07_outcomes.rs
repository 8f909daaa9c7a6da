//! A job that panics is an answer like any other, and its worker lives on.
//!
//! ```console
//! $ cargo run -q -p manyhands-channel --example course_07_outcomes
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use manyhands_channel::ChannelPool;
use manyhands_core::{BuildError, Outcome, WorkerPool, WorkerPoolExt};

/// A number's half, for those who have one.
fn half(number: u32) -> Result<u32, String> {
    assert!(number != 13, "{number} is not spoken of");
    match number % 2 {
        0 => Ok(number / 2),
        _ => Err(format!("{number} is odd")),
    }
}

fn main() -> Result<(), BuildError> {
    // The hook reports a panic where it happens, with the thread's number,
    // which differs from run to run. Here it says nothing.
    std::panic::set_hook(Box::new(|_| {}));

    // ANCHOR: pool
    let pool = ChannelPool::builder().workers(1).queue(8).build()?;
    for number in [8, 9, 13, 14] {
        let Ok(_) = pool.submit(move || half(number)) else { break };
    }
    pool.close();
    for completion in pool.completions() {
        let id = completion.id;
        match completion.outcome {
            Outcome::Done(Ok(half)) => println!("{id}: {half}"),
            Outcome::Done(Err(error)) => println!("{id}: error: {error}"),
            Outcome::Panicked(panic) => println!("{id}: {panic}"),
            Outcome::Cancelled(_job) => println!("{id}: not run"),
        }
    }
    // ANCHOR_END: pool
    Ok(())
}
