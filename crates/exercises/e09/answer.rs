//! Exercise 9: queues in numbers.
//!
//! Five functions without a thread in them. Jobs arrive `rate` times a second,
//! in no pattern (Poisson), and take `service` seconds on average, with the
//! spread of the exponential distribution; `workers` do them, from one queue.
//!
//! Little's law: on average, as many are in a system as arrive in the time that
//! one spends there: L = rate × time.
//!
//! The offered load is `rate × service`: so many workers are busy on average,
//! if there are enough. Utilisation is that, divided by the workers; from 1 on
//! the queue grows without end. How probable it is that a job has to wait is
//! Erlang's C formula, and there is a way to it that no large number spoils:
//!
//!     B(0) = 1;  B(k) = a B(k-1) / (k + a B(k-1))      a: the offered load
//!     C = B(c) / (1 - u (1 - B(c)))                    c workers, u: utilisation
//!
//! And a job waits C × service / (c × (1 - u)) on average.
//!
//! Chapter: docs/course/09-queues-and-latency.md. Checks: `manyhands learn check
//! 9`.

/// How many are in a system on average, which come at this rate and stay so
/// long.
pub fn in_system(rate: f64, seconds: f64) -> f64 {
    todo!("exercise 09")
}

/// Which part of the workers' time is used.
pub fn utilisation(rate: f64, service: f64, workers: usize) -> f64 {
    todo!("exercise 09")
}

/// How probable it is that a job has to wait: Erlang C. From a utilisation of 1
/// on it is 1.
pub fn probability_of_waiting(rate: f64, service: f64, workers: usize) -> f64 {
    todo!("exercise 09")
}

/// How long a job waits on average, in seconds. `None` if the queue grows
/// without end.
pub fn mean_wait(rate: f64, service: f64, workers: usize) -> Option<f64> {
    todo!("exercise 09")
}

/// The fewest workers with which jobs wait no longer than that on average.
pub fn workers_for(rate: f64, service: f64, most_wait: f64) -> usize {
    todo!("exercise 09")
}
