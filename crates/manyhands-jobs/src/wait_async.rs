//! Waiting in a task, until a token ends it.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use manyhands_core::CancelToken;
use tokio::time::sleep_until;

/// What the future says; `None` if the token is cancelled before, or its
/// deadline is over.
pub(crate) async fn unless_cancelled<T>(
    token: Option<&CancelToken>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(token) = token else { return Some(work.await) };
    let mut work = pin!(work);
    let mut cancelled = pin!(token.cancelled());
    // A token has no timer of its own.
    let mut overdue = pin!(async {
        match token.deadline() {
            Some(deadline) => sleep_until(deadline.into()).await,
            None => pending().await,
        }
    });
    poll_fn(|context| {
        if cancelled.as_mut().poll(context).is_ready()
            || overdue.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}
