//! What is asked of exercise 9. The expected numbers were worked out from the
//! formula with powers and factorials, in exact fractions.

use exercises::Check;

use super::answer::{
    in_system, mean_wait, probability_of_waiting, utilisation, workers_for,
};

pub fn checks() -> Vec<Check> {
    vec![
        Check::plain(
            "littles_law",
            "200 requests a second which stay 50 ms each are 10 in the system",
            littles_law,
        ),
        Check::plain(
            "utilisation_is_load_by_workers",
            "190 jobs a second of 10 ms are 0.95 of 2 workers",
            utilisation_is_load_by_workers,
        ),
        Check::plain(
            "one_worker",
            "for one worker, a job waits with the probability of the \
             utilisation",
            one_worker,
        ),
        Check::plain(
            "several_workers",
            "Erlang C for 2, 3, 4, 5 and 8 workers, as the exact fractions say",
            several_workers,
        ),
        Check::plain(
            "two_hundred_workers",
            "Erlang C for 200 workers is a number too",
            two_hundred_workers,
        ),
        Check::plain(
            "mean_waits",
            "the mean wait, from 1 worker to 200",
            mean_waits,
        ),
        Check::plain(
            "too_much_has_no_mean",
            "at a utilisation of 1 or more there is no mean wait: `None`",
            too_much_has_no_mean,
        ),
        Check::plain(
            "fewest_workers",
            "`workers_for` finds the fewest workers that will do",
            fewest_workers,
        ),
    ]
}

/// Panics unless the two are the same, but for rounding.
fn near(what: &str, seen: f64, right: f64) {
    let off = (seen - right).abs();
    assert!(
        off <= 1e-9 * right.abs().max(1.0),
        "{what}: {seen}, and it is {right}"
    );
}

/// So many workers.
fn hands(workers: usize) -> String {
    match workers {
        1 => "1 worker".into(),
        more => format!("{more} workers"),
    }
}

fn littles_law() {
    near("200/s for 0.05 s", in_system(200.0, 0.05), 10.0);
    near("30/s for 2.5 s", in_system(30.0, 2.5), 75.0);
}

fn utilisation_is_load_by_workers() {
    near("190/s, 10 ms, 2 workers", utilisation(190.0, 0.01, 2), 0.95);
    near("3/s, 1 s, 2 workers", utilisation(3.0, 1.0, 2), 1.5);
}

fn one_worker() {
    for used in [0.1, 0.5, 0.95] {
        let seen = probability_of_waiting(used, 1.0, 1);
        near(&format!("1 worker, utilisation {used}"), seen, used);
    }
}

fn several_workers() {
    for (workers, load, right) in [
        (2, 1.0, 1.0 / 3.0),
        (2, 1.9, 361.0 / 390.0),
        (3, 2.0, 4.0 / 9.0),
        (4, 2.0, 4.0 / 23.0),
        (5, 4.0, 128.0 / 231.0),
        (8, 7.6, 135_868_504_328.0 / 160_949_482_605.0),
    ] {
        let seen = probability_of_waiting(load * 100.0, 0.01, workers);
        near(&format!("{workers} workers, a load of {load}"), seen, right);
    }
}

fn two_hundred_workers() {
    let seen = probability_of_waiting(190.0, 1.0, 200);
    near("200 workers, a load of 190", seen, 0.365_263_856_562_546_4);
}

/// Those of [`mean_waits`]: rate, service, workers, and the wait.
const WAITS: [(f64, f64, usize, f64); 5] = [
    (0.5, 1.0, 1, 1.0),
    (0.95, 1.0, 1, 19.0),
    (1.0, 1.0, 2, 1.0 / 3.0),
    (1.9, 1.0, 2, 361.0 / 39.0),
    (19_000.0, 0.01, 200, 0.000_365_263_856_562_546_4),
];

fn mean_waits() {
    for (rate, service, workers, right) in WAITS {
        let hands = hands(workers);
        let what = format!("{rate}/s of {service} s, {hands}");
        match mean_wait(rate, service, workers) {
            None => panic!("{what}: `None`, and it is {right} s"),
            Some(seen) => near(&what, seen, right),
        }
    }
}

fn too_much_has_no_mean() {
    for (rate, workers) in [(1.0, 1), (2.0, 1), (8.0, 4), (9.0, 4)] {
        let hands = hands(workers);
        let seen = mean_wait(rate, 1.0, workers);
        assert!(
            seen.is_none(),
            "{rate}/s of 1 s, {hands}: the queue grows without \
             end, and the mean wait is said to be {seen:?}"
        );
        let seen = probability_of_waiting(rate, 1.0, workers);
        near(&format!("{rate}/s of 1 s, {hands}"), seen, 1.0);
    }
}

fn fewest_workers() {
    for (rate, service, most_wait, right) in [
        (0.5, 1.0, 1.0, 1),
        (0.5, 1.0, 0.9, 2),
        (1.9, 1.0, 10.0, 2),
        (1.9, 1.0, 1.0, 3),
        (19.0, 1.0, 0.05, 24),
    ] {
        let seen = workers_for(rate, service, most_wait);
        assert!(
            seen == right,
            "{rate}/s of {service} s, a mean wait of at most {most_wait} s: \
             {}, and it is {right}",
            hands(seen)
        );
    }
}
