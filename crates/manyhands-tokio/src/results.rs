//! The way out: a channel for results, without a bound, for readers that
//! await and for readers that block.
//!
//! The async form of [`manyhands_core::results`], with the same words and for
//! the same reason: were finished results bounded too, a task that submits
//! all its jobs before it reads the first result would wait for ever.
//!
//! ```
//! use manyhands_tokio::results;
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//!
//! let (results, collected) = results::channel();
//! for job in 1..=3 {
//!     let results = results.clone();
//!     tokio::spawn(async move { results.send(job * 2) });
//! }
//! drop(results); // ends with the last of the clones
//!
//! let mut sum = 0;
//! while let Some(result) = collected.recv().await {
//!     sum += result;
//! }
//! assert_eq!(sum, 12);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fmt;

use async_channel::TryRecvError;
use manyhands_core::sync::spin_until;
use manyhands_core::{Completion, Job, discard};

/// A channel for results: any number of senders, one [`Receiver`] that any
/// number of threads and tasks may read from by reference.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    new(true)
}

/// The channel on which a pool returns the completions of jobs `J`.
///
/// Completions of [detached](Job::DETACHED) jobs, which nobody reads, are
/// dropped as they are sent.
pub fn for_jobs<J: Job>() -> (Sender<Completion<J>>, Receiver<Completion<J>>) {
    new(!J::DETACHED)
}

fn new<T>(keep: bool) -> (Sender<T>, Receiver<T>) {
    let (parcels, received) = async_channel::unbounded();
    (Sender { parcels, keep }, Receiver { parcels: received })
}

/// Where results are sent. Cloned for each worker.
pub struct Sender<T> {
    parcels: async_channel::Sender<Parcel<T>>,
    /// False where nobody reads.
    keep: bool,
}

/// Where results are read, in the order in which they were sent.
///
/// What was sent and never read is dropped with the channel; panics of those
/// drops are contained.
#[must_use = "results that nobody reads wait without limit"]
pub struct Receiver<T> {
    parcels: async_channel::Receiver<Parcel<T>>,
}

impl<T> Sender<T> {
    /// Sends a result. Never waits.
    pub fn send(&self, result: T) {
        let parcel = Parcel(Some(result));
        if self.keep {
            // Refused when nobody is left to read it, and dropped.
            drop(self.parcels.try_send(parcel));
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { parcels: self.parcels.clone(), keep: self.keep }
    }
}

impl<T> Receiver<T> {
    /// The next result. Waits for one; `None` when every sender is gone and
    /// everything sent was read, and then for ever.
    ///
    /// Dropping the future takes no result.
    pub async fn recv(&self) -> Option<T> {
        self.parcels.recv().await.ok().and_then(Parcel::open)
    }

    /// [`recv`](Self::recv) for a thread, which blocks.
    pub fn recv_blocking(&self) -> Option<T> {
        // As every reader here does before it parks.
        spin_until(|| !self.parcels.is_empty());
        self.parcels.recv_blocking().ok().and_then(Parcel::open)
    }

    /// The next result, if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] when a result may still come,
    /// [`TryRecvError::Closed`] at the end of the channel.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let parcel = self.parcels.try_recv()?;
        parcel.open().ok_or(TryRecvError::Empty)
    }
}

/// A result on its way. Wherever it ends unread, in the channel or at a
/// sender whose reader is gone, a panic of its drop is contained.
struct Parcel<T>(Option<T>);

impl<T> Parcel<T> {
    /// What is in it; `None` only once it was opened.
    fn open(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Parcel<T> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(..)")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver(..)")
    }
}
