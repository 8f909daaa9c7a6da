//! Chapter 1 of the course: when the last job ends, in a time that is only
//! counted: nothing sleeps, and the answer is the same on every machine.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_01_rounds
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]

// ANCHOR: greedy
/// When the last job ends, if each is taken by the worker that is free first.
fn ends(workers: usize, jobs: &[u32]) -> u32 {
    let mut free_at = vec![0; workers];
    for job in jobs {
        if let Some(first) = free_at.iter_mut().min() {
            *first += job;
        }
    }
    free_at.into_iter().max().unwrap_or(0)
}

/// No order of the jobs can end before that.
fn at_best(workers: usize, jobs: &[u32]) -> u32 {
    let total: u32 = jobs.iter().sum();
    let longest = jobs.iter().copied().max().unwrap_or(0);
    longest.max(total.div_ceil(workers as u32))
}
// ANCHOR_END: greedy

fn main() {
    println!("5 jobs of 1 s");
    for workers in 1..=6 {
        println!("  on {workers}: {} s", ends(workers, &[1; 5]));
    }
    for (what, jobs) in [
        ("6 jobs of 1 s, and then one of 3 s", [1, 1, 1, 1, 1, 1, 3]),
        ("the one of 3 s first", [3, 1, 1, 1, 1, 1, 1]),
    ] {
        println!("{what}");
        let (end, best) = (ends(3, &jobs), at_best(3, &jobs));
        println!("  on 3: {end} s; at best {best} s");
    }
}
