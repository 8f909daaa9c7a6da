//! A pool that does its work right, and says something else.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use manyhands_conformance::Law::{self, *};
use manyhands_conformance::LawJob;
use manyhands_core::{
    Closed, Completion, Config, JobId, Outcome, Panic, SubmitAllError,
    TrySubmitError, WorkerPool, discard,
};

use crate::reference::ReferencePool;

/// What is not true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Each job that did not panic did.
    Panicked,
    /// A payload that is no text is its text.
    PanicsAreText,
    /// Closed, of an open pool, now and then.
    Closed,
    /// Each id is below the one before it.
    IdsRunDown,
    OneWorkerMore,
    /// Of a closed pool.
    OneWorker,
    /// The end, of an open pool, now and then.
    End,
    /// At the end there is one more completion.
    OneMore,
    /// And after that end.
    OneMoreLater,

    // Of batches.
    RecvManyGotOneAtTheEnd,
    RecvManyGotOneOfNone,
    RecvManyGotOneMore,
    /// Of three or more, one is not given.
    RecvManyKeepsOne,
    RecvManyKeepsTheCancelled,
    /// Who submits waits for who submits a batch.
    OneSubmitterAtATime,
    /// Of a batch that is not empty.
    BatchHadOneMore,
    /// Closed on the way.
    BatchWasAccepted,
    /// After 40 jobs.
    BatchHasEnded,
    /// The job that waited for a place has not come back.
    BatchHadNoneWaiting,
    BatchDidNotPanic,
    BatchPanickedItself,
}

/// Each lie, the law that it breaks, and a part of the line that says so.
pub(crate) const LIES: &[(Lie, Law, &str)] = &[
    (Lie::Panicked, ExactlyOneCompletion, "300 jobs ended as"),
    (Lie::Panicked, RefusedComesBack, "refused does not run"),
    (Lie::Panicked, CloseIsFinal, "jobs ended as"),
    (Lie::Panicked, CloseLosesNothing, "jobs ended as"),
    (Lie::Panicked, SubmitAllThenRead, "jobs ended as"),
    (Lie::Panicked, PanicsContained, "was no success whose result"),
    (Lie::Panicked, AnyThreads, "jobs of many submitters ended as"),
    (Lie::Panicked, BatchesObey, "20 jobs ended as"),
    (Lie::PanicsAreText, PanicsContained, "came back as another value"),
    (Lie::Closed, AnyThreads, "an open pool refused a job"),
    (Lie::Closed, WritesVisible, "an open pool refused a job"),
    (Lie::IdsRunDown, AnyThreads, "from the same thread"),
    (Lie::End, ExactlyOneCompletion, "said that all is received"),
    (Lie::End, ExactWorkers, "recv said None with a completion still owed"),
    (Lie::OneWorkerMore, ExactWorkers, "made with 1 workers"),
    (Lie::OneWorker, ExactWorkers, "closed, the pool says it has 1"),
    (Lie::OneMore, RefusedComesBack, "refused jobs had"),
    (Lie::OneMore, CloseIsFinal, "an unused pool had a completion"),
    (Lie::OneMore, DrainedThenNone, "an unused pool had 1 completions"),
    (Lie::OneMore, PanicsContained, "had two completions"),
    (Lie::OneMore, IdleIsFree, "after idleness had 2 completions"),
    (Lie::OneMoreLater, DrainedThenNone, "later had one more completion"),
    (Lie::RecvManyGotOneAtTheEnd, DrainedThenNone, "recv_many then said 1"),
    (Lie::RecvManyGotOneOfNone, BatchesObey, "recv_many of none said 1"),
    (Lie::RecvManyGotOneMore, BatchesObey, "said 2 when 1 was finished"),
    (Lie::RecvManyKeepsOne, BatchesObey, "10 jobs had"),
    (Lie::RecvManyKeepsTheCancelled, BatchesObey, "accepted jobs had"),
    (Lie::OneSubmitterAtATime, BatchesObey, "that an iterator submits"),
    (Lie::BatchHadOneMore, BatchesObey, "submit_all of 20 jobs said"),
    (Lie::BatchWasAccepted, BatchesObey, "accepted jobs after close"),
    (Lie::BatchHasEnded, BatchesObey, "ended an endless batch"),
    (Lie::BatchHadNoneWaiting, BatchesObey, "closed at the bound"),
    (Lie::BatchDidNotPanic, BatchesObey, "and submit_all said"),
    (Lie::BatchPanickedItself, BatchesObey, "and submit_all threw"),
];

/// A reference pool, and what is said of it.
pub(crate) struct Liar {
    pool: ReferencePool,
    lie: Lie,
    /// How many jobs were submitted.
    submitted: AtomicU64,
    closed: AtomicBool,
    /// How often `recv` was called.
    reads: AtomicUsize,
    /// How often the end was said.
    ends: AtomicUsize,
    /// Who submits.
    turn: Mutex<()>,
}

impl Liar {
    pub(crate) fn new(config: Config, lie: Lie) -> Self {
        Self {
            pool: ReferencePool::new(config, None),
            lie,
            submitted: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            ends: AtomicUsize::new(0),
            turn: Mutex::new(()),
        }
    }

    /// What the completion says in place of what is true.
    fn tell(&self, completion: Completion<LawJob>) -> Completion<LawJob> {
        let Completion { id, outcome } = completion;
        let outcome = match outcome {
            Outcome::Panicked(panic) if self.lie == Lie::PanicsAreText => {
                panicked(panic.message())
            }
            Outcome::Done(answer) if self.lie == Lie::Panicked => {
                discard(answer);
                panicked("a lie")
            }
            outcome => outcome,
        };
        Completion { id, outcome }
    }

    /// Whether there is one more completion, though there is none.
    fn one_more(&self) -> Option<Completion<LawJob>> {
        let said = self.ends.fetch_add(1, Ordering::SeqCst);
        let one_more = match self.lie {
            Lie::OneMore => said == 0,
            Lie::OneMoreLater => said == 3,
            _ => false,
        };
        let id = JobId::new(u64::MAX);
        one_more.then(|| Completion { id, outcome: panicked("one more") })
    }

    /// The same, job by job, with the pool in between.
    fn submit_each(
        &self,
        jobs: &mut dyn Iterator<Item = LawJob>,
    ) -> Result<u64, SubmitAllError<LawJob>> {
        let mut accepted = 0;
        for job in jobs {
            let (refused, waited) = match self.pool.try_submit(job) {
                Ok(_) => (None, false),
                Err(TrySubmitError::Closed(job)) => (Some(job), false),
                Err(TrySubmitError::Full(job)) => {
                    (self.pool.submit(job).err().map(Closed::into_inner), true)
                }
            };
            if let Some(job) = refused {
                let lost = waited && self.lie == Lie::BatchHadNoneWaiting;
                let refused = if lost { vec![] } else { vec![job] };
                return Err(SubmitAllError { accepted, refused });
            }
            accepted += 1;
        }
        Ok(accepted)
    }
}

impl WorkerPool<LawJob> for Liar {
    fn submit(&self, job: LawJob) -> Result<JobId, Closed<LawJob>> {
        let number = self.submitted.fetch_add(1, Ordering::SeqCst);
        if self.lie == Lie::Closed && number == 7 {
            return Err(Closed(job));
        }
        let turn = (self.lie == Lie::OneSubmitterAtATime)
            .then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let id = self.pool.submit(job)?;
        drop(turn);
        Ok(match self.lie {
            Lie::IdsRunDown => JobId::new(u64::MAX - 2 - id.get()),
            _ => id,
        })
    }

    fn try_submit(
        &self,
        job: LawJob,
    ) -> Result<JobId, TrySubmitError<LawJob>> {
        self.pool.try_submit(job)
    }

    fn recv(&self) -> Option<Completion<LawJob>> {
        let before = self.reads.fetch_add(1, Ordering::SeqCst);
        if self.lie == Lie::End && before == 7 {
            return None;
        }
        match self.pool.recv() {
            Some(completion) => Some(self.tell(completion)),
            None => self.one_more(),
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.pool.close();
    }

    fn cancel(&self) {
        self.pool.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        let workers = self.pool.workers();
        match self.lie {
            Lie::OneWorkerMore => workers.saturating_add(1),
            Lie::OneWorker if self.closed.load(Ordering::SeqCst) => {
                NonZeroUsize::MIN
            }
            _ => workers,
        }
    }

    fn bound(&self) -> NonZeroUsize {
        self.pool.bound()
    }

    fn submit_all(
        &self,
        jobs: &mut dyn Iterator<Item = LawJob>,
    ) -> Result<u64, SubmitAllError<LawJob>> {
        let _turn = (self.lie == Lie::OneSubmitterAtATime)
            .then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let ends_at = match self.lie {
            Lie::BatchHasEnded => 40,
            _ => usize::MAX,
        };
        let mut jobs = jobs.take(ends_at);
        let all = AssertUnwindSafe(|| self.submit_each(&mut jobs));
        let said = match (catch_unwind(all), self.lie) {
            (Ok(said), _) => said,
            (Err(_), Lie::BatchDidNotPanic) => Ok(0),
            (Err(_), Lie::BatchPanickedItself) => {
                resume_unwind(Box::new("submit_all panicked"))
            }
            (Err(payload), _) => resume_unwind(payload),
        };
        match (said, self.lie) {
            (Err(error), Lie::BatchWasAccepted) => Ok(error.accepted),
            (Ok(some @ 1..), Lie::BatchHadOneMore) => Ok(some + 1),
            (said, _) => said,
        }
    }

    fn recv_many(
        &self,
        into: &mut Vec<Completion<LawJob>>,
        max: usize,
    ) -> usize {
        let mut got = Vec::new();
        let count = self.pool.recv_many(&mut got, max);
        let mut got: Vec<_> =
            got.into_iter().map(|it| self.tell(it)).collect();
        match self.lie {
            Lie::RecvManyKeepsOne if count > 2 => got.truncate(count - 1),
            Lie::RecvManyKeepsTheCancelled => {
                got.retain(|it| !it.outcome.is_cancelled());
                if got.is_empty() && count > 0 {
                    return self.recv_many(into, max);
                }
            }
            _ => {}
        }
        let said = got.len();
        into.append(&mut got);
        match self.lie {
            Lie::RecvManyGotOneMore if said > 0 => said + 1,
            Lie::RecvManyGotOneOfNone if max == 0 => 1,
            Lie::RecvManyGotOneAtTheEnd if max > 0 => said.max(1),
            _ => said,
        }
    }
}

fn panicked(message: &str) -> Outcome<LawJob> {
    Outcome::Panicked(Panic::new(Box::new(message.to_owned())))
}
