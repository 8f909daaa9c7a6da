//! Places that are taken before there is a job for them.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use manyhands_core::sync::Arc;
use manyhands_core::{Closed, Job, JobId, TrySubmitError};

use crate::pool::ManagedPool;
use crate::shared::{Shared, Waiting};
use crate::state::Awaited;

impl<J: Job + 'static> ManagedPool<J> {
    /// Takes a place for a job that is still to be made. Waits for one, as a
    /// task of any runtime.
    ///
    /// For jobs that cost something to make, or that must not be made if they
    /// cannot be submitted: a message that is taken from a queue, a request
    /// that is read from a connection. A place counts towards the bound until
    /// it is used or dropped. A job of the pool does not wait for one, and has
    /// it beyond the bound if need be.
    ///
    /// ```
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::WorkerPool;
    /// use manyhands_managed::ManagedPool;
    ///
    /// let pool = ManagedPool::builder().workers(1).queue(0).over(ChannelPool::new)?;
    /// let place = pool.try_reserve().unwrap();
    /// assert!(pool.try_reserve().unwrap_err().is_full());
    /// place.submit(|| 6 * 7).unwrap(); // never waits, never full
    /// assert_eq!(pool.recv().unwrap().done(), Some(42));
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pool is closed, also while it waits.
    pub async fn reserve_async(&self) -> Result<Place<J>, Closed<()>> {
        let mut waiting = Waiting::new(self.shared(), Awaited::Place);
        poll_fn(|context| poll_reserve(&mut waiting, context)).await
    }

    /// Takes a place for a job that is still to be made, if there is one.
    ///
    /// # Errors
    ///
    /// When the pool is full or closed.
    pub fn try_reserve(&self) -> Result<Place<J>, TrySubmitError<()>> {
        reserve(self.shared(), false)
    }
}

/// A place in a [`ManagedPool`], for one job: see
/// [`reserve_async`](ManagedPool::reserve_async).
///
/// Dropped, it gives the place back.
#[must_use = "a place that is dropped is given back"]
pub struct Place<J: Job + 'static> {
    shared: Arc<Shared<J>>,
    used: bool,
}

impl<J: Job + 'static> Place<J> {
    /// Submits the job. Neither waits nor finds the pool full.
    ///
    /// # Errors
    ///
    /// The job comes back, not run, when the pool was closed meanwhile.
    pub fn submit(mut self, job: J) -> Result<JobId, Closed<J>> {
        let shared = Arc::clone(&self.shared);
        let mut offer = shared.order.offer(job);
        let used = &mut self.used;
        let submitted = shared.accept(&mut offer, |state, _| {
            state.redeem();
            *used = true;
            true
        });
        match submitted {
            Some(submitted) => submitted,
            // Not reached: it was given a job.
            None => unreachable!("a place takes its job"),
        }
    }
}

impl<J: Job + 'static> Drop for Place<J> {
    fn drop(&mut self) {
        if !self.used {
            self.shared.step(|state, calls| state.release(calls));
        }
    }
}

impl<J: Job + 'static> fmt::Debug for Place<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

fn reserve<J: Job + 'static>(
    shared: &Arc<Shared<J>>,
    beyond: bool,
) -> Result<Place<J>, TrySubmitError<()>> {
    shared.step(|state, _| {
        if !state.is_open() {
            Err(TrySubmitError::Closed(()))
        } else if state.reserve(beyond) {
            Ok(Place { shared: Arc::clone(shared), used: false })
        } else {
            Err(TrySubmitError::Full(()))
        }
    })
}

/// Takes a place if there is one, and waits for it else.
pub(crate) fn poll_reserve<J: Job + 'static>(
    waiting: &mut Waiting<J>,
    context: &mut Context<'_>,
) -> Poll<Result<Place<J>, Closed<()>>> {
    loop {
        let shared = waiting.shared();
        match reserve(shared, shared.is_inside()) {
            Ok(place) => return Poll::Ready(Ok(place)),
            Err(TrySubmitError::Closed(())) => {
                return Poll::Ready(Err(Closed(())));
            }
            Err(TrySubmitError::Full(())) => {}
        }
        if waiting.stand(context).is_pending() {
            return Poll::Pending;
        }
    }
}
