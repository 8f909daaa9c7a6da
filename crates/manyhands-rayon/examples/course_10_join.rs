//! A sum that is cut in two, and in two again, until a piece is small.
//!
//! ```console
//! $ cargo run -q -p manyhands-rayon --example course_10_join
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use manyhands_core::BuildError;
use manyhands_rayon::RayonThreads;
use manyhands_rayon::rayon::join;

// ANCHOR: sum
/// The sum, and into how many pieces it was cut.
fn sum(numbers: &[u64], piece: usize) -> (u64, usize) {
    if numbers.len() <= piece {
        return (numbers.iter().sum(), 1);
    }
    let (left, right) = numbers.split_at(numbers.len() / 2);
    // The right half lies where others can take it. If nobody has when the
    // left one is done, it is done here.
    let ((a, m), (b, n)) = join(|| sum(left, piece), || sum(right, piece));
    (a + b, m + n)
}
// ANCHOR_END: sum

fn main() -> Result<(), BuildError> {
    let numbers: Vec<u64> = (1..=1_000_000).collect();
    let threads = RayonThreads::start(3)?;
    let (total, pieces) = threads.rayon().install(|| sum(&numbers, 10_000));
    println!("{total} of {pieces} pieces");

    let words = ["many", "hands", "make", "light", "work"];
    let lengths = threads.par_map(words, str::len);
    println!("{lengths:?}, in the order of the words");
    Ok(())
}
