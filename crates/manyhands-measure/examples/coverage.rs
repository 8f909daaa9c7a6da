//! What the intervals and verdicts are worth: comparisons are made up, of
//! which the truth is known, and it is counted how often it is told.
//!
//! ```console
//! $ cargo run --release -p manyhands-measure --example coverage
//! ```
//!
//! prints the tables of docs/METHODOLOGY.md.
#![allow(clippy::print_stdout, reason = "an example prints")]
#![forbid(unsafe_code)]

use std::time::Duration;

use fastrand::Rng;
use manyhands_measure::{Ratio, Round, Spent, judge};

fn main() {
    println!("| | ±0 | ±0.5 | ±2 | one in four |");
    println!("|---|---|---|---|---|");
    for (processes, rounds) in [
        (1, 20),
        (2, 5),
        (3, 3),
        (3, 20),
        (5, 2),
        (5, 6),
        (5, 20),
        (5, 40),
        (8, 5),
        (8, 20),
    ] {
        let held = Between::ALL.map(|between| {
            let held = held(processes, rounds, between, 2000);
            format!("{:.1}", held * 100.0)
        });
        println!("| {processes} × {rounds} | {} |", held.join(" | "));
    }
    println!();
    println!("| contenders | wrong | alone |");
    println!("|---|---|---|");
    for contenders in [2, 8, 20] {
        let (wrong, alone) = wrong(contenders, 1000);
        let (wrong, alone) = (wrong * 100.0, alone * 100.0);
        println!("| {contenders} | {wrong:.1} | {alone:.1} |");
    }
}

/// How much processes differ from each other, in units of how much the rounds
/// within one do.
#[derive(Clone, Copy, Debug)]
enum Between {
    /// By so much, as the bell curve has it.
    Bell(f64),
    /// One in four is another world.
    OneInFour,
}

impl Between {
    const ALL: [Self; 4] =
        [Self::Bell(0.0), Self::Bell(0.5), Self::Bell(2.0), Self::OneInFour];

    fn draw(self, random: &mut Rng) -> f64 {
        match self {
            Self::Bell(size) => bell(random) * size,
            Self::OneInFour => f64::from(u8::from(random.u8(..4) == 0)) * 2.0,
        }
    }
}

/// How often the interval of a comparison of so many processes, with so many
/// rounds each, holds the true median.
fn held(
    processes: usize,
    rounds: usize,
    between: Between,
    comparisons: usize,
) -> f64 {
    let mut random = Rng::with_seed(7);
    let one = |random: &mut Rng| {
        let process = between.draw(random);
        process + round(random)
    };
    let mut many: Vec<f64> = (0..200_001).map(|_| one(&mut random)).collect();
    many.sort_by(f64::total_cmp);
    let truth = many[100_000];
    let held = (0..comparisons).filter(|_| {
        let logs = (0..processes).map(|_| {
            let process = between.draw(&mut random);
            (0..rounds).map(|_| process + round(&mut random)).collect()
        });
        let logs: Vec<Vec<f64>> = logs.collect();
        let interval = Ratio::of_logs(&logs).and_then(|it| it.interval);
        interval
            .is_some_and(|(low, high)| low.ln() <= truth && truth <= high.ln())
    });
    held.count() as f64 / comparisons as f64
}

/// Of comparisons of five processes, with twenty rounds each, in which all are
/// equally fast: in how many somebody is called slower than the fastest, and
/// in how many one stands alone.
fn wrong(contenders: usize, comparisons: usize) -> (f64, f64) {
    let mut random = Rng::with_seed(7);
    let (mut wrong, mut alone) = (0, 0);
    for _ in 0..comparisons {
        let processes: Vec<Vec<f64>> = (0..5)
            .map(|_| (0..=contenders).map(|_| bell(&mut random)).collect())
            .collect();
        let rounds: Vec<Round> = (0..100)
            .map(|at| {
                // Small, so that the noise never forbids to rank.
                let size = 0.002;
                let ran = processes[at % 5].iter().map(|process| {
                    let log = size * (process + round(&mut random));
                    let wall = Duration::from_secs(1).mul_f64(log.exp());
                    Some(Spent { wall, ..Spent::default() })
                });
                Round {
                    process: at % 5 + 1,
                    order: (0..=contenders).collect(),
                    runs: ran.collect(),
                    cache_line: None,
                    load: None,
                }
            })
            .collect();
        let judgement = judge(&rounds, &vec![false; contenders + 1]);
        let alike = judgement.best.map_or(contenders - 1, |it| it.alike.len());
        wrong += usize::from(alike < contenders - 1);
        alone += usize::from(alike == 0);
    }
    let share = |count: usize| count as f64 / comparisons as f64;
    (share(wrong), share(alone))
}

/// How far a round is off: skewed, and with the hiccups that machines have.
fn round(random: &mut Rng) -> f64 {
    let hiccup = if random.u8(..10) == 0 { 10.0 } else { 1.0 };
    ((bell(random) * 0.5).exp() - 1.0) * hiccup
}

/// The bell curve around 0, of deviation 1.
fn bell(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Less than 95 by as much as 400 comparisons may be off.
    #[test]
    fn intervals_hold_the_true_median_95_times_in_100() {
        for (processes, rounds) in [(1, 9), (2, 3), (3, 4), (5, 2), (5, 8)] {
            for size in [0.0, 1.0] {
                let between = Between::Bell(size);
                // One process knows nothing of others.
                if processes > 1 || size == 0.0 {
                    let held = held(processes, rounds, between, 400);
                    let what = format!("{processes} × {rounds}, {between:?}");
                    assert!(held >= 0.925, "{what}: {held}");
                }
            }
        }
    }

    #[test]
    fn nobody_is_the_fastest_among_equals() {
        let (wrong, alone) = wrong(5, 100);
        assert!(wrong <= 0.08 && alone <= 0.05, "{wrong}, {alone}");
    }
}
