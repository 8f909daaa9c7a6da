//! The laws by name.

use std::fmt;

/// The one list: a row a law, in the order of their numbers.
macro_rules! laws {
    ($($law:ident, $name:literal, $statement:literal;)*) => {
        /// One of the 19 laws that every pool keeps.
        ///
        /// Their full text is in the docs of
        /// [`WorkerPool`](manyhands_core::WorkerPool), under the same
        /// numbers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Law {
            $(#[doc = $statement] $law,)*
        }

        impl Law {
            /// All of them, by number.
            pub const ALL: [Self; 19] = [$(Self::$law),*];

            /// Its name, a few words.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$law => $name,)* }
            }

            /// What it demands, in a sentence.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$law => $statement,)* }
            }
        }
    };
}

laws! {
    ExactlyOneCompletion, "exactly one completion",
    "Each accepted id has exactly one completion.";

    RefusedComesBack, "a refused job comes back",
    "A refused job comes back and is never run.";

    CloseIsFinal, "close is final",
    "Close may be called any number of times, and afterwards nothing is \
     accepted.";

    CloseLosesNothing, "close loses nothing",
    "Close loses nothing that was accepted: it runs.";

    DrainedThenNone, "drained, then None",
    "After close, recv gives every completion, and then None for ever.";

    SubmitAllThenRead, "submit all, then read",
    "One thread may submit all its jobs, close, and then read, at any number \
     of jobs.";

    ExactWorkers, "exactly that many workers",
    "Never more than workers() jobs run at once, and that many are reached.";

    ExactBound, "exactly that bound",
    "Accepted and unfinished jobs reach bound() and never pass it; there, \
     and only there, is Full said.";

    PanicsContained, "panics are contained",
    "A panic of a job, or in dropping what it returned, captured or threw, \
     is contained.";

    CancelGivesBack, "cancel gives back",
    "After cancel no further job starts, and those that had not started come \
     back.";

    DropWaits, "drop waits",
    "Drop waits for accepted jobs, also while unwinding, and no thread \
     outlives its pool.";

    AnyThreads, "any number of threads",
    "Any number of threads may submit and receive; each completion goes to \
     exactly one.";

    WritesVisible, "writes are visible",
    "What a job wrote is visible to whoever received its completion.";

    WaitingSubmitterFreed, "waiting submitters freed",
    "A submitter that waits at the bound is freed by close or cancel, with \
     its job handed back.";

    IdleIsFree, "idle costs nothing",
    "An idle pool uses no processor time.";

    AllGivenBack, "all is given back",
    "Threads, memory and file handles are back where they were after drop.";

    FullMeansOwed, "Full means owed",
    "Full means that a completion is still owed.";

    BatchesObey, "batches obey too",
    "submit_all, try_submit_some and recv_many keep the other laws; \
     recv_many waits for one completion only.";

    WorkIsShared, "work is shared",
    "No worker sits on jobs while another idles, nor on a completion while it \
     runs the next job.";
}

impl Law {
    /// Its number, 1 to 19.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// `law 8, exactly that bound`.
impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {}, {}", self.number(), self.name())
    }
}
