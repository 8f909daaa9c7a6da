//! What the pool below is given: to take jobs from the queue.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use manyhands_core::sync::Arc;
use manyhands_core::{
    AsyncJob, Completion, Job, JobId, Ticket, run_one, run_one_async,
};

use crate::entry::Entry;
use crate::inside::Inside;
use crate::shared::Shared;
use crate::watch::{Scope, Started};

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
        while let Some(entry) = next {
            let (hand, ticket) = Hand::take(&shared, entry);
            let completion = hand.within(|| run_one(ticket, false));
            next = hand.lay_down(base, completion);
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
        while let Some(entry) = next {
            let (hand, ticket) = Hand::take(&shared, entry);
            let completion = {
                let run = pin!(Some(run_one_async(ticket, || false)));
                let mut run = Running { hand: &hand, run };
                poll_fn(|context| run.poll(context)).await
            };
            next = hand.lay_down(base, completion);
        }
        Ok(())
    }
}

/// A job's future. It is polled within the job, and dropped there too.
struct Running<'a, 'b, J: Job + 'static, F> {
    hand: &'a Hand<'b, J>,
    run: Pin<&'a mut Option<F>>,
}

impl<J: Job + 'static, F: Future> Running<'_, '_, J, F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { hand, run } = self;
        match run.as_mut().as_pin_mut() {
            Some(run) => hand.within(|| run.poll(context)),
            // Not reached: it is there until it is dropped.
            None => Poll::Pending,
        }
    }
}

impl<J: Job + 'static, F> Drop for Running<'_, '_, J, F> {
    fn drop(&mut self) {
        self.hand.within(|| self.run.set(None));
    }
}

/// The hand that a job is in. Dropped before it has laid the job down, as when
/// a task is dropped that waits, it says that the job is lost.
struct Hand<'a, J: Job + 'static> {
    shared: &'a Arc<Shared<J>>,
    id: JobId,
    key: Option<u64>,
    started: Started,
    /// `None` once the job was laid down.
    scope: Option<Scope>,
}

impl<'a, J: Job + 'static> Hand<'a, J> {
    fn take(shared: &'a Arc<Shared<J>>, entry: Entry<J>) -> (Self, Ticket<J>) {
        let Entry { ticket, place, since, context } = entry;
        let started = shared.started(Some(since));
        let (id, key) = (ticket.id, place.key);
        let scope = Some(context.job(id));
        (Self { shared, id, key, started, scope }, ticket)
    }

    /// What is done within the job.
    fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let work = || {
            let _inside = Inside::of(&**self.shared);
            work()
        };
        match &self.scope {
            Some(scope) => scope.run(work),
            None => work(),
        }
    }

    /// The job is over. Returns the next.
    fn lay_down(
        mut self,
        base: u64,
        completion: Completion<J>,
    ) -> Option<Entry<J>> {
        let scope = self.scope.take();
        // The user's hooks are called here, on a worker of this pool.
        let _inside = Inside::of(&**self.shared);
        if let Some(scope) = scope {
            scope.end();
        }
        self.shared.end(base, self.key, self.started, completion)
    }
}

impl<J: Job + 'static> Drop for Hand<'_, J> {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            let _inside = Inside::of(&**self.shared);
            scope.end();
            self.shared.end_lost(self.id, self.key, self.started);
        }
    }
}

/// A shift that is dropped was not wanted by its pool.
impl<J: Job + 'static> Drop for Shift<J> {
    fn drop(&mut self) {
        if let Some(Duty { shared, .. }) = self.duty.take() {
            let _inside = Inside::of(&*shared);
            shared.lose_shift();
        }
    }
}

impl<J: Job + 'static> fmt::Debug for Shift<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shift(..)")
    }
}
