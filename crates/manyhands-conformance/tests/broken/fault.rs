//! The ways to be wrong, and who notices.

use manyhands_conformance::Claim::{self, InOrder, NoQueue, ThreadPerJob};
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
    /// A finished job waits for the last one that was accepted.
    ReadsWithTheNewest,
    /// The job that comes back is the last one in the queue.
    RefusesAnother,
    /// So it is where `submit` says Closed.
    SubmitRefusesAnother,
    OneWorkerMore,
    OneWorkerLess,
    /// What a job submits, its own worker runs after it.
    KeepsJobsOfJobs,
    LosesEveryTenThousandth,
    /// A worker takes the next job, too, and has it wait.
    TakesTwo,
    RunsUnderItsLock,
    /// The completion goes out before the job's captured values are dropped:
    /// the reader does not see what their drop writes, on any hardware.
    DropsLate,
    /// So it does when the job panics.
    DropsLateInPanic,
    /// A job that is accepted counts as one that panicked, and is run then.
    TellsBeforeItRuns,

    // Close and cancel.
    FullWhenClosed,
    ClosedWhenFull,
    /// With `try_submit`.
    AcceptsAfterClose,
    SubmitAcceptsAfterClose,
    /// From its own jobs, that is.
    AcceptsFromJobsAfterClose,
    /// From its own jobs, too, and not after close.
    AcceptsFromJobsAfterCancel,
    SecondCloseHangs,
    /// Close returns when all jobs have ended.
    CloseWaits,
    /// Close takes its time while there are jobs.
    CloseDawdles,
    CloseLosesTheLast,
    CloseClearsTheQueue,
    /// What came from its own jobs is not waited for.
    CloseForgetsJobsOfJobs,
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
    /// What is taken out for one reader, and others wait, is lost.
    LosesOneAmongReaders,
    CancelRuns,
    CancelClearsTheQueue,
    CancelClearsTheFinished,
    /// They count as panicked.
    CancelSpoilsTheFinished,
    CancelFromAJobHangs,
    /// A job that panics after cancel has no completion.
    CancelLosesPanics,
    /// With nothing to come back, there is nobody to be told.
    CancelForgetsReaders,
    /// One variable for both, and the last to write it is right.
    CloseUndoesCancel,
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
    /// Once all places were taken.
    OnePlaceMoreLater,
    /// With two workers and no queue, that is.
    OnePlaceMoreForTwo,
    /// Whatever the number of workers.
    BoundOfOne,
    /// Its own jobs are let in at the bound, so that they never wait.
    LetsItsJobsIn,
    FullOneEarly,
    /// Those that run are not among the unfinished.
    CountsTheWaiting,
    /// A job that panicked is among the unfinished for ever.
    CountsPanics,
    /// So is one that was cancelled.
    CountsTheCancelled,
    /// "Is there a place?" and "I take it", with room for others between.
    ChecksThenAccepts,
    /// The same, with `submit`.
    SubmitChecksThenAccepts,
    /// Each place that becomes free is given to all who wait.
    LetsAllIn,
    /// Whoever tries passes those who wait, and the bound.
    TriesPassTheWaiting,
    /// A place is free just after the completion can be read.
    FreedLate,
    /// Whoever tries and meets another who does is told Full.
    FullWhenBusy,
    /// Whoever tries a full pool waits a while for a place.
    FullTakesItsTime,

    // Panics.
    PanicKillsWorker,
    /// It is reported first, and the last one stays.
    PanicEndsWorker,
    PanicKeepsPlace,
    PanicsLoseTheirText,
    /// The first two jobs go out under each other's id if they panic.
    PanicsMixUpIds,
    /// What nobody read is dropped with its panics.
    DropThrows,
    /// So it is once a completion was read.
    DropThrowsOnceRead,
    /// They are caught, and those of their payloads, and no more.
    DropCatchesTwice,
    /// Those of the jobs that were cancelled are not.
    DropThrowsCancelled,
    /// One in dropping what a job captured, after the job.
    DropKillsWorker,

    // Threads.
    DropDoesNotWait,
    /// But not at the end of a thread.
    DropCancels,
    DropHangs,
    DropPanics,
    UnwindingDoesNotWait,
    /// It waits for the jobs, and the threads stay.
    UnwindingLeavesThreads,
    /// A worker that drops its pool waits for itself.
    DropJoinsItself,
    /// Drop asks for a thread-local that may be gone by then.
    DropWantsALocal,
    /// Drop does not wait where it is gone.
    LeavesAtThreadEnd,
    /// Its own jobs may not `submit`.
    RefusesItsJobs,
    /// A worker, whichever pool it is of, cannot wait for a completion.
    NoneInside,
    /// "Is there a completion?" and "I take it", with room for other readers
    /// between.
    LooksTwice,
    /// "Is there a job?" and "wake me", with room for a job between.
    LooksThenWaits,
    DropsUnderItsLock,
    DropsUnderItsLockInPanic,
    /// A job holds a lock that is one for all pools.
    SharesALock,
    /// If several readers wait, two of them get the same.
    TwoReadersGetIt,
    SpinsForWork,
    PollsForWork,
    /// Ten times a second.
    PollsSlowly,
    /// It makes up for a wake-up that is lost now and then.
    PollsForLostJobs,
    /// Rarely woken, and then for long.
    BurnsNowAndThen,
    SpinsInRecv,
    SpinsForAPlace,
    /// Workers that find nothing to do for a while leave.
    IdleWorkersLeave,
    LeaksThread,
    /// With each job that panics.
    LeaksThreadInPanic,
    LeaksFile,
    LeaksMemory,
    LeaksState,
    /// Jobs that were cancelled are not dropped.
    LeaksCancelled,
    /// Completions that nobody read are not dropped.
    LeaksUnread,

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
    /// Where the queue has one place, the second of a batch is left out.
    BatchLosesTheSecond,
    /// A batch has a place before it has a job, and an iterator that panics
    /// leaves with it.
    BatchLosesAPlace,
    /// The last job of a batch runs before the last but one.
    BatchOvertakes,
    /// Of several workers, one hears of a batch that fits.
    BatchWakesOne,
    /// Of jobs that come together, those without a place are dropped.
    SomeLoseTheRest,
    /// They are left, the last one first.
    SomeTurnTheRest,
    /// The ids are one more than the jobs.
    SomeMiscount,
    /// Where there is one place, they all have it.
    SomeNeedOnePlace,
    /// They wait a while for a place.
    SomeTakeTheirTime,
    SomeFullOneEarly,
    SomeFullWhenClosed,
    SomeDropTheRefused,
    SomeAfterClose,
    /// Whoever holds jobs back while a worker idles is not told of it.
    NeverHungry,

    // Sharing.
    /// A worker takes several jobs, which nobody else gets at.
    ClaimsForItself,
    /// So it does once it has seen how brief they are.
    ClaimsOnceWarm,
    /// A worker tells of what has ended when there are several, or no more
    /// jobs.
    KeepsResultsBack,
    /// Others get at what a worker has taken, if they look twice, and do not.
    ThiefLooksOnce,
    /// Others get at it, and sleep.
    ClaimWakesNobody,
    /// Of jobs that come together, one worker hears.
    SomeWakeOne,
    /// The workers that are awake will see to a single job, if there is a
    /// queue for it.
    WakesNobodyForOne,

    // What a pool may claim.
    TakesTheLast,
    /// "This is my number" and "here I queue", with room for others between.
    NumbersThenQueues,
    HasNoQueue,
    ThreadEach,
    StopsOnError,
    /// The completion with the error goes out before that.
    StopsLate,
    /// Jobs run through their async face, each on a worker of its own.
    RunsTasks,
    /// Who waits for a place is not told.
    StopsForTheQueue,
    /// What waits in the queue still runs.
    StopsAndRuns,
    /// An `Err` comes back as a panic.
    ErrorsPanic,
    /// What waits in the queue comes back, and the pool goes on.
    ErrorsCancelTheQueue,
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
        (ReadsWithTheNewest, ExactlyOneCompletion, "before and after it"),
        (RefusesAnother, RefusedComesBack, "was refused, and job"),
        (SubmitRefusesAnother, RefusedComesBack, "was refused, and job"),
        (FullWhenClosed, RefusedComesBack, "full and closed"),
        (ClosedWhenFull, RefusedComesBack, "a pool that is full refused"),
        (OnePlaceMore, RefusedComesBack, "a job was accepted with"),
        (SubmitAcceptsAfterClose, RefusedComesBack, "a closed pool accepted"),
        (AcceptsAfterClose, CloseIsFinal, "try_submit accepted after"),
        (FullWhenClosed, CloseIsFinal, "said Full after close"),
        (SubmitAcceptsAfterClose, CloseIsFinal, ": submit accepted after"),
        (AcceptsFromJobsAfterClose, CloseIsFinal, "that a job submitted"),
        (SecondCloseHangs, CloseIsFinal, "waiting for a second close"),
        (CloseWaits, CloseIsFinal, "close from several threads"),
        (CloseDawdles, CloseIsFinal, "close of a full pool took"),
        (CloseLosesTheLast, CloseLosesNothing, "accepted jobs had"),
        (CloseClearsTheQueue, CloseLosesNothing, "completions"),
        (CloseForgetsJobsOfJobs, CloseLosesNothing, "accepted jobs had"),
        (LooksBeforeItLocks, CloseLosesNothing, "raced a close"),
        (NoneBeforeTheLast, DrainedThenNone, "had 0 completions"),
        (NoneOnlyOnce, DrainedThenNone, "find the end"),
        (CloseWakesOneReader, DrainedThenNone, "find the end"),
        (LastWakesOneReader, DrainedThenNone, "find the end"),
        (LosesOneAmongReaders, DrainedThenNone, "completions after close"),
        (CancelClearsTheQueue, DrainedThenNone, "completions after cancel"),
        (BoundsResults, SubmitAllThenRead, "no completion read"),
        (FreedByReading, SubmitAllThenRead, "no completion read"),
        (LosesEveryTenThousandth, SubmitAllThenRead, "had 19998 completions"),
        (OneWorkerMore, ExactWorkers, "jobs ran at once"),
        (OneWorkerLess, ExactWorkers, "to run at once"),
        (TakesTwo, ExactWorkers, "to run at once"),
        (KeepsJobsOfJobs, ExactWorkers, "jobs of a job to start beside it"),
        (RunsUnderItsLock, ExactWorkers, "hung"),
        (IgnoresBound, ExactBound, "was accepted with"),
        (OnePlaceMore, ExactBound, "was accepted with"),
        (OnePlaceMoreLater, ExactBound, "a job was accepted with"),
        (OnePlaceMoreForTwo, ExactBound, "workers 2, queue 0: job 2 was"),
        (BoundOfOne, ExactBound, "workers can never be busy"),
        (FullOneEarly, ExactBound, "Full was said with 0 unfinished"),
        (CountsTheWaiting, ExactBound, "unfinished() said"),
        (ChecksThenAccepts, ExactBound, "accepted and unfinished"),
        (SubmitChecksThenAccepts, ExactBound, "jobs were unfinished with"),
        (LetsAllIn, ExactBound, "submit did not wait for a place"),
        (TriesPassTheWaiting, ExactBound, "a job was accepted with"),
        (LetsItsJobsIn, ExactBound, "a job of the pool had one accepted"),
        (FullWhenBusy, ExactBound, "to one of several threads with"),
        (FullTakesItsTime, ExactBound, "try_submit to a full pool took"),
        (PanicKillsWorker, PanicsContained, "a job that panicked"),
        (PanicEndsWorker, PanicsContained, "as many jobs to run at once"),
        (PanicKeepsPlace, PanicsContained, "a place"),
        (PanicsLoseTheirText, PanicsContained, "its completion says"),
        (PanicsMixUpIds, PanicsContained, "job 0 came back under job 1"),
        (CountsPanics, PanicsContained, "unfinished() said"),
        (DropThrows, PanicsContained, "panics when it is dropped itself"),
        (DropThrowsOnceRead, PanicsContained, "result read and one unread"),
        (DropCatchesTwice, PanicsContained, "when it is dropped itself"),
        (DropThrowsCancelled, PanicsContained, "an unread job that panics"),
        (DropKillsWorker, PanicsContained, "of a job that captured a value"),
        (CancelRuns, CancelGivesBack, "queue 1: 1 running and 1 waiting"),
        (CancelClearsTheQueue, CancelGivesBack, "completions"),
        (CancelClearsTheFinished, CancelGivesBack, "completions"),
        (CancelSpoilsTheFinished, CancelGivesBack, "1 finished, "),
        (CancelFromAJobHangs, CancelGivesBack, "a job that cancels its pool"),
        (CancelLosesPanics, CancelGivesBack, "queue 0: 1 accepted jobs had 0"),
        (CloseDawdles, CancelGivesBack, "cancel of a full pool took"),
        (
            AcceptsFromJobsAfterCancel,
            CancelGivesBack,
            "submitted after cancel",
        ),
        (CountsPanics, CancelGivesBack, "queue 0: with 0 unfinished, unf"),
        (CountsTheCancelled, CancelGivesBack, "queue 1: with 0 unfinished"),
        (CancelForgetsReaders, CancelGivesBack, "find the end"),
        (LeaksUnread, CancelGivesBack, "its answer 0 times"),
        (CloseUndoesCancel, CancelGivesBack, "waiting jobs ended as"),
        (DropDoesNotWait, DropWaits, "drop returned with"),
        (DropCancels, DropWaits, "drop of an open pool: of"),
        (DropHangs, DropWaits, "waiting for drop"),
        (DropPanics, DropWaits, "panicked: a drop that panics"),
        (UnwindingDoesNotWait, DropWaits, "while unwinding: drop returned"),
        (UnwindingLeavesThreads, DropWaits, "threads were left after drop"),
        (DropJoinsItself, DropWaits, "a pool that one of them drops"),
        (DropWantsALocal, DropWaits, "drop panicked at the end of a thread"),
        (LeaksUnread, DropWaits, "its answer 0 times"),
        (LeavesAtThreadEnd, DropWaits, "drop at the end of a thread"),
        (LooksTwice, AnyThreads, "told None by an open pool"),
        (LooksThenWaits, AnyThreads, "submitted to an idle pool"),
        (TwoReadersGetIt, AnyThreads, "had two completions"),
        (DropsUnderItsLock, AnyThreads, "calls its pool as it is dropped"),
        (DropsUnderItsLockInPanic, AnyThreads, "as it is dropped"),
        (SharesALock, AnyThreads, "waits for a job of another pool"),
        (PanicEndsWorker, AnyThreads, "as many jobs to run at once"),
        (RefusesItsJobs, AnyThreads, "that was submitted by a job"),
        (NoneInside, AnyThreads, "got no completion of another"),
        (DropsLate, WritesVisible, "before what its job captured"),
        (DropsLateInPanic, WritesVisible, "before what its job captured"),
        (TellsBeforeItRuns, WritesVisible, " wrote"),
        (CloseForgetsTheWaiting, WaitingSubmitterFreed, "were blocked"),
        (CancelForgetsTheWaiting, WaitingSubmitterFreed, "were blocked"),
        (SubmitRefusesAnother, WaitingSubmitterFreed, "and job"),
        (LetsTheWaitingIn, WaitingSubmitterFreed, "was accepted with"),
        (OnePlaceMoreForTwo, WaitingSubmitterFreed, "workers 2, queue 0: a"),
        (SpinsForWork, IdleIsFree, "of a processor"),
        (PollsForWork, IdleIsFree, "woke a thread"),
        (PollsSlowly, IdleIsFree, "the pool woke a thread"),
        (PollsForLostJobs, IdleIsFree, "the pool woke a thread"),
        (BurnsNowAndThen, IdleIsFree, "of a processor"),
        (SpinsInRecv, IdleIsFree, "of a processor"),
        (SpinsForAPlace, IdleIsFree, "with all blocked"),
        (IdleWorkersLeave, IdleIsFree, "a job that came after idleness"),
        (LeaksThread, AllGivenBack, "threads were left"),
        (LeaksThreadInPanic, AllGivenBack, "threads were left"),
        (LeaksFile, AllGivenBack, "files were left open"),
        (LeaksMemory, AllGivenBack, "MiB of memory were left"),
        (LeaksState, AllGivenBack, "were not dropped with the pool"),
        (LeaksCancelled, AllGivenBack, "were not dropped with the pool"),
        (LeaksUnread, AllGivenBack, "were not dropped with the pool"),
        (FreedLate, FullMeansOwed, "Full was said with"),
        (ClosedWhenFull, FullMeansOwed, "an open pool refused a job"),
        (RecvManyWaitsForMax, BatchesObey, "one completion only"),
        (RecvManyLooksThenWaits, BatchesObey, "readers compete for"),
        (RecvManyTakesMore, BatchesObey, "recv_many of 3 at most"),
        (RecvManyClears, BatchesObey, "recv_many of 3 at most"),
        (LocksAroundTheIterator, BatchesObey, "iterator had yielded"),
        (LooksAhead, BatchesObey, "iterator had yielded"),
        (BatchDropsTheRefused, BatchesObey, "closed after 5 of 10 jobs"),
        (BatchMiscounts, BatchesObey, "submit_all of no jobs said"),
        (BatchLosesAPlace, BatchesObey, "places are left"),
        (BatchLosesTheSecond, BatchesObey, "workers 1, queue 1: hung"),
        (BatchOvertakes, BatchesObey, "is not in the iterator's order"),
        (BatchWakesOne, BatchesObey, "as many jobs of a batch to start"),
        (CancelForgetsTheWaiting, BatchesObey, "waiting for submitters that"),
        (SomeLoseTheRest, BatchesObey, "and left []"),
        (SomeTurnTheRest, BatchesObey, "and left [99, 98"),
        (SomeMiscount, BatchesObey, "and left [1, 2"),
        (SomeNeedOnePlace, BatchesObey, "accepted together with a bound of"),
        (SomeTakeTheirTime, BatchesObey, "try_submit_some to a full pool"),
        (SomeFullOneEarly, BatchesObey, "together with every completion"),
        (SomeFullWhenClosed, BatchesObey, "a closed pool said"),
        (SomeDropTheRefused, BatchesObey, "a closed pool said"),
        (SomeAfterClose, BatchesObey, "a closed pool said"),
        (NeverHungry, BatchesObey, "an idle pool to say that it is hungry"),
        (ClaimsForItself, WorkIsShared, "but one are blocked"),
        (ClaimsOnceWarm, WorkIsShared, "but one are blocked"),
        (KeepsResultsBack, WorkIsShared, "of all jobs that had ended"),
        (ThiefLooksOnce, WorkIsShared, "but one are blocked"),
        (
            ClaimWakesNobody,
            WorkIsShared,
            "but one are blocked|blocks for each worker to start",
        ),
        (
            SomeWakeOne,
            WorkIsShared,
            "but one are blocked|blocks for each worker to start",
        ),
        (
            WakesNobodyForOne,
            WorkIsShared,
            "waiting for a single job|completions of all other jobs",
        ),
    ]
};

/// A pool, with a fault or with none, what it claims or does not claim, and
/// what the kit says of that.
pub(crate) const FALSE_CLAIMS: &[(Option<Fault>, Claim, bool, &str)] = {
    use Fault::*;
    &[
        (Some(TakesTheLast), InOrder, true, "started in place of"),
        (Some(NumbersThenQueues), InOrder, true, "started in place of"),
        (Some(BatchOvertakes), InOrder, true, "started in place of"),
        (None, NoQueue, true, "claimed to have no queue, it has"),
        (Some(HasNoQueue), NoQueue, false, "not claimed to have no queue"),
        (None, ThreadPerJob, true, "a thread a job, it ran 20"),
        (Some(ThreadEach), ThreadPerJob, true, "no thread when idle"),
        (Some(ThreadEach), ThreadPerJob, false, "not claimed to start"),
        (None, Claim::StopsOnError, true, "claimed to stop at an error, it"),
        (
            Some(StopsLate),
            Claim::StopsOnError,
            true,
            "claimed to stop at an error",
        ),
        (
            Some(StopsForTheQueue),
            Claim::StopsOnError,
            true,
            "when a job failed",
        ),
        (
            Some(StopsOnError),
            Claim::StopsOnError,
            false,
            "it refused a job after",
        ),
        (Some(StopsAndRuns), Claim::StopsOnError, true, "its jobs ended as"),
        (
            Some(ErrorsPanic),
            Claim::StopsOnError,
            false,
            "a job that answered Err ended as",
        ),
        (
            Some(ErrorsCancelTheQueue),
            Claim::StopsOnError,
            false,
            "its jobs ended as",
        ),
    ]
};
