//! How many items a worker takes at a time, in virtual time: too few, and
//! taking costs more than working; too many, and one worker ends long after
//! the others.
//!
//! ```console
//! $ cargo run -q -p manyhands-batch --example course_10_grain
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

const WORKERS: usize = 4;
const ITEMS: usize = 1024;

/// What it takes to take: the lock, and its way from core to core.
const CLAIM: u64 = 4;

/// Ticks of each item: the last sixteenth takes twenty times as long.
fn items() -> Vec<u64> {
    let ticks = |item| if item < ITEMS - ITEMS / 16 { 1 } else { 20 };
    (0..ITEMS).map(ticks).collect()
}

// ANCHOR: run
/// When the last worker ends, if each takes `share(left)` items at a time.
fn run(share: impl Fn(usize) -> usize) -> (u64, usize) {
    let items = items();
    let mut left = &items[..];
    let mut busy_until = [0; WORKERS];
    let mut claims = 0;
    while !left.is_empty() {
        let (taken, rest) = left.split_at(share(left.len()).min(left.len()));
        let first = busy_until.iter_mut().min_by_key(|until| **until);
        if let Some(until) = first {
            *until += CLAIM + taken.iter().sum::<u64>();
        }
        claims += 1;
        left = rest;
    }
    (busy_until.into_iter().max().unwrap_or(0), claims)
}
// ANCHOR_END: run

fn main() {
    let work: u64 = items().iter().sum();
    let ideal = work.div_ceil(WORKERS as u64);
    println!("{ITEMS} items, {work} ticks; {ideal} a worker at best");
    println!("at a time   claims  ticks");
    for grain in [1, 4, 16, 64, ITEMS / WORKERS] {
        let (ticks, claims) = run(|_left| grain);
        println!("{grain:>9} {claims:>8} {ticks:>6}");
    }
    // As the batch pool does: as much as is left for each of the others.
    let (ticks, claims) = run(|left| left.div_ceil(WORKERS));
    println!("{:>9} {claims:>8} {ticks:>6}", "1/4 left");
    let (ticks, claims) = run(|left| left.div_ceil(4 * WORKERS));
    println!("{:>9} {claims:>8} {ticks:>6}", "1/16 left");
}
