//! Exercise 11: a solution.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future in a box, so that a list may have many kinds.
pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

/// Drives the futures, at most `limit` at once, and returns what they return,
/// in their order.
// ANCHOR: solution
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting = tasks.into_iter().enumerate();
    let mut begun: Vec<(usize, Task<T>)> = Vec::new();
    let mut step = |context: &mut Context<'_>| {
        loop {
            // Each that is begun, once; those that are done go.
            let before = begun.len();
            begun.retain_mut(|(place, task)| {
                match task.as_mut().poll(context) {
                    Poll::Pending => true,
                    Poll::Ready(result) => {
                        results[*place] = Some(result);
                        false
                    }
                }
            });
            let done = before - begun.len();
            // Those that come in must be polled too: nobody wakes for them.
            let room = limit - begun.len();
            let new = begun.len();
            begun.extend(waiting.by_ref().take(room));
            if begun.is_empty() {
                return Poll::Ready(());
            }
            if begun.len() == new && done == 0 {
                return Poll::Pending;
            }
        }
    };
    poll_fn(&mut step).await;
    results.into_iter().flatten().collect()
}
// ANCHOR_END: solution
