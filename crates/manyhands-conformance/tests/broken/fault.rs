//! The ways to be wrong, and who notices.

use manyhands_conformance::Law::{self, *};

/// One fault, in a pool that is right otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    // Jobs.
    CompletesTwice,
    /// Every other id is left out.
    SkipsIds,
    /// Each completion goes out under its neighbour's id.
    MixesUpIds,
    /// So does a job that is refused.
    RefusedTakesAnId,
    /// A finished job waits for those that were accepted before it.
    ReadsInOrderOfIds,
    /// The job that comes back is the last one in the queue.
    RefusesAnother,
    OneWorkerMore,
    OneWorkerLess,
    /// A worker takes the next job, too, and has it wait.
    TakesTwo,
    RunsUnderItsLock,
    /// The completion goes out before the job's captured values are dropped.
    DropsLate,

    // Close and cancel.
    FullWhenClosed,
    AcceptsAfterClose,
    SecondCloseHangs,
    /// Close returns when all jobs have ended.
    CloseWaits,
    CloseLosesTheLast,
    CloseClearsTheQueue,
    /// "Is it open?" and "here is the job", with room for a close between.
    LooksBeforeItLocks,
    /// `recv` says None when there is nothing to read *yet*.
    NoneBeforeTheLast,
    /// The second `recv` after the end waits.
    NoneOnlyOnce,
    /// Of several readers, one hears of the close.
    CloseWakesOneReader,
    /// Of several readers, one hears that the last job has ended.
    LastWakesOneReader,
    CancelRuns,
    CancelClearsTheQueue,
    CancelClearsTheFinished,
    CloseForgetsTheWaiting,
    CancelForgetsTheWaiting,
    /// Whoever is woken takes it for a place, and it was a close.
    LetsTheWaitingIn,

    // Backpressure.
    /// Workers wait for the reader, as with a bounded channel of results.
    BoundsResults,
    /// A place is free once the completion was read.
    FreedByReading,
    IgnoresBound,
    OnePlaceMore,
    FullOneEarly,
    /// "Is there a place?" and "I take it", with room for others between.
    ChecksThenAccepts,
    /// A place is free just after the completion can be read.
    FreedLate,

    // Panics.
    PanicKillsWorker,
    /// It is reported first.
    PanicEndsWorker,
    PanicKeepsPlace,
    PanicsLoseTheirText,
    /// What nobody read is dropped with its panics.
    DropThrows,

    // Threads.
    DropDoesNotWait,
    DropCancels,
    DropHangs,
    DropPanics,
    UnwindingDoesNotWait,
    /// "Is there a completion?" and "I take it", with room for other readers
    /// between.
    LooksTwice,
    /// "Is there a job?" and "wake me", with room for a job between.
    LooksThenWaits,
    DropsUnderItsLock,
    SpinsForWork,
    PollsForWork,
    SpinsInRecv,
    LeaksThread,
    LeaksFile,
    LeaksMemory,
    LeaksState,

    // Batches.
    RecvManyWaitsForMax,
    /// "Are there more?" and "I take one", with room for others between.
    RecvManyLooksThenWaits,
    RecvManyTakesMore,
    RecvManyClears,
    LocksAroundTheIterator,
    /// A job is handed over once the iterator has yielded the next.
    LooksAhead,
    BatchDropsTheRefused,
    BatchMiscounts,
}

/// Each fault, the law that forbids it, and a part of the line that says so:
/// what is caught for another reason is not caught.
pub(crate) const CAUGHT_BY: &[(Fault, Law, &str)] = {
    use Fault::*;
    &[
        (CompletesTwice, ExactlyOneCompletion, "had two completions"),
        (SkipsIds, ExactlyOneCompletion, "ids of 300 accepted jobs"),
        (MixesUpIds, ExactlyOneCompletion, "answer of another job"),
        (RefusedTakesAnId, ExactlyOneCompletion, "the ids of 300"),
        (ReadsInOrderOfIds, ExactlyOneCompletion, "before and after it"),
        (RefusesAnother, RefusedComesBack, "came back"),
        (FullWhenClosed, RefusedComesBack, "full and closed"),
        (AcceptsAfterClose, CloseIsFinal, "accepted after close"),
        (SecondCloseHangs, CloseIsFinal, "waiting for a second close"),
        (CloseWaits, CloseIsFinal, "close from several threads"),
        (CloseLosesTheLast, CloseLosesNothing, "accepted jobs had"),
        (CloseClearsTheQueue, CloseLosesNothing, "completions"),
        (LooksBeforeItLocks, CloseLosesNothing, "raced a close"),
        (NoneBeforeTheLast, DrainedThenNone, "had 0 completions"),
        (NoneOnlyOnce, DrainedThenNone, "find the end"),
        (CloseWakesOneReader, DrainedThenNone, "find the end"),
        (LastWakesOneReader, DrainedThenNone, "find the end"),
        (BoundsResults, SubmitAllThenRead, "no completion read"),
        (FreedByReading, SubmitAllThenRead, "no completion read"),
        (OneWorkerMore, ExactWorkers, "jobs ran at once"),
        (OneWorkerLess, ExactWorkers, "to run at once"),
        (TakesTwo, ExactWorkers, "to run at once"),
        (RunsUnderItsLock, ExactWorkers, "hung"),
        (IgnoresBound, ExactBound, "was accepted with"),
        (OnePlaceMore, ExactBound, "was accepted with"),
        (FullOneEarly, ExactBound, "Full was said with 0 unfinished"),
        (ChecksThenAccepts, ExactBound, "accepted and unfinished"),
        (PanicKillsWorker, PanicsContained, "a job that panicked"),
        (PanicEndsWorker, PanicsContained, "hung"),
        (PanicKeepsPlace, PanicsContained, "a place"),
        (PanicsLoseTheirText, PanicsContained, "its completion says"),
        (DropThrows, PanicsContained, "panics when it is dropped itself"),
        (CancelRuns, CancelGivesBack, "waiting jobs ended as"),
        (CancelClearsTheQueue, CancelGivesBack, "completions"),
        (CancelClearsTheFinished, CancelGivesBack, "completions"),
        (DropDoesNotWait, DropWaits, "drop returned with"),
        (DropCancels, DropWaits, "had run when drop returned"),
        (DropHangs, DropWaits, "waiting for drop"),
        (DropPanics, DropWaits, "panicked: a drop that panics"),
        (UnwindingDoesNotWait, DropWaits, "drop returned with"),
        (LooksTwice, AnyThreads, "told None by an open pool"),
        (LooksThenWaits, AnyThreads, "submitted to an idle pool"),
        (DropsUnderItsLock, AnyThreads, "submits a job to its own pool"),
        (DropsLate, WritesVisible, "captured"),
        (CloseForgetsTheWaiting, WaitingSubmitterFreed, "were blocked"),
        (CancelForgetsTheWaiting, WaitingSubmitterFreed, "were blocked"),
        (LetsTheWaitingIn, WaitingSubmitterFreed, "was accepted with"),
        (SpinsForWork, IdleIsFree, "of a processor"),
        (PollsForWork, IdleIsFree, "woke a thread"),
        (SpinsInRecv, IdleIsFree, "of a processor"),
        (LeaksThread, AllGivenBack, "threads were left"),
        (LeaksFile, AllGivenBack, "files were left open"),
        (LeaksMemory, AllGivenBack, "MiB of memory were left"),
        (LeaksState, AllGivenBack, "were not dropped with the pool"),
        (FreedLate, FullMeansOwed, "Full was said with"),
        (RecvManyWaitsForMax, BatchesObey, "one completion only"),
        (RecvManyLooksThenWaits, BatchesObey, "readers compete for"),
        (RecvManyTakesMore, BatchesObey, "recv_many of 3 at most"),
        (RecvManyClears, BatchesObey, "recv_many of 3 at most"),
        (LocksAroundTheIterator, BatchesObey, "iterator had yielded"),
        (LooksAhead, BatchesObey, "iterator had yielded"),
        (BatchDropsTheRefused, BatchesObey, "gave back"),
        (BatchMiscounts, BatchesObey, "submit_all"),
    ]
};
