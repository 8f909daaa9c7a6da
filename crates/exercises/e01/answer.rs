//! Exercise 1: three threads share five jobs.
//!
//! Write `share`. It starts `workers` threads, and no more. They share the
//! jobs `0`, `1`, … `jobs - 1`: each job is run once, by calling `job` with its
//! number, and by whichever thread is free. When `share` returns, all jobs have
//! been run.
//!
//! Which thread gets which job is not settled before: a thread that has a long
//! job takes no other meanwhile, and the rest do those.
//!
//! Chapter: docs/course/01-why-a-pool.md. Checks: `manyhands learn check 1`.
//! In `exercises::sync` and `exercises::thread` is what is in `std::sync` and
//! `std::thread`; a checker stands behind them.

use exercises::sync::Arc;
use exercises::sync::atomic::{AtomicUsize, Ordering};
use exercises::thread;

/// Runs each of `jobs` jobs once, on `workers` threads that share them.
pub fn share<F>(workers: usize, jobs: usize, job: F)
where
    F: Fn(usize) + Send + Sync + 'static,
{
    todo!("exercise 01")
}
