//! Work for a processor: sums whose result cannot be had without doing them.

use std::f64::consts::TAU;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Scrambles a number: SplitMix64, one to one, so that different numbers stay
/// different.
pub(crate) const fn mix(number: u64) -> u64 {
    let x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The beginning of a hash, as a number.
pub(crate) fn first_word(hash: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Mixes so many times, each round on what the one before has made: no round
/// can be left out, done earlier, or done beside another.
pub(crate) fn spin(start: u64, rounds: u64) -> u64 {
    (0..rounds).fold(start, |x, _| mix(x))
}

/// How many rounds of [`spin`] take this long on this machine; 1 at least.
///
/// The machine is timed once a process, so the same time is the same number
/// of rounds, and gives the same answers, for as long as the process lives.
pub(crate) fn rounds(time: Duration) -> u64 {
    static PER_NANOSECOND: OnceLock<f64> = OnceLock::new();
    let rate = PER_NANOSECOND.get_or_init(calibrate);
    // From float to integer, `as` keeps to the integer's range.
    ((time.as_nanos() as f64 * rate) as u64).max(1)
}

/// Rounds in a nanosecond, by the fastest of many short trials: a trial can
/// only be slowed down by what else goes on.
fn calibrate() -> f64 {
    /// Some tens of microseconds: much longer than it takes to read the
    /// clock, and much shorter than a time slice.
    const ROUNDS: u64 = 10_000;
    /// Long enough for a processor to leave its power-saving state.
    const ALL_TRIALS: Duration = Duration::from_millis(20);

    let start = Instant::now();
    let mut fastest = Duration::MAX;
    while start.elapsed() < ALL_TRIALS {
        let trial = Instant::now();
        black_box(spin(black_box(0), ROUNDS));
        fastest = fastest.min(trial.elapsed());
    }
    ROUNDS as f64 / fastest.as_nanos().max(1) as f64
}

/// How far the sizes of a skewed workload lie apart: the standard deviation
/// of their logarithm. With 1.5 the median job is a third of the mean, one in
/// a hundred is ten times the mean, and the largest of some thousands
/// about eighty times, as sizes of files and times of requests are.
const SIGMA: f64 = 1.5;

/// A size from the log-normal distribution with this mean: always the same
/// for the same seed and index, whichever is asked for first.
pub(crate) fn log_normal(mean: Duration, seed: u64, index: u64) -> Duration {
    let mut random = fastrand::Rng::with_seed(mix(seed) ^ index);
    // Box-Muller: two even numbers make one of the bell curve. The first must
    // not be 0, which `f64` may be; it is never 1.
    let (radius, angle) = (1.0 - random.f64(), random.f64());
    let normal = (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos();
    // The mean of exp(SIGMA * normal) is exp(SIGMA² / 2).
    let factor = (SIGMA * normal - SIGMA * SIGMA / 2.0).exp();
    Duration::from_nanos((mean.as_nanos() as f64 * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_splitmix64() {
        // The first three numbers from seed 1234567, as the reference
        // implementation by Sebastiano Vigna gives them.
        let golden = 0x9e37_79b9_7f4a_7c15_u64;
        let number = |n: u64| mix(1_234_567 + n.wrapping_mul(golden));
        assert_eq!(number(0), 6_457_827_717_110_365_317);
        assert_eq!(number(1), 3_203_168_211_198_807_973);
    }

    #[test]
    fn spinning_on_is_spinning_once_for_longer() {
        assert_eq!(spin(spin(5, 30), 12), spin(5, 42));
        assert_eq!(spin(5, 1), mix(5));
    }

    #[test]
    fn a_longer_time_is_more_rounds_and_the_same_time_the_same() {
        let short = rounds(Duration::from_micros(10));
        let long = rounds(Duration::from_micros(1000));
        assert_eq!(short, rounds(Duration::from_micros(10)));
        assert!((99 * short..=101 * short).contains(&long));
        assert!(rounds(Duration::from_nanos(1)) >= 1);
    }

    #[test]
    fn skewed_sizes_have_the_mean_and_the_tail_of_a_log_normal() {
        let mean = Duration::from_micros(50);
        let count = 100_000;
        let mut sizes: Vec<f64> = (0..count)
            .map(|index| log_normal(mean, 7, index).as_nanos() as f64 / 5e4)
            .collect();
        sizes.sort_by(f64::total_cmp);
        let average = sizes.iter().sum::<f64>() / count as f64;
        let quantile = |q: f64| sizes[(q * count as f64) as usize];
        // exp(-SIGMA² / 2), and with 2.326 * SIGMA more for one in a hundred.
        assert!((0.95..1.05).contains(&average), "mean {average}");
        assert!((0.31..0.34).contains(&quantile(0.5)), "{}", quantile(0.5));
        assert!((9.6..11.7).contains(&quantile(0.99)), "{}", quantile(0.99));
    }

    #[test]
    fn another_seed_gives_other_sizes() {
        let mean = Duration::from_micros(50);
        let sizes =
            |seed| [0, 1, 2].map(|index| log_normal(mean, seed, index));
        assert_eq!(sizes(1), sizes(1));
        assert_ne!(sizes(1), sizes(2));
    }
}
