//! In batches: the next ones are begun when all of a batch are done. As long as
//! the slowest of a batch goes on, the places of the others are empty.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

async fn all<T>(tasks: Vec<Task<T>>) -> Vec<T> {
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

// ANCHOR: wrong
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let mut tasks = tasks.into_iter();
    let mut results = Vec::new();
    loop {
        let batch: Vec<_> = tasks.by_ref().take(limit).collect();
        if batch.is_empty() {
            return results;
        }
        results.extend(all(batch).await);
    }
}
// ANCHOR_END: wrong
