//! The formula as it stands in books, with powers and factorials. At 200 workers
//! both are infinite, and their quotient is not a number.

pub fn in_system(rate: f64, seconds: f64) -> f64 {
    rate * seconds
}

pub fn utilisation(rate: f64, service: f64, workers: usize) -> f64 {
    rate * service / workers as f64
}

// ANCHOR: wrong
pub fn probability_of_waiting(rate: f64, service: f64, workers: usize) -> f64 {
    let used = utilisation(rate, service, workers);
    if used >= 1.0 {
        return 1.0;
    }
    let load = rate * service;
    let term = |k: usize| {
        let factorial: f64 = (1..=k).map(|it| it as f64).product();
        load.powi(k as i32) / factorial
    };
    let full = term(workers) / (1.0 - used);
    full / ((0..workers).map(term).sum::<f64>() + full)
}
// ANCHOR_END: wrong

pub fn mean_wait(rate: f64, service: f64, workers: usize) -> Option<f64> {
    let used = utilisation(rate, service, workers);
    if used >= 1.0 {
        return None;
    }
    let waits = probability_of_waiting(rate, service, workers);
    Some(waits * service / (workers as f64 * (1.0 - used)))
}

pub fn workers_for(rate: f64, service: f64, most_wait: f64) -> usize {
    let mut workers = 1;
    loop {
        match mean_wait(rate, service, workers) {
            Some(wait) if wait <= most_wait => return workers,
            _ => workers += 1,
        }
    }
}
