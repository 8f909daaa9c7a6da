//! What is asked of exercise 12. The probabilities are counts of throws, by hand
//! and exact.

use exercises::{Check, listed};

use super::answer::{
    Request, Verdict, by_chance, latencies, percentile, verdict,
};

pub fn checks() -> Vec<Check> {
    vec![
        Check::plain(
            "from_the_intended_start",
            "when the server stands still for a second, the requests that \
             could not be sent count as slow",
            from_the_intended_start,
        ),
        Check::plain(
            "nearest_rank",
            "the p-th percentile of n times is that of rank ceil(p/100 × n)",
            nearest_rank,
        ),
        Check::plain(
            "no_times",
            "of no times there is no percentile",
            no_times,
        ),
        Check::plain(
            "the_coin_has_two_sides",
            "5 of 5 to one side or the other is 2 of 32, which is 0.0625",
            the_coin_has_two_sides,
        ),
        Check::plain(
            "a_thousand_rounds",
            "thousands of throws have a probability too, and 0.5^2000 is 0 in \
             an f64",
            a_thousand_rounds,
        ),
        Check::plain(
            "few_rounds_cannot_tell",
            "five of five may be chance; six of six is not, at 0.05",
            few_rounds_cannot_tell,
        ),
        Check::plain(
            "one_large_ratio_tells_nothing",
            "one round that is ten times as fast is one round",
            one_large_ratio_tells_nothing,
        ),
        Check::plain(
            "a_tie_is_no_side",
            "ratios of exactly 1 are left out",
            a_tie_is_no_side,
        ),
        Check::plain(
            "slower_is_told_too",
            "nine of ten below 1 is slower",
            slower_is_told_too,
        ),
    ]
}

fn from_the_intended_start() {
    // Every 100 ms; the answer to the second takes 1 s, the others 1 ms.
    let ms = 1_000;
    let mut requests = Vec::new();
    let mut free = 0;
    for number in 0..20 {
        let intended = number * 100 * ms;
        let sent = intended.max(free);
        let took = if number == 1 { 1_000 } else { 1 } * ms;
        free = sent + took;
        requests.push(Request { intended, sent, answered: free });
    }
    let seen = latencies(&requests);
    let right: Vec<u64> =
        requests.iter().map(|it| it.answered - it.intended).collect();
    let slow =
        |times: &[u64]| times.iter().filter(|time| **time >= 100 * ms).count();
    assert!(
        slow(&seen) == slow(&right),
        "for a second nothing could be sent, ten requests of 20 were 0.1 s \
         late or more, and {} is said to have been slow",
        slow(&seen)
    );
    assert!(seen == right, "seen {}, right {}", listed(&seen), listed(&right));
}

fn nearest_rank() {
    let ten: Vec<u64> = (1..=10).rev().map(|it| it * 10).collect();
    for (percent, right) in
        [(50.0, 50), (90.0, 90), (91.0, 100), (99.0, 100), (100.0, 100)]
    {
        let seen = percentile(&ten, percent);
        assert!(
            seen == Some(right),
            "percentile {percent} of 10, 20, … 100 is {right}, not {seen:?}"
        );
    }
    let hundred: Vec<u64> = (1..=100).collect();
    let seen = percentile(&hundred, 7.0);
    assert!(
        seen == Some(7),
        "percentile 7 of 1 to 100 is 7, not {seen:?} (7.0 / 100.0 * 100.0 is \
         a little more than 7: multiply first)"
    );
    let seen = percentile(&[7], 1.0);
    assert!(seen == Some(7), "of the one time 7 it is 7, not {seen:?}");
}

fn no_times() {
    let seen = percentile(&[], 50.0);
    assert!(seen.is_none(), "of no times it is {seen:?}");
}

fn near(rounds: usize, most: usize, right: f64) {
    let seen = by_chance(rounds, most);
    assert!(
        (seen - right).abs() <= 1e-9,
        "at least {most} of {rounds} to one side: {seen}, and it is {right}"
    );
}

fn the_coin_has_two_sides() {
    near(5, 5, 2.0 / 32.0);
    near(6, 6, 2.0 / 64.0);
    near(10, 9, 22.0 / 1024.0);
    near(10, 8, 112.0 / 1024.0);
    // Half to one side, half to the other: it is so, or more so, always.
    near(10, 5, 1.0);
    near(0, 0, 1.0);
}

fn a_thousand_rounds() {
    near(1_000, 532, A_THOUSAND);
    near(2_000, 1_045, TWO_THOUSAND);
    near(2_000, 2_000, 0.0);
}

/// At least 532 of 1000 to one side, from the exact fraction.
const A_THOUSAND: f64 = 0.04629119736049815;

/// At least 1045 of 2000, the same way.
const TWO_THOUSAND: f64 = 0.04655282049178381;

fn ratios(above: usize, below: usize, same: usize) -> Vec<f64> {
    let mut ratios = vec![1.1; above];
    ratios.extend(vec![0.9; below]);
    ratios.extend(vec![1.0; same]);
    ratios
}

fn says(what: &str, ratios: &[f64], right: Verdict) {
    let seen = verdict(ratios);
    assert!(seen == right, "{what}: it says {seen:?}, and it is {right:?}");
}

fn few_rounds_cannot_tell() {
    says("no rounds", &[], Verdict::CannotTell);
    says("5 of 5 faster", &ratios(5, 0, 0), Verdict::CannotTell);
    says("6 of 6 faster", &ratios(6, 0, 0), Verdict::Faster);
    says("8 of 10 faster", &ratios(8, 2, 0), Verdict::CannotTell);
    says("9 of 10 faster", &ratios(9, 1, 0), Verdict::Faster);
}

fn one_large_ratio_tells_nothing() {
    let mut rounds = ratios(4, 5, 0);
    rounds.push(10.0);
    says(
        "4 rounds 1.1, 5 rounds 0.9, and one round 10",
        &rounds,
        Verdict::CannotTell,
    );
}

fn a_tie_is_no_side() {
    says(
        "20 rounds the same, 2 faster, 1 slower",
        &ratios(2, 1, 20),
        Verdict::CannotTell,
    );
    says("6 of 6 faster, 20 the same", &ratios(6, 0, 20), Verdict::Faster);
}

fn slower_is_told_too() {
    says("9 of 10 slower", &ratios(1, 9, 0), Verdict::Slower);
}
