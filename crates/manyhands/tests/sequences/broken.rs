//! Pools with a fault each, around one that has none.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use manyhands::{
    Closed, Completion, JobId, Outcome, Ticket, TrySubmitError, WorkerPool,
    discard, run_one,
};

use crate::job::Step;
use crate::program::Kind;
use crate::search::Pool;

/// What a broken pool does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    LosesEverySeventhCompletion,
    LosesWhatPanicked,
    SaysFullWithNothingOwed,
    RunsWhatItGivesBackAsCancelled,
    CancelOnlyCloses,
    AcceptsAfterClose,
    TellsAnotherId,
    WaitsForAllThatRecvManyMayGive,
    GivesOneAfterTheEnd,
    ForgetsToWakeTheReaderOnClose,
    /// Looks whether it is open, and then hands the job over.
    LosesAJobWhenCloseComesBetween,
}

impl Fault {
    /// True if it shows as a call that does not return.
    pub(crate) fn hangs(self) -> bool {
        matches!(
            self,
            Self::WaitsForAllThatRecvManyMayGive
                | Self::ForgetsToWakeTheReaderOnClose
                | Self::LosesEverySeventhCompletion
                | Self::LosesWhatPanicked
        )
    }
}

/// A pool with a fault.
pub(crate) struct Broken {
    fault: Fault,
    pool: Pool,
    /// How many calls of the kind that matters there were.
    calls: AtomicUsize,
    closed: AtomicBool,
}

impl Broken {
    pub(crate) fn new(fault: Fault, pool: Pool) -> Self {
        let (calls, closed) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { fault, pool, calls, closed }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// True at every so many-eth call.
    fn every(&self, nth: usize) -> bool {
        (self.calls.fetch_add(1, Ordering::SeqCst) + 1) % nth == 0
    }

    /// What it says of a job that it has just lost.
    fn no_id() -> JobId {
        JobId::new(u64::MAX)
    }

    /// Says that it has taken a job which was refused.
    fn lose(Closed(job): Closed<Step>) -> Result<JobId, Closed<Step>> {
        discard(job);
        Ok(Self::no_id())
    }

    /// True for a completion to be lost.
    fn loses(&self, completion: &Completion<Step>) -> bool {
        match self.fault {
            Fault::LosesEverySeventhCompletion => self.every(7),
            Fault::LosesWhatPanicked => completion.outcome.is_panicked(),
            _ => false,
        }
    }

    fn spoil(&self, completion: Completion<Step>) -> Completion<Step> {
        let Completion { id, outcome } = completion;
        match outcome {
            Outcome::Cancelled(job)
                if self.has(Fault::RunsWhatItGivesBackAsCancelled) =>
            {
                run_one(Ticket { id, job }, false)
            }
            outcome => Completion { id, outcome },
        }
    }
}

impl WorkerPool<Step> for Broken {
    fn submit(&self, job: Step) -> Result<JobId, Closed<Step>> {
        if self.has(Fault::LosesAJobWhenCloseComesBetween) {
            if self.closed.load(Ordering::SeqCst) {
                return Err(Closed(job));
            }
            // A moment that is long enough to be met.
            thread::sleep(Duration::from_micros(100));
            return self.pool.submit(job).or_else(Self::lose);
        }
        match self.pool.submit(job) {
            Err(refused) if self.has(Fault::AcceptsAfterClose) => {
                Self::lose(refused)
            }
            Ok(id) if self.has(Fault::TellsAnotherId) => {
                Ok(JobId::new(id.get() / 2))
            }
            submitted => submitted,
        }
    }

    fn try_submit(&self, job: Step) -> Result<JobId, TrySubmitError<Step>> {
        let open = !self.closed.load(Ordering::SeqCst);
        let full = self.has(Fault::SaysFullWithNothingOwed);
        if full && open && self.every(3) {
            return Err(TrySubmitError::Full(job));
        }
        self.pool.try_submit(job)
    }

    fn recv(&self) -> Option<Completion<Step>> {
        loop {
            let received = self.pool.recv();
            if received.is_none()
                && self.has(Fault::GivesOneAfterTheEnd)
                && self.every(2)
            {
                let (step, _) = Step::new(0, Kind::Plain, None);
                let outcome = Outcome::Cancelled(step);
                return Some(Completion { id: Self::no_id(), outcome });
            }
            if received.is_none()
                && self.has(Fault::ForgetsToWakeTheReaderOnClose)
            {
                thread::park();
            }
            let completion = received?;
            if self.loses(&completion) {
                discard(completion);
            } else {
                return Some(self.spoil(completion));
            }
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.pool.close();
    }

    fn cancel(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if self.has(Fault::CancelOnlyCloses) {
            self.pool.close();
        } else {
            self.pool.cancel();
        }
    }

    fn workers(&self) -> NonZeroUsize {
        self.pool.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.pool.bound()
    }

    fn recv_many(
        &self,
        into: &mut Vec<Completion<Step>>,
        max: usize,
    ) -> usize {
        let least = match self.fault {
            Fault::WaitsForAllThatRecvManyMayGive => max,
            _ => max.min(1),
        };
        let received = (0..least).map_while(|_| self.recv());
        let before = into.len();
        into.extend(received);
        into.len() - before
    }
}
