//! The longest Collatz chain that starts below two million: work of known
//! length and unequal size, on rayon's threads.
//!
//! ```console
//! $ cargo run --release -p manyhands-rayon --example par_map
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::ops::Range;
use std::time::Instant;

use manyhands_core::{BuildError, Config};
use manyhands_rayon::RayonThreads;

/// How many steps it takes from `n` to 1: half of an even number, three times
/// an odd one plus one.
fn chain(mut n: u64) -> u32 {
    let mut steps = 0;
    while n != 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

/// The longest chain of a range, and where it starts.
fn longest(starts: &Range<u64>) -> (u32, u64) {
    let chains = starts.clone().map(|start| (chain(start), start));
    chains.max().unwrap_or_default()
}

fn main() -> Result<(), BuildError> {
    const BELOW: u64 = 2_000_000;
    const CHUNK: u64 = 10_000;

    // A chain takes a microsecond or less: too little for an item of its own.
    let starts = (1..BELOW).step_by(CHUNK as usize);
    let chunks: Vec<_> =
        starts.map(|from| from..BELOW.min(from + CHUNK)).collect();

    let since = Instant::now();
    let alone = chunks.iter().map(longest).max();
    let alone_took = since.elapsed();

    let workers = Config::default().workers().get();
    let threads = RayonThreads::start(workers)?;
    let since = Instant::now();
    let together = threads.par_map(&chunks, longest).into_iter().max();
    let together_took = since.elapsed();

    assert_eq!(together, alone);
    let (steps, start) = together.unwrap_or_default();
    println!("from {start} it takes {steps} steps to 1");
    println!("1 thread:  {:.2} s", alone_took.as_secs_f64());
    println!("{workers} workers: {:.2} s", together_took.as_secs_f64());
    Ok(())
}
