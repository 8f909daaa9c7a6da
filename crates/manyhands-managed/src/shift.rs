//! What the pool below is given: to take jobs from the queue.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;

use manyhands_core::sync::Arc;
use manyhands_core::{AsyncJob, Job, JobId, run_one, run_one_async};

use crate::entry::Entry;
use crate::inside::Inside;
use crate::shared::Shared;

/// The job of the pool below a [`ManagedPool`](crate::ManagedPool): takes jobs
/// `J` from the managed queue and runs them, one after the other, until there
/// is none.
///
/// What a pool is built for: `ChannelPool<Shift<MyJob>>`. Nobody else makes
/// one. It has both faces if `J` has, and never fails, so that it suits every
/// pattern.
pub struct Shift<J: Job + 'static> {
    /// `None` once it serves, or was given back.
    duty: Option<Duty<J>>,
}

struct Duty<J: Job + 'static> {
    shared: Arc<Shared<J>>,
    /// The number of the pool that it was given to.
    base: u64,
}

impl<J: Job + 'static> Shift<J> {
    pub(crate) fn new(shared: Arc<Shared<J>>, base: u64) -> Self {
        Self { duty: Some(Duty { shared, base }) }
    }

    /// It was refused, and whoever wanted it sees to that.
    pub(crate) fn give_back(mut self) {
        self.duty = None;
    }
}

impl<J: Job + 'static> Job for Shift<J> {
    type Output = Result<(), Infallible>;

    /// There is nothing to be said at its end.
    const DETACHED: bool = true;

    fn run(mut self) -> Self::Output {
        let Some(Duty { shared, base }) = self.duty.take() else {
            return Ok(());
        };
        let mut next = shared.begin(base);
        while let Some(Entry { ticket, place, .. }) = next {
            let completion = {
                let _inside = Inside::of(&*shared);
                run_one(ticket, false)
            };
            next = shared.end(base, place.key, completion);
        }
        Ok(())
    }
}

impl<J: AsyncJob + 'static> AsyncJob for Shift<J> {
    async fn run_async(mut self) -> Self::Output {
        let Some(Duty { shared, base }) = self.duty.take() else {
            return Ok(());
        };
        let mut next = shared.begin(base);
        while let Some(Entry { ticket, place, .. }) = next {
            let mut hand = Hand {
                shared: &shared,
                id: ticket.id,
                key: place.key,
                done: false,
            };
            let completion = {
                let mut run = pin!(run_one_async(ticket, || false));
                poll_fn(|context| {
                    let _inside = Inside::of(&*shared);
                    run.as_mut().poll(context)
                })
                .await
            };
            hand.done = true;
            next = shared.end(base, place.key, completion);
        }
        Ok(())
    }
}

/// A job in the hand of a task, which may be dropped while it waits.
struct Hand<'a, J: Job + 'static> {
    shared: &'a Arc<Shared<J>>,
    id: JobId,
    key: Option<u64>,
    done: bool,
}

impl<J: Job + 'static> Drop for Hand<'_, J> {
    fn drop(&mut self) {
        if !self.done {
            self.shared.end_lost(self.id, self.key);
        }
    }
}

/// A shift that is dropped was not wanted by its pool.
impl<J: Job + 'static> Drop for Shift<J> {
    fn drop(&mut self) {
        if let Some(Duty { shared, .. }) = self.duty.take() {
            shared.lose_shift();
        }
    }
}

impl<J: Job + 'static> fmt::Debug for Shift<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shift(..)")
    }
}
