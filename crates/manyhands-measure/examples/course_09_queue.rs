//! One queue and its workers, in virtual time: how long jobs wait, by how
//! busy the workers are.
//!
//! ```console
//! $ cargo run -q -p manyhands-measure --example course_09_queue
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use fastrand::Rng;

const JOBS: usize = 1_000_000;

/// A time whose mean is 1, and which is often short and now and then long.
fn exponential(random: &mut Rng) -> f64 {
    -(1.0 - random.f64()).ln()
}

// ANCHOR: waits
/// How long each job waits for a worker, in units of what a job takes.
fn waits(workers: usize, busy: f64, random: &mut Rng) -> Vec<f64> {
    let gap = 1.0 / (busy * workers as f64);
    let mut free_at = vec![0.0_f64; workers];
    let mut now = 0.0;
    let mut waits = Vec::with_capacity(JOBS);
    for _job in 0..JOBS {
        now += gap * exponential(random); // when it comes
        // First in, first out: it gets the worker that is free first.
        free_at.sort_by(f64::total_cmp);
        let starts = free_at[0].max(now);
        waits.push(starts - now);
        free_at[0] = starts + exponential(random); // how long it takes
    }
    waits
}
// ANCHOR_END: waits

fn main() {
    println!("mean wait, and the wait of one job in a hundred");
    println!("busy   1 worker      2 workers     8 workers");
    for busy in [0.5, 0.8, 0.9, 0.95] {
        print!("{busy:.2}");
        for workers in [1, 2, 8] {
            let mut random = Rng::with_seed(7);
            let mut waits = waits(workers, busy, &mut random);
            let mean = waits.iter().sum::<f64>() / JOBS as f64;
            let place = JOBS / 100 * 99;
            let (_, p99, _) =
                waits.select_nth_unstable_by(place, f64::total_cmp);
            print!("  {mean:>5.1} {p99:>5.0}");
        }
        println!();
    }
}
