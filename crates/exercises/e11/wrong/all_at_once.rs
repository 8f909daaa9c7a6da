//! All of them, and the limit is forgotten: a thousand requests are a thousand
//! connections.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

// ANCHOR: wrong
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let _ = limit;
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut begun: Vec<_> = tasks.into_iter().enumerate().collect();
    poll_fn(|context: &mut Context<'_>| {
        begun.retain_mut(|(place, task)| match task.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                results[*place] = Some(result);
                false
            }
        });
        match begun.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    results.into_iter().flatten().collect()
}
// ANCHOR_END: wrong
