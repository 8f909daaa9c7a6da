//! Futures that come into a free place are not polled, and it does not wake
//! itself either. Until they are, they have asked nobody to wake them; and if
//! none of the others is left to be woken, nobody ever polls them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

// ANCHOR: wrong
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting = tasks.into_iter().enumerate();
    let mut begun: Vec<_> = waiting.by_ref().take(limit).collect();
    poll_fn(|context: &mut Context<'_>| {
        begun.retain_mut(|(place, task)| match task.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                results[*place] = Some(result);
                false
            }
        });
        let room = limit - begun.len();
        begun.extend(waiting.by_ref().take(room));
        match begun.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    results.into_iter().flatten().collect()
}
// ANCHOR_END: wrong
