//! It wakes itself each time, to be sure of being polled again. It is right, and
//! never idle: while all of its futures wait for a network, it takes a core.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting = tasks.into_iter().enumerate();
    let mut begun: Vec<(usize, Task<T>)> = Vec::new();
    // ANCHOR: wrong
    let step = |context: &mut Context<'_>| {
        let room = limit - begun.len();
        begun.extend(waiting.by_ref().take(room));
        if begun.is_empty() {
            return Poll::Ready(());
        }
        begun.retain_mut(|(place, task)| match task.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                results[*place] = Some(result);
                false
            }
        });
        context.waker().wake_by_ref(); // so that it goes on
        Poll::Pending
    };
    // ANCHOR_END: wrong
    poll_fn(step).await;
    results.into_iter().flatten().collect()
}
