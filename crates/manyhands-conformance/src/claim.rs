//! What a pool may claim beyond the laws.

use std::fmt;

/// The one list: a row a claim.
macro_rules! claims {
    ($($claim:ident, $name:literal, $statement:literal;)*) => {
        /// What a pool may claim beyond the laws, or where it keeps them in
        /// a way of its own.
        ///
        /// A claim that is made is checked. So is one that is left out of the
        /// list, where its absence shows: a pool that is what it does not
        /// claim to be fails. Both keep the claim from being a word only.
        ///
        /// Made with [`Kit::claims`](crate::Kit::claims).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Claim {
            $(#[doc = $statement] $claim,)*
        }

        impl Claim {
            /// All of them.
            pub const ALL: [Self; 4] = [$(Self::$claim),*];

            /// Its name, a few words.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$claim => $name,)* }
            }

            /// What it says, in a sentence.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$claim => $statement,)* }
            }
        }
    };
}

claims! {
    InOrder, "starts in order",
    "Jobs are taken up in the order of their ids: one worker starts them in \
     that order, and before a job starts among several workers, each job with \
     a lower id was taken up.";

    NoQueue, "has no queue",
    "The bound is the number of workers, whatever the length of the queue in \
     the config; else it is workers and queue together.";

    ThreadPerJob, "a thread a job",
    "Each job has a thread of its own, and an idle pool has none; else \
     threads run one job after the other.";

    StopsOnError, "stops at an error",
    "Once a job has returned Err, no further job is accepted or started, and \
     those that had not started come back; else an Err is an answer like any \
     other.";
}

/// `claim "has no queue"`.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim \"{}\"", self.name())
    }
}
