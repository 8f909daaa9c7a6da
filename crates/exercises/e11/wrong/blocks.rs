//! A loop inside one poll, with a waker that wakes nobody: it polls until all is
//! done, and the thread does nothing else meanwhile. What the futures wait for
//! may be another task of the same executor, which now never runs.

use std::pin::Pin;
use std::task::Waker;
use std::task::{Context, Poll};

pub type Task<T> = Pin<Box<dyn Future<Output = T>>>;

// ANCHOR: wrong
pub async fn at_most<T>(limit: usize, tasks: Vec<Task<T>>) -> Vec<T> {
    let mut context = Context::from_waker(Waker::noop());
    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting = tasks.into_iter().enumerate();
    let mut begun: Vec<(usize, Task<T>)> = Vec::new();
    loop {
        let room = limit - begun.len();
        begun.extend(waiting.by_ref().take(room));
        if begun.is_empty() {
            return results.into_iter().flatten().collect();
        }
        begun.retain_mut(|(place, task)| {
            match task.as_mut().poll(&mut context) {
                Poll::Pending => true,
                Poll::Ready(result) => {
                    results[*place] = Some(result);
                    false
                }
            }
        });
    }
}
// ANCHOR_END: wrong
