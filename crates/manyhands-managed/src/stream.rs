//! Completions as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use manyhands_core::{Completion, Job};

use crate::pool::{ManagedPool, poll_recv};
use crate::shared::Waiting;
use crate::state::Awaited;

impl<J: Job + 'static> ManagedPool<J> {
    /// The completions as a stream, on any runtime: each as
    /// [`recv_async`](Self::recv_async) gives it. Ends when the pool is
    /// closed and drained.
    ///
    /// Any number of streams, and other readers beside them; each completion
    /// goes to one of them.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::WorkerPool;
    /// use manyhands_managed::ManagedPool;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let pool = ManagedPool::builder().workers(2).over(ChannelPool::new)?;
    /// for n in 1..=3u32 {
    ///     pool.submit_async(move || n * 10).await.unwrap();
    /// }
    /// pool.close();
    /// let answers = pool.stream().filter_map(async |c| c.done());
    /// assert_eq!(answers.fold(0, async |sum, n| sum + n).await, 60);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stream(&self) -> CompletionStream<J> {
        self.shared().step(|state, _| state.join_audience());
        let waiting = Waiting::new(self.shared(), Awaited::Completion);
        CompletionStream { waiting }
    }
}

/// The completions of a pool; see [`ManagedPool::stream`].
///
/// It may outlive its pool, and then has what is left unread, and what comes
/// until the last job has ended.
#[must_use = "a stream does nothing until it is polled"]
pub struct CompletionStream<J: Job + 'static> {
    waiting: Waiting<J>,
}

impl<J: Job + 'static> Stream for CompletionStream<J> {
    type Item = Completion<J>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Completion<J>>> {
        let polled = poll_recv(&mut self.waiting, context);
        if polled.is_ready() {
            // Whoever has got one does not wait, and is not to be called.
            self.waiting.leave();
        }
        polled
    }
}

impl<J: Job + 'static> Drop for CompletionStream<J> {
    fn drop(&mut self) {
        self.waiting.shared().leave_audience();
    }
}

impl<J: Job + 'static> fmt::Debug for CompletionStream<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompletionStream(..)")
    }
}
