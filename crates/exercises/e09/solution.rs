//! Exercise 9: a solution.

// ANCHOR: solution
pub fn in_system(rate: f64, seconds: f64) -> f64 {
    rate * seconds
}

pub fn utilisation(rate: f64, service: f64, workers: usize) -> f64 {
    rate * service / workers as f64
}

pub fn probability_of_waiting(rate: f64, service: f64, workers: usize) -> f64 {
    let used = utilisation(rate, service, workers);
    if used >= 1.0 {
        return 1.0;
    }
    let load = rate * service;
    // The formula with powers and factorials is the same number, and at 200
    // workers its parts are larger than an f64 can be.
    let mut b = 1.0;
    for worker in 1..=workers {
        b = load * b / (worker as f64 + load * b);
    }
    b / (1.0 - used * (1.0 - b))
}

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
// ANCHOR_END: solution
