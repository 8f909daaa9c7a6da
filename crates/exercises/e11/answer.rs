//! Exercise 11: so many futures at once.
//!
//! A future does nothing until it is polled, and is polled again when it has
//! asked for that. `at_most` drives a list of futures on the task that awaits
//! it: no more than `limit` of them are begun and not done, as soon as one is
//! done the next is begun, and the results are in the order of the futures.
//!
//! It never waits itself: if no future can go on, it returns `Pending`, and the
//! executor does something else until one of them wakes it. A future that is
//! pending has kept the waker of the context it was polled with; so give it
//! yours.
//!
//! Chapter: docs/course/11-async.md. Checks: `manyhands learn check 11`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future in a box, so that a list may have many kinds.
pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

/// Drives the futures, at most `limit` at once, and returns what they return,
/// in their order. The limit is 1 or more.
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    todo!("exercise 11")
}
