//! A thing against itself: how far apart are two runs of the same?
//!
//! ```console
//! $ cargo run -q -p manyhands-measure --example course_12_noise
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

fn work() -> u64 {
    (0..50_000_u64).fold(1_u64, |a, n| black_box(a) ^ a.rotate_left(7) ^ n)
}

fn time() -> Duration {
    let since = Instant::now();
    black_box(work());
    since.elapsed()
}

// ANCHOR: noise
fn main() {
    const ROUNDS: usize = 41;
    time(); // the first run is never like the others
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| time().as_secs_f64() / time().as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("a run over the next run of the same code, {ROUNDS} times:");
    println!("least  {:.3}", ratios[0]);
    println!("median {:.3}", ratios[ROUNDS / 2]);
    println!("most   {:.3}", ratios[ROUNDS - 1]);
    // The sign test's 95 % interval of the median: ranks 14 and 28 of 41.
    println!("95 %   {:.3} to {:.3}", ratios[13], ratios[27]);
}
// ANCHOR_END: noise
