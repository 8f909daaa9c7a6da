//! How long jobs wait: from formulas where there are exact ones, and from a
//! simulation.
//!
//! Jobs come at random times (the gaps between them are exponential), to
//! workers that take from one queue, first come, first served. Times are in
//! service times: how long a job runs, on the average. So one worker does one
//! job in a unit of time.

use fastrand::Rng;

/// How much the times differ that jobs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variability {
    /// Each takes the same.
    Constant,
    /// Most take less than the average, few a multiple.
    Exponential,
    /// One in [`ONE_IN`] is of a kind that takes [`TIMES`] times as long as
    /// the others, on the average; within each kind times are exponential.
    Heavy,
}

/// See [`Variability::Heavy`].
pub(crate) const ONE_IN: f64 = 20.0;
pub(crate) const TIMES: f64 = 10.0;

impl Variability {
    pub(crate) const ALL: [Self; 3] =
        [Self::Constant, Self::Exponential, Self::Heavy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::Heavy => "heavy",
        }
    }

    /// The variance of the times over the square of their mean.
    pub(crate) fn squared(self) -> f64 {
        match self {
            Self::Constant => 0.0,
            Self::Exponential => 1.0,
            Self::Heavy => {
                let (short, part) = (short(), 1.0 / ONE_IN);
                let long = short * TIMES;
                // Of an exponential time, the mean square is twice the
                // square of the mean.
                let others = (1.0 - part) * short * short;
                2.0 * (others + part * long * long) - 1.0
            }
        }
    }

    fn draw(self, random: &mut Rng) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Exponential => exponential(random),
            Self::Heavy => {
                let is_long = random.f64() * ONE_IN < 1.0;
                let mean = if is_long { TIMES * short() } else { short() };
                mean * exponential(random)
            }
        }
    }
}

/// How long the others take, if the average is to be 1.
fn short() -> f64 {
    let part = 1.0 / ONE_IN;
    1.0 / (1.0 - part + part * TIMES)
}

/// The chance that a job has to wait at all, of exponential times: Erlang's C.
/// So many workers, each busy this part of the time.
pub(crate) fn erlang_c(workers: u32, utilisation: f64) -> f64 {
    let load = f64::from(workers) * utilisation;
    // Erlang's B, a worker more each time.
    let lost = (1..=workers).fold(1.0, |lost, count| {
        let more = load * lost;
        more / (f64::from(count) + more)
    });
    lost / (1.0 - utilisation * (1.0 - lost))
}

/// How long jobs of exponential times wait, on the average (M/M/c).
pub(crate) fn mean_wait(workers: u32, utilisation: f64) -> f64 {
    let slack = f64::from(workers) * (1.0 - utilisation);
    erlang_c(workers, utilisation) / slack
}

/// What so small a part of jobs of exponential times wait longer than.
pub(crate) fn exceeded_by(part: f64, workers: u32, utilisation: f64) -> f64 {
    let slack = f64::from(workers) * (1.0 - utilisation);
    let waits = erlang_c(workers, utilisation);
    if waits > part { ln(waits / part) / slack } else { 0.0 }
}

/// How long jobs wait for a single worker, on the average, whatever times
/// they take: Pollaczek and Khinchine's formula, which is exact. Of constant
/// times it is that of M/D/1.
pub(crate) fn single_wait(utilisation: f64, squared: f64) -> f64 {
    utilisation * (1.0 + squared) / (2.0 * (1.0 - utilisation))
}

/// About how long jobs wait for several workers, on the average, whatever
/// times they take: Allen and Cunneen's approximation. It is exact for one
/// worker, and for exponential times.
pub(crate) fn about(workers: u32, utilisation: f64, squared: f64) -> f64 {
    mean_wait(workers, utilisation) * (1.0 + squared) / 2.0
}

/// How long jobs waited in a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Waits {
    pub(crate) mean: f64,
    /// What one in a hundred waited longer than, to a hundredth of itself.
    pub(crate) p99: f64,
}

/// Simulates so many jobs, after a tenth as many which are not looked at,
/// since the queue is empty at the start.
///
/// The same for a seed on every machine: nothing is reckoned but by the four
/// operations, of which each has one right result.
pub(crate) fn simulate(
    workers: u32,
    utilisation: f64,
    variability: Variability,
    jobs: u32,
    seed: u64,
) -> Waits {
    let mut random = Rng::with_seed(seed);
    let gap = 1.0 / (f64::from(workers) * utilisation);
    // For how long each worker has work.
    let mut left = vec![0.0_f64; workers as usize];
    let mut counts = Counts::default();
    let mut sum = 0.0;
    let first = jobs / 10;
    for job in 0..first + jobs {
        let passed = gap * exponential(&mut random);
        let (mut next, mut wait) = (0, f64::INFINITY);
        for (worker, left) in left.iter_mut().enumerate() {
            *left = (*left - passed).max(0.0);
            if *left < wait {
                (next, wait) = (worker, *left);
            }
        }
        left[next] += variability.draw(&mut random);
        if job >= first {
            sum += wait;
            counts.add(wait);
        }
    }
    Waits { mean: sum / f64::from(jobs), p99: counts.exceeded_by(jobs / 100) }
}

/// How often each length of time was seen, to a hundredth of it.
struct Counts {
    short: u32,
    others: Vec<u32>,
}

/// What is shorter is nothing.
const SHORTEST: f64 = 1.0 / 1024.0;
/// A length by its exponent and the first bits of what follows.
const SHIFT: u32 = 52 - 7;

impl Default for Counts {
    fn default() -> Self {
        let most = Self::place(1_048_576.0) + 1;
        Self { short: 0, others: vec![0; most] }
    }
}

impl Counts {
    fn place(time: f64) -> usize {
        let place = (time.to_bits() >> SHIFT)
            .saturating_sub(SHORTEST.to_bits() >> SHIFT);
        place as usize
    }

    fn add(&mut self, time: f64) {
        if time < SHORTEST {
            self.short += 1;
        } else {
            let last = self.others.len() - 1;
            self.others[Self::place(time).min(last)] += 1;
        }
    }

    /// What so many were longer than.
    fn exceeded_by(&self, many: u32) -> f64 {
        let mut seen = 0;
        for (place, count) in self.others.iter().enumerate().rev() {
            seen += count;
            if seen > many {
                let bits = (place as u64) + (SHORTEST.to_bits() >> SHIFT);
                let half = 1 << (SHIFT - 1);
                return f64::from_bits((bits << SHIFT) + half);
            }
        }
        0.0
    }
}

/// Of mean 1.
pub(crate) fn exponential(random: &mut Rng) -> f64 {
    -ln(1.0 - random.f64())
}

/// The natural logarithm of a positive number. That of the standard library
/// may differ from system to system, in its last digit.
fn ln(value: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut rest = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if rest > std::f64::consts::SQRT_2 {
        rest /= 2.0;
        exponent += 1;
    }
    let part = (rest - 1.0) / (rest + 1.0);
    let square = part * part;
    // 1 + x/3 + x²/5 + …, of which the first left out is below 1e-17.
    let mut series = 0.0;
    for divisor in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = (series + 1.0 / divisor) * square;
    }
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * part * (1.0 + series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64, part: f64) -> bool {
        (one - other).abs() <= part * other.abs()
    }

    #[test]
    fn erlang_c_is_that_of_the_closed_form() {
        for utilisation in [0.1, 0.5, 0.95] {
            // One worker: it waits whenever the worker is busy.
            assert!(near(erlang_c(1, utilisation), utilisation, 1e-12));
            // Two: by hand.
            let two = 2.0 * utilisation * utilisation / (1.0 + utilisation);
            assert!(near(erlang_c(2, utilisation), two, 1e-12));
        }
        // a^c / c! / (1 - ρ), over that and the sum of a^k / k!.
        let load = 3.2_f64;
        let last = load.powi(4) / 24.0 / 0.2;
        let sum = 1.0 + load + load.powi(2) / 2.0 + load.powi(3) / 6.0;
        assert!(near(erlang_c(4, 0.8), last / (sum + last), 1e-12));
    }

    #[test]
    fn one_worker_waits_as_the_textbook_says() {
        assert!(near(mean_wait(1, 0.9), 9.0, 1e-12));
        assert!(near(single_wait(0.9, 1.0), 9.0, 1e-12));
        // M/D/1: half of it.
        assert!(near(single_wait(0.9, 0.0), 4.5, 1e-12));
        for squared in [0.0, 1.0, 4.66] {
            let exact = single_wait(0.7, squared);
            assert!(near(about(1, 0.7, squared), exact, 1e-12));
        }
    }

    /// Within 3 %, by 400 000 jobs; and 3 % tells formulas apart.
    #[test]
    fn the_simulation_finds_what_the_formulas_say() {
        let jobs = 400_000;
        for (workers, utilisation) in [(1, 0.5), (1, 0.8), (4, 0.8), (8, 0.7)]
        {
            let found = simulate(
                workers,
                utilisation,
                Variability::Exponential,
                jobs,
                7,
            );
            let mean = mean_wait(workers, utilisation);
            assert!(near(found.mean, mean, 0.03), "{found:?}, {mean}");
            let p99 = exceeded_by(0.01, workers, utilisation);
            assert!(near(found.p99, p99, 0.03), "{found:?}, {p99}");
            // Not that of a worker more, nor of one percent more load.
            let other = mean_wait(workers + 1, utilisation);
            assert!(!near(found.mean, other, 0.03));
            let other = mean_wait(workers, utilisation + 0.02);
            assert!(!near(found.mean, other, 0.03), "{found:?}, {other}");
        }
    }

    /// M/D/1 and heavy times on one worker, for which there is an exact
    /// formula: within 4 %.
    #[test]
    fn the_simulation_finds_what_variability_does() {
        for variability in Variability::ALL {
            let found = simulate(1, 0.8, variability, 1_000_000, 3);
            let exact = single_wait(0.8, variability.squared());
            assert!(near(found.mean, exact, 0.04), "{found:?}, {exact}");
        }
    }

    #[test]
    fn times_are_one_on_the_average_and_vary_as_much_as_they_say() {
        for variability in Variability::ALL {
            let mut random = Rng::with_seed(1);
            let count = 1_000_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..count {
                let time = variability.draw(&mut random);
                sum += time;
                squares += time * time;
            }
            let mean = sum / f64::from(count);
            let squared = squares / f64::from(count) / mean / mean - 1.0;
            assert!(near(mean, 1.0, 0.01), "{variability:?}: {mean}");
            let said = variability.squared();
            assert!((squared - said).abs() <= 0.03 * said + 1e-9, "{squared}");
        }
    }

    #[test]
    fn the_logarithm_is_that_of_the_standard_library_to_fifteen_digits() {
        let mut random = Rng::with_seed(5);
        for _ in 0..10_000 {
            let value = random.f64() + f64::MIN_POSITIVE;
            let found = ln(value);
            assert!((found - value.ln()).abs() <= 1e-15 + 1e-15 * found.abs());
        }
        assert!((ln(1e6) - 1e6_f64.ln()).abs() < 1e-14);
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn counts_know_their_quantiles() {
        let mut counts = Counts::default();
        for time in 0..1000 {
            counts.add(f64::from(time));
        }
        let p99 = counts.exceeded_by(10);
        assert!(near(p99, 989.0, 0.01), "{p99}");
    }
}
