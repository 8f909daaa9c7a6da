//! `await` in a loop: the second future is begun when the first is done.

use std::pin::Pin;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

// ANCHOR: wrong
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let _ = limit;
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await);
    }
    results
}
// ANCHOR_END: wrong
